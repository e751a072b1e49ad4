"""What somebody would write by hand who knows the tables: one statement for an audience, with the same result."""

from __future__ import annotations

# $1 message, $2 x, $3 y, $4 radius or null for everywhere, $5 bit of the kind, $6 minute of the local day, $7 now.
# Whoever sleeps now does so past the deadline: population.SUBSCRIPTIONS.
AUDIENCE = """
SELECT $1::int AS message_id, s.contact_point_id, s.channel,
       min(CASE WHEN p.language IN ('nl', 'en') THEN p.language ELSE 'nl' END) AS language,
       min(round(sqrt((a.x - $2) ^ 2 + (a.y - $3) ^ 2)))::int AS distance, 'pending' AS state,
       $7::timestamptz AS due_at, $7::timestamptz AS created_at, $7::timestamptz AS changed_at, 1 AS ring
FROM register.address a
JOIN register.subscription s ON s.address_id = a.id
JOIN register.participant p ON p.id = a.participant_id
JOIN register.contact_point c ON c.id = s.contact_point_id
WHERE {where}
  AND s.kinds & $5::int <> 0
  AND (s.quiet_from = s.quiet_until OR s.wakes & $5::int <> 0
       OR ($6::int - s.quiet_from + 1440) % 1440 >= (s.quiet_until - s.quiet_from + 1440) % 1440)
  AND NOT p.exercise AND p.signed_off_at IS NULL AND c.opted_out_at IS NULL AND c.unreachable_since IS NULL
  AND NOT EXISTS (SELECT 1 FROM desk.withdrawal w WHERE w.contact_point_id = s.contact_point_id
                  AND w.action_id = (SELECT action_id FROM desk.message WHERE id = $1))
GROUP BY s.contact_point_id, s.channel"""

IN_A_CIRCLE = "a.cell = ANY($8::int[]) AND (a.x - $2) ^ 2 + (a.y - $3) ^ 2 <= $4::float ^ 2"
EVERYWHERE = "$4::float IS NULL"

COLUMNS = "message_id, contact_point_id, channel, language, distance, state, due_at, created_at, changed_at, ring"

# Everybody for whom an attempt at message $2 began hears message $1.
RESULT = f"""
INSERT INTO desk.delivery ({COLUMNS})
SELECT $1::int, d.contact_point_id, d.channel, min(d.language), min(d.distance), 'pending',
       $3::timestamptz, $3::timestamptz, $3::timestamptz, min(d.ring)
FROM desk.delivery d
JOIN register.subscription s ON s.contact_point_id = d.contact_point_id AND s.channel = d.channel
JOIN register.address a ON a.id = s.address_id
JOIN register.participant p ON p.id = a.participant_id
JOIN register.contact_point c ON c.id = d.contact_point_id
WHERE d.message_id = $2::int AND d.state NOT IN ('pending', 'cancelled')
  AND NOT p.exercise AND p.signed_off_at IS NULL AND c.opted_out_at IS NULL AND c.unreachable_since IS NULL
GROUP BY d.contact_point_id, d.channel"""
