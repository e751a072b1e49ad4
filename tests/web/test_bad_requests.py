"""Requests that nobody should send: each is refused with all its faults, and changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import select

from actions.geography import MOST_POINTS
from actions.models import Action
from burgernet.base import Base
from tests.web.asking import ACTION, CIRCLE, WORDS, Asking
from web.server import LARGEST_BODY

GOLF = WORDS["nl"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is refused here never comes to a database; test_schemathesis asks the same of both kinds."""
    return sqlite_url


def with_words(**changes: object) -> dict[str, Any]:
    return ACTION | {"words": {"nl": GOLF | changes}}


async def nothing_was_made(base: Base) -> bool:
    async with base.store.reading() as session:
        return list(await session.exec(select(Action))) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param([], "body #: Input should be an object", id="a list"),
        pytest.param("text", "body #: Input should be an object", id="a string"),
        pytest.param(None, "body #: Input should be an object", id="null"),
        pytest.param(ACTION | {"kind": "theft"}, "body #/kind: Input should be 'look_out'", id="unknown kind"),
        pytest.param(ACTION | {"kind": 5}, "body #/kind: Input should be", id="a number as kind"),
        pytest.param(ACTION | {"extra": 1}, "body #/extra: Extra inputs are not permitted", id="unknown field"),
        pytest.param(ACTION | {"start": "true"}, "body #/start: Input should be a valid boolean", id="text as yes"),
        pytest.param(ACTION | {"region": "Rotterdam"}, "body #/region: String should match", id="a name in capitals"),
        pytest.param(ACTION | {"region": "utrecht"}, "body None: region 'utrecht' is not known", id="unknown region"),
        pytest.param(ACTION | {"room": "utrecht"}, "body None: control room 'utrecht' is not", id="unknown room"),
        pytest.param(ACTION | {"operator": "nobody"}, "body None: operator 'nobody' is", id="unknown operator"),
        pytest.param(ACTION | {"why": "a\u0000b"}, "body #/why: String should match", id="zero byte in the reason"),
        pytest.param(ACTION | {"why": "x" * 201}, "body #/why: String should have at most 200", id="a long reason"),
        pytest.param(ACTION | {"incident": "06 12"}, "body #/incident: String should match", id="blank in a number"),
        pytest.param(ACTION | {"words": {}}, "body #/words/nl: Field required", id="no Dutch"),
        pytest.param(ACTION | {"words": {"nl": None}}, "body #/words/nl: Input should be an object", id="Dutch null"),
        pytest.param(
            ACTION | {"words": WORDS | {"fr": GOLF}}, "body #/words/fr: Extra inputs are not permitted", id="French"
        ),
        pytest.param(with_words(title=""), "body #/words/nl/title: the title is empty", id="no title"),
        pytest.param(with_words(text=" \u200b\n"), "body #/words/nl/text: the text is empty", id="an invisible text"),
        pytest.param(
            with_words(text="x" * 1001), "body #/words/nl/text: the text has 1001 characters", id="a text too long"
        ),
        pytest.param(
            with_words(text="a\u0000b"), "body #/words/nl/text: the text holds a control", id="zero byte in a text"
        ),
        pytest.param(
            with_words(title="\u202e72-KL"), "body #/words/nl/title: the title holds a control", id="turned letters"
        ),
        pytest.param(ACTION | {"area": None}, "body #: say where, once", id="no area"),
        pytest.param(ACTION | {"area": {}}, "body #/area: Unable to extract tag", id="an area of no type"),
        pytest.param(ACTION | {"area": {"type": "Point"}}, "body #/area: Input tag 'Point'", id="a point"),
        pytest.param(
            ACTION | {"area": CIRCLE | {"radius": "2000"}}, "body #/area/circle/radius: Input should be a valid number",
            id="text as radius",
        ),
        pytest.param(
            ACTION | {"area": CIRCLE | {"lat": 4.4792, "lon": 51.9225}}, "body #/area: the middle of the circle lies",
            id="swapped",
        ),
        pytest.param(
            ACTION | {"area": {"type": "Polygon", "coordinates": [[[4.4, 51.9], [4.5, 51.9], [4.5, 52], [4.4, 52]]]}},
            "body #/area: the ring is open",
            id="an open ring",
        ),
    ],
)  # fmt: skip
async def test_a_bad_body_is_refused_with_its_fault(everywhere: Asking, base: Base, body: object, fault: str) -> None:
    answer = await everywhere.post("/v1/actions", body)
    assert answer.status == 400
    assert [one for one in answer.faults if one.startswith(fault)], answer.faults
    assert answer.body["title"] == "Bad Request"
    assert await nothing_was_made(base)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        pytest.param(b"", "the body is not JSON", id="nothing"),
        pytest.param(b"{", "the body is not JSON", id="broken off"),
        pytest.param(b"\xff\xfe{\x00}\x00", "the body is not UTF-8", id="UTF-16"),
        pytest.param(b'{"kind": "\xc3("}', "the body is not UTF-8", id="broken UTF-8"),
        pytest.param(b"[" * 100_000, "the body is nested too deeply", id="a hundred thousand lists"),
        pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "the body is nested too deeply", id="deep objects"),
        pytest.param(b'{"kind": NaN}', "NaN is not JSON", id="NaN"),
        pytest.param(b'{"kind": -Infinity}', "-Infinity is not JSON", id="infinity"),
        pytest.param(b'{"kind": 1, "kind": 2}', "the body has a key twice", id="a key twice"),
        pytest.param(b'{"kind": {"a": 1, "a": 1}}', "the body has a key twice", id="a key twice, deep down"),
        pytest.param(b'{"kind": ' + b"9" * 5000 + b"}", "the body is not JSON", id="a number of 5,000 digits"),
        pytest.param(b'{"kind": "\\ud800"}', "body", id="half a character"),
        pytest.param(b'{"\\ud800": 1}', "body", id="half a character as key"),
        pytest.param(b'{"area": {"type": "circle", "lat": 1e999}}', "body #/area/circle/lat", id="too large a number"),
    ],
)
async def test_what_is_no_clear_json_is_refused(everywhere: Asking, base: Base, raw: bytes, fault: str) -> None:
    answer = await everywhere.sends("/v1/actions", raw)
    assert answer.status == 400
    assert any(fault in one for one in answer.faults), answer.faults
    assert await nothing_was_made(base)


