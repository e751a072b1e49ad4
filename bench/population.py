"""A country of participants for the bench of audiences, written by SQL alone: towns, households, two addresses, quiet
hours, people who signed off. The same for the same number of them."""

from __future__ import annotations

import asyncpg

# A city in which 2 km around its middle hold one in 200 of all: 15,000 of 3 million.
CITY_X, CITY_Y, CITY_M = 92_000, 437_000, 20_000

PARTICIPANTS = """
INSERT INTO register.participant (id, language, birth_year, exercise, follows, consent_at, signed_off_at, created_at)
SELECT i, CASE WHEN i % 10 = 0 THEN 'en' ELSE 'nl' END, 1935 + i % 75, i % 1000 = 1, i % 3 = 0, now(),
       CASE WHEN i % 50 = 2 THEN now() END, now()
FROM generate_series(1, {people}) i"""

# One in five has a second address, anywhere.
ADDRESSES = """
INSERT INTO register.address (id, participant_id, postcode, x, y, cell)
SELECT id, i, '3011', x, y, floor(y / 500)::int * 1000 + floor(x / 500)::int FROM (
    SELECT id, i,
        CASE WHEN i % 6 = 0 AND id = i THEN {city_x} + {city_m} * (a - 0.5) ELSE 15000 + 270000 * a END AS x,
        CASE WHEN i % 6 = 0 AND id = i THEN {city_y} + {city_m} * (b - 0.5) ELSE 310000 + 305000 * b END AS y
    FROM (
        SELECT i AS id, i, hashint8(i) / 4294967296.0 + 0.5 AS a, hashint8(i + 1000000007) / 4294967296.0 + 0.5 AS b
        FROM generate_series(1, {people}) i
        UNION ALL
        SELECT {people} + i, i, hashint8(i + 77) / 4294967296.0 + 0.5, hashint8(i + 1000000099) / 4294967296.0 + 0.5
        FROM generate_series(5, {people}, 5) i
    ) chances
) places"""

CONTACT_POINTS = """
INSERT INTO register.contact_point (id, kind, sealed, digest, key_version, opted_out_at, unreachable_since)
SELECT i, 'mobile', '\\x00', decode(md5(i::text), 'hex'), 1, CASE WHEN i % 60 = 3 THEN now() END,
       CASE WHEN i % 200 = 4 THEN now() END
FROM generate_series(1, {people}) i"""

# One in twenty shares the telephone of the household, one in four is also called, one in four has quiet hours of nearly
# a day, so that whenever the bench runs a look-out finds them asleep until it is over, and an AMBER wakes them.
SUBSCRIPTIONS = """
INSERT INTO register.subscription
    (address_id, contact_point_id, channel, kinds, wakes, quiet_from, quiet_until)
SELECT a.id, a.participant_id - (a.participant_id % 20 = 7)::int, channel,
       CASE WHEN a.participant_id % 25 = 6 THEN 22 ELSE 23 END, 4,
       CASE WHEN a.participant_id / 6 % 4 = 0 THEN {quiet_from} ELSE 0 END,
       CASE WHEN a.participant_id / 6 % 4 = 0 THEN {quiet_until} ELSE 0 END
FROM register.address a, (VALUES ('sms'), ('voice')) channels(channel)
WHERE channel = 'sms' OR a.participant_id / 6 % 4 = 1"""

TABLES = ("participant", "address", "contact_point", "subscription")


async def populate(connection: asyncpg.Connection, people: int, minute: int) -> None:
    """Writes so many participants into an empty register, at this minute of the local day. Indexes that no constraint
    needs are made at the end."""
    given = {
        "people": people,
        "city_x": CITY_X,
        "city_y": CITY_Y,
        "city_m": CITY_M,
        "quiet_from": (minute - 60) % 1440,
        "quiet_until": (minute - 120) % 1440,
    }
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'register' AND indexname LIKE 'ix_%'"
    )
    for row in indexes:
        await connection.execute(f"DROP INDEX register.{row['indexname']}")
    for statement in (PARTICIPANTS, ADDRESSES, CONTACT_POINTS, SUBSCRIPTIONS):
        await connection.execute(statement.format(**given))
    for row in indexes:
        await connection.execute(row["indexdef"])
    for table in TABLES:
        await connection.execute(f"VACUUM ANALYZE register.{table}")
