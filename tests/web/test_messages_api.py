"""What the API and the commands say of a message before it goes out, and how it reads by every way."""

from __future__ import annotations

from pathlib import Path

import pytest

from burgernet.settings import Settings
from tests.web.asking import ACTION, FOUND, Asking, Site
from tests.web.program import burgernet

BAD = {"nl": {"title": "inbreker", "text": "Man, ca. 30 jaar."}}
WAYS = ["voice", "text", "push", "mail", "x", "mastodon", "board"]


async def test_a_message_is_checked_over_the_api(rotterdam: Asking) -> None:
    answer = await rotterdam.post("/v1/message-checks", {"words": BAD})
    assert answer.status == 200
    assert answer.body["canBeSent"]
    assert answer.body["segments"] == {"nl": 1}
    (found,) = [one for one in answer.body["advice"] if one["rule"] == "abbreviation"]
    assert (found["field"], BAD["nl"]["text"][found["start"] : found["end"]]) == ("text", "ca.")
    assert {"no-place", "no-time", "no-direction", "offence"} <= {one["rule"] for one in answer.body["advice"]}


async def test_the_renditions_of_a_draft_and_of_every_message_can_be_seen(rotterdam: Asking) -> None:
    action = (await rotterdam.post("/v1/actions", ACTION)).body["id"]
    (draft,) = (await rotterdam.get(f"/v1/actions/{action}/renditions")).body["messages"]
    assert (draft["message"], draft["kind"]) == (None, "alert")
    assert [one["way"] for one in draft["renditions"]] == WAYS

    code = (await rotterdam.post(f"/v1/actions/{action}/alerts", {})).body["code"]
    await rotterdam.post(f"/v1/actions/{action}/results", {"outcome": "none", "words": FOUND})
    alert, result = (await rotterdam.get(f"/v1/actions/{action}/renditions")).body["messages"]
    assert (alert["kind"], result["kind"]) == ("alert", "result")
    for one in alert["renditions"]:
        assert code in one["text"] or one["way"] == "board"
    assert (await rotterdam.get("/v1/actions/999999/renditions")).status == 404


async def test_somebody_elses_renditions_do_not_show(rotterdam: Asking, site: Site) -> None:
    action = (await rotterdam.post("/v1/actions", ACTION)).body["id"]
    assert (await site.asking(None).get(f"/v1/actions/{action}/renditions")).status == 401


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_message_is_checked_and_shown_on_the_command_line(settings: Settings, tmp_path: Path) -> None:
    words = ("--title", "meisje in Delft", "--text", "Zij liep om 9.00 uur richting de Markt, ca. zes jaar oud.")
    status, said, _ = await burgernet(settings, tmp_path, "message", "check", *words)
    assert status == 0
    assert "ongeveer" in said
    assert "2 text messages for each telephone" in said
    status, said, _ = await burgernet(settings, tmp_path, "message", "preview", *words, "--exercise")
    assert status == 0
    assert "Bel 0800-0011" in said
    assert "OEFENING" in said
    status, said, err = await burgernet(settings, tmp_path, "message", "check", "--title", "", "--text", "x")
    assert (status, "Traceback" in err) == (1, False)
    assert "cannot-be-sent" in said
