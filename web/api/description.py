"""The OpenAPI document, written from the endpoints and their shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from web.access.tokens import Scope
from web.api.answers import ProblemOut
from web.api.endpoint import Endpoint, Jpeg
from web.api.problem import CONTENT_TYPE
from web.api.shapes import EventsQuery

VERSION = "1.0.0"
DOCUMENT = "/openapi.json"
EVENTS = "/events"
JPEG = "image/jpeg"
REF = "#/components/schemas/{model}"
ANYWHERE = {
    400: "The request has faults: all of them are in `errors`",
    401: "No valid token",
    403: "The token may not do this, or not in this room",
    429: "Too many requests; `Retry-After` says how long to wait",
    503: "The database does not answer; `Retry-After` says how long to wait",
}
WITH_BODY = {
    408: "The body did not arrive in time",
    413: "The body is too large",
    415: "The body is not application/json",
}
_TEXT = {"schema": {"type": "string"}}
HEADERS: Mapping[int, Mapping[str, Any]] = {
    201: {"Location": _TEXT},
    401: {"WWW-Authenticate": _TEXT},
    429: {"Retry-After": _TEXT},
    503: {"Retry-After": _TEXT},
}


def described(endpoints: Sequence[Endpoint], server: str) -> str:
    """The document as JSON. `server`: the public address of the API, with its version."""
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    paths[DOCUMENT] = {"get": _own_operation()}
    paths[EVENTS] = {"get": _stream_operation()}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Burgernet",
            "version": VERSION,
            "description": "Actions, their reach, control rooms with their waiting lines, calls and tips.",
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": _schemas(endpoints),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    return json.dumps(document, ensure_ascii=False)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": to_camel(endpoint.work.__name__),
        "summary": endpoint.summary,
        "tags": [endpoint.path.split("/")[1]],
        "security": [{"token": [str(endpoint.scope)]}],
        "responses": _responses(endpoint),
    }
    if parameters := [
        *_parameters("path", endpoint.takes.get("path")),
        *_parameters("query", endpoint.takes.get("query")),
    ]:
        operation["parameters"] = parameters
    if body := endpoint.takes.get("body"):
        operation["requestBody"] = {"required": True, "content": _content("application/json", body)}
    return operation


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    refusals = {**ANYWHERE, **(WITH_BODY if "body" in endpoint.takes else {}), **endpoint.refuses}
    answers = {status: _response(status, said, endpoint.answer) for status, said in endpoint.gives.items()}
    answers |= {status: _response(status, said, ProblemOut) for status, said in refusals.items()}
    return {str(status): answers[status] for status in sorted(answers)}


def _response(status: int, said: str, shape: type[BaseModel]) -> dict[str, Any]:
    kind = JPEG if shape is Jpeg else CONTENT_TYPE if shape is ProblemOut else "application/json"
    return {
        "description": said,
        "headers": {"API-Version": {"required": True, **_TEXT}, **HEADERS.get(status, {})},
        "content": _content(kind, shape),
    }


def _content(kind: str, shape: type[BaseModel]) -> dict[str, Any]:
    return {kind: {"schema": {"$ref": REF.format(model=shape.__name__)}} if shape is not Jpeg else {}}


def _parameters(where: str, shape: type[BaseModel] | None) -> list[dict[str, Any]]:
    if shape is None:
        return []
    schema = shape.model_json_schema(ref_template=REF)
    return [
        {
            "name": name,
            "in": where,
            "required": name in schema.get("required", ()),
            "schema": _without_null(one),
            **({"description": one["description"]} if "description" in one else {}),
        }
        for name, one in schema["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is left out is not null: there is no way to write null in an address."""
    kept = {name: value for name, value in schema.items() if name not in ("default", "description", "title", "anyOf")}
    for one in schema.get("anyOf", ()):
        kept |= one if one != {"type": "null"} else {}
    return kept | ({"default": schema["default"]} if schema.get("default") is not None else {})


def _own_operation() -> dict[str, Any]:
    return {
        "operationId": "getDescription",
        "summary": "This document",
        "tags": ["openapi"],
        "security": [],
        "responses": {
            "200": {
                "description": "OpenAPI 3.1",
                "headers": {"API-Version": {"required": True, **_TEXT}, "Access-Control-Allow-Origin": _TEXT},
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "429": _response(429, ANYWHERE[429], ProblemOut),
        },
    }


def _stream_operation() -> dict[str, Any]:
    """The one operation that answers for as long as somebody listens."""
    told = (
        "Server-Sent Events, each a CloudEvent 1.0 (NL GOV profile): what happens to actions, rooms, operators and "
        "tips, and how far the wave of each open action is (nl.burgernet.action.progress, without an id). Begins after "
        "`Last-Event-ID`. nl.burgernet.events.skipped: what came after that event is not kept any more, read "
        "everything anew. A comment comes every 15 s; who reads too slowly is cut and comes back."
    )
    last_event = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "integer"}}
    refusals = {status: _response(status, said, ProblemOut) for status, said in ANYWHERE.items()}
    return {
        "operationId": "watchEvents",
        "summary": "What happens, as it happens",
        "tags": ["events"],
        "security": [{"token": [str(Scope.EVENTS_READ)]}],
        "parameters": [*_parameters("query", EventsQuery), last_event],
        "responses": {
            "200": {
                "description": told,
                "headers": {"API-Version": {"required": True, **_TEXT}},
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **{str(status): refusals[status] for status in sorted(refusals)},
        },
    }


def _schemas(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    shapes: dict[type[BaseModel], JsonSchemaMode] = {ProblemOut: "serialization"}
    for endpoint in endpoints:
        shapes |= dict.fromkeys(endpoint.takes.values(), "validation")
        if endpoint.answer is not Jpeg:
            shapes[endpoint.answer] = "serialization"
    _, schemas = models_json_schema(list(shapes.items()), ref_template=REF)
    # Parameters are described one by one; what they refer to stays.
    as_parameters = {shape.__name__ for one in endpoints for where, shape in one.takes.items() if where != "body"}
    return {name: schema for name, schema in schemas["$defs"].items() if name not in as_parameters}
