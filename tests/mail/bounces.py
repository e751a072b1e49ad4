"""A mail that came back, and handing it over as a mail server does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from burgernet.settings import Settings
from tests.web.program import PROGRAM, environment

GONE = """\
Return-Path: <>
From: MAILER-DAEMON@mail.example
To: terug@burgernet.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="parts"
Message-ID: <returned@mail.example>

--parts
Content-Type: text/plain

The mail could not be delivered.

--parts
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
Arrival-Date: Sat, 28 Nov 2026 12:00:00 +0000

Final-Recipient: rfc822; somebody@post.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--parts
Content-Type: text/rfc822-headers

From: bericht@burgernet.example
Message-ID: {id}
Subject: Burgernet

--parts--
"""


async def bounced(settings: Settings, folder: Path, mail: str) -> tuple[int | None, str]:
    """The exit status and output of `burgernet mail bounce` with this mail."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "mail",
        "bounce",
        env=environment(settings),
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await asyncio.wait_for(process.communicate(mail.encode()), 60)
    return process.returncode, (said + wrong).decode()