async def test_all_faults_of_path_query_and_body_are_told_at_once(everywhere: Asking) -> None:
    words = {"nl": {"title": "", "text": "x" * 2000}, "en": {"title": "\u0007", "text": ""}}
    body = ACTION | {"kind": "theft", "area": CIRCLE | {"lat": 0, "radius": 5}, "words": words, "start": 1}
    answer = await everywhere.post("/v1/actions", body)
    assert sorted(one.partition(": ")[0] for one in answer.faults) == [
        "body #/area",
        "body #/kind",
        "body #/start",
        "body #/words/en/text",
        "body #/words/en/title",
        "body #/words/en/title",
        "body #/words/nl/text",
        "body #/words/nl/title",
    ]
    answer = await everywhere.get("/v1/actions/x/calls", limit=0, after="y", more=1)
    assert sorted(one.partition(": ")[0] for one in answer.faults) == [
        "path #/id",
        "query #/after",
        "query #/limit",
        "query #/more",
    ]


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/v1/actions?limit=0", "query #/limit: Input should be greater than or equal to 1"),
        ("/v1/actions?limit=201", "query #/limit: Input should be less than or equal to 200"),
        ("/v1/actions?limit=1.0", "query #/limit: must be a whole number"),
        ("/v1/actions?limit=%D9%A1", "query #/limit: must be a whole number"),
        ("/v1/actions?limit=5&limit=6", "query #/limit: is given twice"),
        ("/v1/actions?before=99999999999999999999", "query #/before: must be a whole number"),
        ("/v1/actions?before=9999999999", "query #/before: Input should be less than"),
        ("/v1/actions?status=closed", "query #/status: Input should be 'draft', 'open' or 'ended'"),
        ("/v1/actions?room=Rotterdam", "query #/room: String should match"),
        ("/v1/actions?number=0612345678", "query #/number: Extra inputs are not permitted"),
        ("/v1/actions/0", "path #/id: Input should be greater than or equal to 1"),
        ("/v1/actions/-1", "path #/id: must be a whole number"),
        ("/v1/actions/1%00", "path #/id: must be a whole number"),
        ("/v1/actions/2147483648", "path #/id: Input should be less than or equal to 2147483647"),
        ("/v1/rooms/%2e%2e%2fetc", "path #/id: String should match"),
        ("/v1/calls?after=1_%27%3B", "query #/after: String should match"),
        ("/v1/calls?after=99999999999999999_a", "query #/after: String should match"),
    ],
)
async def test_a_bad_address_is_refused_with_its_fault(everywhere: Asking, path: str, fault: str) -> None:
    answer = await everywhere.get(path)
    assert answer.status == 400
    assert [one for one in answer.faults if one.startswith(fault)], answer.faults


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"])
async def test_a_body_that_is_not_said_to_be_json_is_not_read(everywhere: Asking, kind: str) -> None:
    assert (await everywhere.sends("/v1/actions", json.dumps(ACTION).encode(), kind)).status == 415


async def test_a_body_that_is_too_large_is_refused(everywhere: Asking) -> None:
    assert (await everywhere.sends("/v1/actions", b'"' + b"x" * LARGEST_BODY + b'"')).status == 413


async def test_an_area_with_as_many_points_as_fit_becomes_an_action(everywhere: Asking) -> None:
    """A comb along the coast: ten thousand points, rounded as a map tool would."""
    top = [[round(4.2 + place * 0.00004, 5), round(52.0 + (place % 2) * 0.01, 5)] for place in range(MOST_POINTS - 3)]
    ring = [*top, [top[-1][0], 51.9], [top[0][0], 51.9], top[0]]
    answer = await everywhere.post("/v1/actions", ACTION | {"area": {"type": "Polygon", "coordinates": [ring]}})
    assert answer.status == 201, answer.body


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/actions", {"GET", "HEAD", "POST"}),
        ("PUT", "/v1/actions/1", {"GET", "HEAD"}),
        ("GET", "/v1/actions/1/alerts", {"POST"}),
        ("POST", "/v1/rooms", {"GET", "HEAD"}),
        ("POST", "/v1/openapi.json", {"GET", "HEAD"}),
        ("TRACE", "/v1/incidents", {"POST"}),
    ],
)
async def test_another_method_is_refused_with_those_that_are_allowed(
    everywhere: Asking, method: str, path: str, allow: set[str]
) -> None:
    answer = await everywhere.ask(method, path)
    assert answer.status == 405
    assert {one.strip() for one in answer.headers["Allow"].split(",")} == allow


@pytest.mark.parametrize("path", ["/v1/", "/v1/actions/", "/v1/actions//", "/v1/nothing", "/v1/actions/1/nothing"])
async def test_an_address_that_does_not_exist_is_a_404_with_or_without_a_token(everywhere: Asking, path: str) -> None:
    for asking in (everywhere, everywhere.site.asking(None)):
        assert (await asking.get(path)).status == 404
