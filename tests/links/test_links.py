"""One link, one photo or place, once, within a quarter of an hour: whatever comes by it, and whoever tries it."""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from actions.desk import Refused
from actions.geography import to_rd
from actions.links import Purpose, link_id_of
from actions.models import AddressPlace, DeliveryState, InboundText, OneTimeLink, PostcodePlace, Sighting
from actions.photos import LARGEST, LONGEST_SIDE, MOST_PIXELS, NoPhoto, made_safe
from actions.tips import Tips
from alerting.inbound.reception import Incoming
from tests.inbound.line import ANNA, BERT, ME
from tests.links.conftest import Links, photo, worker
from tests.store.rows import all_of, audited, told
from web.links import serving
from web.links.words import WORDS


async def test_a_photo_comes_by_a_link_without_what_the_camera_wrote_and_is_listed_sealed(links: Links) -> None:
    action = await links.line.action()
    address = await links.sent(ANNA, action.code)
    for _ in range(2):  # telephones look at links by themselves: that uses none up
        page = await links.looks(address)
        assert (page.status, 'lang="nl"' in page.text, 'type="file"' in page.text) == (200, True, True)
    given = photo()
    assert (await links.posts_photo(address, given)).status == 200

    tips = Tips(links.line.store, links.line.vaults.police)
    (tip,) = await tips.of_action(action.code, ME)
    assert (tip.source, tip.said, tip.how, tip.room_id) == ("photo", "a photo", "link", action.room_id)
    (photo_id,) = tip.photos
    kept = await tips.photo(photo_id, ME)
    picture = Image.open(BytesIO(kept))
    assert (picture.format, picture.size) == ("JPEG", (300, 400))  # upright
    assert not picture.getexif()
    assert b"Anna" in given
    assert b"Anna" not in kept
    assert "photo" in [what for _, _, verb, what, _ in await audited(links.line.store) if verb == "consult"]
    assert "tip.received" in await told(links.line.store)
    with pytest.raises(Refused, match="there is no photo"):
        await tips.photo(photo_id, ME, room_id="limburg")


async def test_used_expired_and_unknown_links_look_alike_and_say_112_first(links: Links) -> None:
    action = await links.line.action()
    used, expired = await links.sent(ANNA, action.code), await links.sent(BERT, action.code)
    assert (await links.posts_photo(used, photo())).status == 200
    links.line.clock.runs(minutes=14)
    assert (await links.looks(expired)).status == 200
    links.line.clock.runs(minutes=2)
    unknown = f"{links.url}/{'x' * 28}"
    pages = [await links.looks(address) for address in (used, expired, unknown, f"{links.url}/short")]
    posted = [await links.posts_photo(address, photo()) for address in (used, expired, unknown)]
    assert {page.status for page in (*pages, *posted)} == {404}
    assert len({page.text for page in (*pages, *posted)}) == 1
    assert pages[0].text.index("112") < pages[0].text.index(WORDS["nl"].gone_title, pages[0].text.index("<h1>"))
    english = await links.looks(unknown, **{"Accept-Language": "en-GB"})
    assert WORDS["en"].gone_title in english.text
    assert len(await links.line.tip_rows()) == 1


