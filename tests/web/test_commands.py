"""`burgernet token`, as a deployer uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from burgernet.settings import Settings
from tests.web.asking import Site
from tests.web.program import burgernet


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """Commands and the web role are processes apart."""
    return postgres_url


async def test_a_token_is_made_used_listed_and_revoked(site: Site, settings: Settings, tmp_path: Path) -> None:
    words = ("token", "new", "cad-rotterdam", "--scope", "rooms:read", "--scope", "actions:read", "--room", "rotterdam")
    status, secret, _ = await burgernet(settings, tmp_path, *words, "--days", "30")
    assert status == 0
    asking = site.asking(secret.strip())
    assert [room["id"] for room in (await asking.get("/v1/rooms")).body["items"]] == ["rotterdam"]
    assert (await asking.get("/v1/calls")).status == 403

    _, listed, _ = await burgernet(settings, tmp_path, "token", "list")
    (row,) = [line for line in listed.splitlines() if "cad-rotterdam" in line]
    assert "actions:read rooms:read" in row
    assert "good" in row
    assert secret.strip() not in listed
    token_id = row.strip("│ ").split()[0]

    assert (await burgernet(settings, tmp_path, "token", "revoke", token_id))[0] == 0
    assert (await asking.get("/v1/rooms")).status == 401
    _, listed, _ = await burgernet(settings, tmp_path, "token", "list")
    assert "revoked" in listed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("new", "cad", "--scope", "everything"), "Invalid value for '--scope'"),
        (("new", "cad"), "Missing option '--scope'"),
        (("new", "cad", "--scope", "rooms:read", "--room", "utrecht"), "control room 'utrecht' is not known"),
        (("new", "c;d", "--scope", "rooms:read"), "the actor must be a name"),
        (("new", "cad", "--scope", "rooms:read", "--days", "0"), "Invalid value for '--days'"),
        (("revoke", "nothing"), "token 'nothing' is not known; `burgernet token list` shows them"),
    ],
)
async def test_a_token_that_makes_no_sense_is_refused_in_one_clear_line(
    site: Site, settings: Settings, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    status, out, err = await burgernet(settings, tmp_path, "token", *words)
    assert status != 0
    assert said in err
    assert out == ""
    assert "Traceback" not in err
