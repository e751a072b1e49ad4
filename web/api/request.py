"""Reading a request: strict JSON and parameters, every fault at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from web.api.answers import FaultOut
from web.api.problem import Problem, fault

READ_S = 10.0
# What takes longer to check than this many bytes is checked off the event loop: calls go on meanwhile.
LARGE = 4096


async def read(request: web.Request, shapes: Mapping[str, type[BaseModel]]) -> dict[str, BaseModel]:
    """The path, query and body that an endpoint asks for. Raises Problem with the faults of all of them."""
    raw = await _body(request) if "body" in shapes else b""
    found: dict[str, BaseModel] = {}
    faults: list[FaultOut] = []
    for where, shape in shapes.items():
        try:
            match where:
                case "path":
                    found[where] = shape.model_validate(dict(request.match_info))
                case "query":
                    found[where] = shape.model_validate(_once_each(request))
                case _:
                    found[where] = await _checked_body(shape, raw)
        except ValidationError as bad:
            faults += _faults(where, bad)
        except NotJson as bad:
            faults.append(fault("body", str(bad), "#"))
        except Problem as bad:
            faults += bad.faults
    if faults:
        raise Problem(400, "the request has faults: see `errors`", faults)
    return found


class NotJson(ValueError):
    """A body that is not one JSON value as everybody reads it."""


def strict_json(raw: bytes) -> None:
    """Raises NotJson: for what is no JSON, and for what two readers could read in two ways (a key twice, NaN)."""
    try:
        json.loads(raw.decode(), object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except NotJson:
        raise
    except UnicodeDecodeError:
        raise NotJson("the body is not UTF-8") from None
    except RecursionError:
        raise NotJson("the body is nested too deeply") from None
    except ValueError as bad:
        raise NotJson(f"the body is not JSON: {bad}") from None


def _no_doubles(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise NotJson("the body has a key twice")


def _no_constant(name: str) -> None:
    raise NotJson(f"{name} is not JSON")


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json":
        raise Problem(415, "send the body as application/json")
    try:
        async with asyncio.timeout(READ_S):
            return await request.read()
    except TimeoutError:
        raise Problem(408, f"the body did not arrive within {READ_S:.0f} s") from None


async def _checked_body(shape: type[BaseModel], raw: bytes) -> BaseModel:
    def check() -> BaseModel:
        strict_json(raw)
        return shape.model_validate_json(raw, strict=True)

    return await asyncio.to_thread(check) if len(raw) > LARGE else check()


def _once_each(request: web.Request) -> dict[str, str]:
    twice = sorted({name for name in request.query if len(request.query.getall(name)) > 1})
    if twice:
        raise Problem(400, "", [fault("query", "is given twice", f"#/{name}") for name in twice])
    return dict(request.query)


def _faults(where: str, bad: ValidationError) -> Iterator[FaultOut]:
    for error in bad.errors(include_url=False, include_input=False):
        pointer = "#" + "".join(f"/{_escaped(part)}" for part in error["loc"])
        raised = error.get("ctx", {}).get("error")
        for said in getattr(raised, "faults", [str(raised) if isinstance(raised, ValueError) else error["msg"]]):
            yield fault(where, said, pointer)


def _escaped(part: str | int) -> str:
    """A part of a JSON pointer; what a stranger put there is cut short."""
    return str(part)[:80].replace("~", "~0").replace("/", "~1")