async def test_of_two_who_send_at_once_by_one_link_one_is_taken(links: Links) -> None:
    action = await links.line.action()
    address = await links.sent(ANNA, action.code)
    answers = await asyncio.gather(*(links.posts_photo(address, photo()) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 404, 404]
    assert len(await links.line.tip_rows()) == 1


def bomb() -> bytes:
    """A few bytes that say they are a picture of 900 million pixels."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        pytest.param(b"", 400, WORDS["nl"].no_photo, id="nothing chosen"),
        pytest.param(b"<script>alert(1)</script>", 400, WORDS["nl"].no_photo, id="no picture"),
        pytest.param(photo()[:300], 400, WORDS["nl"].no_photo, id="cut off"),
        pytest.param(bomb(), 400, WORDS["nl"].no_photo, id="a bomb"),
        pytest.param(b"GIF89a" + b"\0" * 20, 400, WORDS["nl"].no_photo, id="a GIF"),
    ],
)
async def test_what_is_no_photo_is_told_and_the_link_goes_on_working(
    links: Links, content: bytes, status: int, said: str
) -> None:
    action = await links.line.action()
    address = await links.sent(ANNA, action.code)
    refused = await links.posts_photo(address, content)
    assert (refused.status, said in refused.text) == (status, True)
    assert await links.line.tip_rows() == []
    assert (await links.posts_photo(address, photo())).status == 200


async def test_a_photo_that_is_too_large_is_told_and_the_link_goes_on_working(links: Links) -> None:
    action = await links.line.action()
    address = await links.sent(ANNA, action.code)
    refused = await links.posts_photo(address, b"\xff\xd8" + bytes(LARGEST))
    said = WORDS["nl"].too_large in refused.text
    assert (refused.status, said) == (413, True)
    assert (await links.posts_photo(address, photo())).status == 200


async def test_a_position_becomes_an_unconfirmed_sighting_that_names_nobody(links: Links) -> None:
    action = await links.line.action()
    address = await links.sent(ANNA, action.code, Purpose.PLACE)
    answer = await links.posts_place(address, lat=51.92, lon=4.48, accuracy=11.2, words="bij de brug", minutes=15)
    assert answer.status == 200
    (tip,) = await links.line.tips(action)
    assert (tip.source, tip.said) == ("place", "51.92000, 4.48000 (within 12 m), 15 minutes before. bij de brug")
    (sighting,) = await all_of(links.line.store, Sighting)
    x, y = to_rd(51.92, 4.48)
    assert (round(sighting.x), round(sighting.y), sighting.accuracy) == (round(x), round(y), 12)
    assert (sighting.tip_id, sighting.confirmed_at) == (tip.id, None)
    assert 14 * 60 < (sighting.received_at - sighting.seen_at).total_seconds() < 16 * 60
    assert not {"participant_id", "contact_point_id"} & set(Sighting.model_fields)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("3011 ab 12a", (93_000.0, 437_000.0, 50)),
        ("Hoek van 3011AB nummer 99", (92_000.0, 436_000.0, 1500)),
        ("De Dam in Amsterdam", None),
    ],
)
async def test_a_place_in_words_is_put_on_the_map_where_that_can_be_done(
    links: Links, words: str, place: tuple[float, float, int] | None
) -> None:
    async with links.line.store.writing() as session:
        session.add(AddressPlace(postcode="3011AB", number="12 A", x=93_000, y=437_000))
        session.add(PostcodePlace(postcode="3011", x=92_000, y=436_000))
    action = await links.line.action()
    address = await links.sent(ANNA, action.code, Purpose.PLACE)
    assert (await links.posts_place(address, words=words, minutes="no number")).status == 200
    assert [tip.said for tip in await links.line.tips(action)] == [words]
    sightings = await all_of(links.line.store, Sighting)
    assert [(one.x, one.y, one.accuracy) for one in sightings] == ([place] if place else [])


@pytest.mark.parametrize(
    "fields",
    [{}, {"words": " \u202e. "}, {"lat": "nan", "lon": 4, "accuracy": 1}, {"lat": 91, "lon": 4, "accuracy": 1}],
)
async def test_without_any_place_it_is_asked_for_again(links: Links, fields: dict[str, object]) -> None:
    action = await links.line.action()
    address = await links.sent(ANNA, action.code, Purpose.PLACE, "en")
    page = await links.posts_place(address, **fields)
    assert (page.status, WORDS["en"].no_place in page.text, 'role="alert"' in page.text) == (400, True, True)
    assert (await links.looks(address)).status == 200


async def test_the_secret_stands_nowhere_and_yet_a_killed_worker_loses_no_link(links: Links) -> None:
    action = await links.line.action()
    await links.texts.for_action(action.code, ANNA, Purpose.PHOTO, "nl", ME)
    dying = worker(links.line, links.url)
    (claimed,) = await dying._claim(DeliveryState.PENDING)
    address = links.address_in(claimed.body or "")
    secret = address.rpartition("/")[2]
    rows = [*await all_of(links.line.store, InboundText), *await all_of(links.line.store, OneTimeLink)]
    assert len(secret) == 28
    assert secret not in repr([row.model_dump() for row in rows])
    assert await links.line.answered(ANNA) == []
    links.line.clock.runs(seconds=31)
    await links.line.works()
    links.line.clock.runs(seconds=6)
    assert [links.address_in(text) for text in await links.line.answered(ANNA)] == [address]


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("010 7654321", "mobile"),
        ("anonymous", "mobile"),
        ("", "mobile"),
        ("0900 8844", "mobile"),
        ("+4915112345678", "ranges"),
    ],
)
async def test_a_link_goes_to_mobiles_in_the_allowed_ranges_alone(links: Links, number: str, why: str) -> None:
    action = await links.line.action()
    with pytest.raises(Refused, match=why) as refused:
        await links.texts.for_action(action.code, number, Purpose.PHOTO, "nl", ME)
    assert not number or number[-6:] not in str(refused.value)
    assert await all_of(links.line.store, InboundText) == []


async def test_nobody_is_sent_link_after_link(links: Links) -> None:
    action = await links.line.action()
    await links.texts.for_action(action.code, ANNA, Purpose.PHOTO, "nl", ME)
    with pytest.raises(Refused, match="wait a few minutes"):
        await links.texts.for_action(action.code, ANNA, Purpose.PHOTO, "nl", ME)
    await links.texts.for_action(action.code, ANNA, Purpose.PLACE, "nl", ME)
    assert len(await all_of(links.line.store, OneTimeLink)) == 2


async def test_the_answer_to_a_tip_may_hold_a_link_for_its_photo(links: Links) -> None:
    action = await links.line.action()
    await links.line.alerted(ANNA, action)
    reception = links.line.reception()
    reception._invites = Purpose.PHOTO
    assert await reception.take(Incoming("SM1", ANNA, "+3197010200000", "Hij staat bij de brug"))
    (answer,) = await links.line.answered(ANNA)
    assert action.code in answer
    assert (await links.posts_photo(links.address_in(answer), photo())).status == 200
    assert [tip.source for tip in await links.line.tips(action)] == ["photo", "text"]
    assert [link.id for link in await all_of(links.line.store, OneTimeLink)] == [link_id_of("SM1")]


async def test_pages_are_closed_to_everything_but_themselves(links: Links, monkeypatch: pytest.MonkeyPatch) -> None:
    action = await links.line.action()
    page = await links.looks(await links.sent(ANNA, action.code, Purpose.PLACE))
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src)|<style|\bon\w+=|style=", page.text)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    for file in re.findall(r'(?:src|href)="(/t/[a-z.]+)"', page.text):
        assert (await links.looks(links.url.removesuffix("/t") + file)).status == 200
    monkeypatch.setattr(serving, "MOST_A_MINUTE", 0)
    busy = await links.looks(f"{links.url}/{'x' * 28}")
    assert (busy.status, "112" in busy.text, int(busy.headers["Retry-After"]) > 0) == (429, True, True)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large_photos_become_small_ones(kind: str) -> None:
    picture = Image.open(BytesIO(made_safe(photo(5000, 1000, kind))))
    assert (picture.format, max(picture.size)) == ("JPEG", LONGEST_SIDE)


def test_what_is_clear_becomes_white() -> None:
    out = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(out, "PNG")
    assert Image.open(BytesIO(made_safe(out.getvalue()))).getpixel((4, 4)) == (255, 255, 255)


def test_a_picture_that_only_says_it_is_huge_is_not_unpacked() -> None:
    assert MOST_PIXELS < 30_000**2
    with pytest.raises(NoPhoto):
        made_safe(bomb())
