"""Refusals, as application/problem+json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from aiohttp import web

from web.api.answers import FaultOut, ProblemOut

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """A refusal: `detail` tells what to do; `faults` are all that is wrong with the request."""

    def __init__(
        self,
        status: int,
        detail: str,
        faults: Iterable[FaultOut] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.faults, self.headers = status, detail, list(faults), dict(headers or {})


def refusal(problem: Problem) -> web.Response:
    body = ProblemOut(
        type="about:blank",
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        errors=problem.faults,
    )
    return web.Response(
        status=problem.status,
        text=body.model_dump_json(by_alias=True),
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


def fault(where: str, detail: str, pointer: str | None = None) -> FaultOut:
    return FaultOut.model_validate({"in": where, "pointer": pointer, "detail": detail})
