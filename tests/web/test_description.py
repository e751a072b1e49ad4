"""The OpenAPI document: open to everybody, and true."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from burgernet.web_role import ENDPOINTS
from tests.web.asking import Asking, Site
from web.api.description import described

DOCUMENT: dict[str, Any] = json.loads(described(ENDPOINTS, "https://burgernet.example/v1"))
OPERATIONS = [
    (path, method, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


async def test_the_document_is_open_to_every_site_and_needs_no_token(site: Site) -> None:
    answer = await site.asking(None).get("/v1/openapi.json")
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert (answer.body["openapi"], answer.body["servers"]) == ("3.1.0", [{"url": f"{site.url}/v1"}])


async def test_no_other_answer_is_open_to_every_site(everywhere: Asking) -> None:
    assert "Access-Control-Allow-Origin" not in (await everywhere.get("/v1/actions")).headers


def test_every_endpoint_is_described_and_nothing_else_but_the_document_itself() -> None:
    served = {(endpoint.path, endpoint.method.lower()) for endpoint in ENDPOINTS}
    assert {(path, method) for path, method, _ in OPERATIONS} == served | {("/openapi.json", "get"), ("/events", "get")}


def test_paths_are_plural_nouns_in_kebab_case_and_keys_are_in_camel_case() -> None:
    for path in DOCUMENT["paths"]:
        assert re.fullmatch(r"(/([a-z]+(-[a-z]+)*|\{id\}))+", path.removesuffix(".json")), path
    assert {path.split("/")[1] for path in DOCUMENT["paths"]} == {
        "action-previews",
        "actions",
        "alarms",
        "calls",
        "events",
        "incidents",
        "message-checks",
        "openapi.json",
        "operators",
        "photos",
        "regions",
        "rooms",
        "spending",
        "statistics",
        "tips",
    }
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for key in schema.get("properties", ()):
            assert re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", key), (name, key)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_answer_has_a_body_described_and_the_version_of_the_api(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    for status, response in operation["responses"].items():
        (kind,) = response["content"]
        good = {"/events": "text/event-stream", "/photos/{id}": "image/jpeg"}.get(path, "application/json")
        assert kind == (good if int(status) < 400 else "application/problem+json")
        assert response["headers"]["API-Version"]["required"]


def test_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert references == set(schemas)


def test_no_operation_has_the_name_of_another() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_what_is_asked_for_by_address_is_never_about_a_person() -> None:
    parameters = {one["name"] for _, _, operation in OPERATIONS for one in operation.get("parameters", ())}
    assert parameters == {
        "id",
        "room",
        "status",
        "limit",
        "before",
        "after",
        "day",
        "action",
        "Last-Event-ID",
        "month",
        "months",
    }
