"""`burgernet places` and `burgernet participants`, as a deployer types them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from actions.desk import Refused
from actions.models import Action, Address, ContactPoint, Subscription, bits
from actions.models.words import Kind
from actions.places.made_up import ADDRESSES, BOUNDARIES, POSTCODES
from actions.store import Store
from burgernet.command_line import app
from burgernet.commands import terminal
from tests.store.people import browser
from tests.store.rows import all_of
from tests.typed import settle

Types = Callable[..., Result]

PEOPLE = """language,postcode,number,mobile,channels,participant
nl,3011AB,1,0612345678,sms voice,7
nl,3111AB,5-a,0612345678,sms,7
nl,3011AB,99,0612345679,sms,
"""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def types(country: Store, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    """Types a command, and what it asks for; raises what main() would say in red."""
    settle(tmp_path, database_url, monkeypatch)
    monkeypatch.setattr(terminal.out, "width", 300)

    def typed(*words: str, asked: str = "") -> Result:
        result = CliRunner().invoke(app, words, input=asked)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return typed


async def rows(store: Store) -> list[tuple[int, int, int]]:
    return [(row.kinds, row.quiet_from, row.quiet_until) for row in await all_of(store, Subscription)]


def test_places_and_people_come_in_and_an_action_finds_them(types: Types, country: Store, tmp_path: Path) -> None:
    assert types("places", "made-up", "made").exit_code == 0
    imported = types("places", "import", *(f"made/{name}" for name in (BOUNDARIES, POSTCODES, ADDRESSES)))
    assert imported.exit_code == 0
    assert "adressen.csv, address: 300 read, 300 new or changed, 0 bad rows and 15 without" in imported.output
    assert "have a region drawn by hand" in types("places", "list").output

    (tmp_path / "people.csv").write_text(PEOPLE)
    people = types("participants", "import", "people.csv")
    assert people.exit_code == 2
    assert "line 4: this address is not among those imported" in people.output
    assert len(asyncio.run(all_of(country, Address))) == 2

    words = ("--title", "de Golf", "--text", "Kijk uit naar een blauwe Golf.", "--kind", "look_out")
    types("action", "start", "--region", "rotterdam", *words, "--municipality", "schiedam", "--municipality", "GM0599")
    types("action", "start", "--region", "rotterdam", *words, "--region-wide")
    first, second = asyncio.run(all_of(country, Action))
    assert (first.area["codes"], second.area["ids"]) == (["GM0599", "GM0606"], ["rotterdam"])
    for options in ((), ("--nation", "--region-wide")):
        with pytest.raises(Refused, match="say where, in one way: --circle, --area"):
            types("action", "start", "--region", "rotterdam", *words, *options)
    with pytest.raises(Refused, match="no boundary of municipality 'Lutjebroek' here: import"):
        types("action", "start", "--region", "rotterdam", *words, "--municipality", "Lutjebroek")

    changed = types("participants", "set", "--kinds", "amber", "--quiet", "none", asked="06 12345678\n")
    assert changed.exit_code == 0
    assert asyncio.run(rows(country)) == [(bits([Kind.AMBER]), 0, 0)] * 3
    assert types("participants", "erase", asked="0612345678\n").exit_code == 0
    assert asyncio.run(all_of(country, ContactPoint)) == []
    asyncio.run(country.close())


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("set", "--language", "nl"), "0612345678\n", "nobody is reached by that number or address"),
        (("set", "--language", "nl"), "nobody\n", "no telephone number and no mail address"),
        (("set", "--language", "fr"), "0612345678\n", "--language: nl or en"),
        (("set", "--quiet", "late"), "0612345678\n", "--quiet: hours like 23:00-07:00"),
        (("set",), "0612345678\n", "say what to change"),
        (("erase",), "jan@example.nl\n", "nobody is reached by that number or address"),
        (("erase",), "", "no telephone number and no mail address"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_in_words(
    types: Types, words: tuple[str, ...], typed: str, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        types("participants", *words, asked=typed)


def test_a_browser_is_added_once_and_sleeps_at_night(types: Types, country: Store, tmp_path: Path) -> None:
    (tmp_path / "browser.json").write_text(browser())
    words = ("participants", "add-browser", "browser.json", "--postcode", "3011")
    place = ("--lat", "51.92", "--lon", "4.48")
    assert "Added." in types(*words, *place).output
    assert "It is there already." in types(*words, *place).output
    ((kinds, start, end),) = asyncio.run(rows(country))
    assert (start, end) == (23 * 60, 7 * 60)
    assert kinds & Kind.AMBER.bit
    for wrong, said in (
        (("--number", "1"), "--postcode and --number: the postcode of an address has four digits and two letters"),
        (("--lat", "1", "--lon", "1"), "degrees in the Netherlands"),
        ((*place, "--kinds", "burglary"), "--kinds: one or more of look_out"),
    ):
        with pytest.raises(Refused, match=said):
            types(*words, *wrong)
    (tmp_path / "browser.json").write_text("{}")
    with pytest.raises(Refused, match="FILE: not a push subscription"):
        types(*words, *place)
    asyncio.run(country.close())


def test_what_can_be_typed_is_told() -> None:
    told = CliRunner().invoke(app, ["places", "--help"]).output
    assert all(word in told for word in ("import", "made-up", "list"))
