"""Schemathesis reads the document we serve and asks everything it allows, and much that it does not."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlmodel import select

from actions.models import Audit
from burgernet.web_role import ENDPOINTS
from tests.web.asking import ACTION, Site

EXAMPLES = os.environ.get("EXAMPLES", "10")
BOUND_S = 10.0 * int(EXAMPLES) + 60
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "ensure_resource_availability",
)


@pytest.mark.timeout(BOUND_S + 30)
async def test_no_request_leads_to_a_5xx_or_to_an_answer_that_is_not_documented(
    site: Site, token: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    secret = await token()
    # The one that the examples in the document are about.
    assert (await site.asking(secret).post("/v1/actions", ACTION)).body["id"] == 1
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{site.url}/v1/openapi.json",
        f"--origin={site.url}",
        f"--header=Authorization: Bearer {secret}",
        f"--checks={','.join(CHECKS)}",
        f"--max-examples={EXAMPLES}",
        "--continue-on-failure",
        "--exclude-path=/events",  # answers for as long as somebody listens
        "--generation-database=none",
        "--warnings=off",
    ]
    run = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(BOUND_S):
            said, _ = await run.communicate()
    finally:
        if run.returncode is None:
            run.kill()
            await run.wait()
    report = said.decode()
    assert run.returncode == 0, report
    assert "No issues found" in report
    assert f"Tested: {len(ENDPOINTS)}" in report
    # It came as far as the work itself.
    async with site.base.store.reading() as session:
        done = set(await session.exec(select(Audit.verb)))
    assert {"draft", "start", "end", "consult"} <= done
