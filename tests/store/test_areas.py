"""Areas known by name: looked up among the imported boundaries, and kept with the action."""

from typing import Any

import pytest
import shapely

from actions.areas import placed, safety_regions, shown
from actions.books import Actor
from actions.desk import Desk, NewAction, Refused
from actions.geography import MOST_NAMES, Area, BadArea
from actions.models import Action, Boundary
from actions.store import Store
from tests.store.rows import all_of

# Two municipalities side by side in one safety region; the other one of the police unit lies south of both.
OUTLINES = {
    "GM0599": ("municipality", "Rotterdam", shapely.box(90_000, 430_000, 100_000, 440_000)),
    "GM0606": ("municipality", "Schiedam", shapely.box(85_000, 430_000, 90_000, 440_000)),
    "VR17": ("safety_region", "Rotterdam-Rijnmond", shapely.box(80_000, 425_000, 100_000, 445_000)),
    "VR18": ("safety_region", "Zuid-Holland-Zuid", shapely.box(80_000, 410_000, 100_000, 425_000)),
}
IN_ROTTERDAM, IN_SCHIEDAM, SOUTH, ABROAD = (95_000, 435_000), (87_000, 435_000), (95_000, 412_000), (20_000, 370_000)


async def imported(store: Store, *codes: str) -> None:
    async with store.writing() as session:
        for code in codes:
            kind, name, shape = OUTLINES[code]
            session.add(Boundary(code=code, kind=kind, name=name, shape=shapely.to_wkb(shape)))


def new(area: Any) -> NewAction:
    return NewAction("look_out", "rotterdam", area, {"nl": ("De blauwe Golf", "Kijk uit naar een blauwe Golf.")})


@pytest.mark.parametrize(
    ("area", "held"),
    [
        ({"type": "municipalities", "codes": ["GM0599"]}, {IN_ROTTERDAM}),
        ({"type": "municipalities", "codes": ["GM0599", "GM0606"]}, {IN_ROTTERDAM, IN_SCHIEDAM}),
        ({"type": "municipalities", "codes": [" schiedam ", "Schiedam"]}, {IN_SCHIEDAM}),
        ({"type": "safety-regions", "codes": ["VR18"]}, {SOUTH}),
        ({"type": "regions", "ids": ["rotterdam"]}, {IN_ROTTERDAM, IN_SCHIEDAM, SOUTH}),
        ({"type": "nation"}, {IN_ROTTERDAM, IN_SCHIEDAM, SOUTH, ABROAD}),
    ],
)
async def test_a_named_area_holds_who_lives_there(store: Store, area: dict[str, Any], held: set[Any]) -> None:
    await imported(store, *OUTLINES)
    found = Area.parse(await placed(store, area))
    assert {place for place in (IN_ROTTERDAM, IN_SCHIEDAM, SOUTH, ABROAD) if found.holds(*place)} == held


async def test_names_are_kept_as_codes_and_shown_without_their_outline(store: Store) -> None:
    await imported(store, *OUTLINES)
    kept = await placed(store, {"type": "municipalities", "codes": ["Schiedam", "rotterdam"], "shape": "x"})
    assert isinstance(kept, dict)
    assert shown(kept) == {"type": "municipalities", "codes": ["GM0599", "GM0606"]}


@pytest.mark.parametrize(
    ("area", "said"),
    [
        (
            {"type": "municipalities", "codes": ["GM0606", "GM0363"]},
            "no boundary of municipality 'GM0363' here: import",
        ),
        ({"type": "municipalities", "codes": ["VR17"]}, "no boundary of municipality 'VR17' here"),
        ({"type": "regions", "ids": ["rotterdam"]}, "no boundary of safety region 'VR18' here: import the file of CBS"),
        ({"type": "regions", "ids": ["utopia"]}, "region 'utopia' is not known"),
        ({"type": "regions", "codes": ["rotterdam"]}, "needs ids, a list of names"),
        ({"type": "municipalities", "codes": "GM0599"}, "needs codes, a list of names"),
        ({"type": "municipalities", "codes": []}, "needs codes, a list of names"),
        ({"type": "municipalities", "codes": [599]}, "needs codes, a list of names"),
        ({"type": "municipalities", "codes": ["GM0599"] * (MOST_NAMES + 1)}, "too many for one area"),
    ],
)
async def test_an_area_that_cannot_be_looked_up_says_what_to_do(store: Store, area: Any, said: str) -> None:
    await imported(store, "GM0599", "GM0606", "VR17")
    with pytest.raises(BadArea, match=said):
        await placed(store, area)


async def test_an_action_keeps_its_outline_when_boundaries_change(country: Store, actor: Actor) -> None:
    await imported(country, *OUTLINES)
    await Desk(country).start_action(new({"type": "municipalities", "codes": ["Schiedam"]}), actor)
    async with country.writing() as session:
        boundary = await session.get_one(Boundary, "GM0606")
        boundary.shape = shapely.to_wkb(shapely.box(*ABROAD, 21_000, 371_000))
    (action,) = await all_of(country, Action)
    assert Area.parse(action.area).holds(*IN_SCHIEDAM)
    assert (action.x, action.y) == pytest.approx((87_500, 435_000))


async def test_an_action_without_boundaries_is_refused_with_all_that_is_wrong(country: Store, actor: Actor) -> None:
    with pytest.raises(Refused) as refused:
        await Desk(country).start_action(
            NewAction("hunt", "rotterdam", {"type": "regions", "ids": ["limburg"]}, {}), actor
        )
    assert len(refused.value.faults) == 4
    assert await all_of(country, Action) == []


async def test_a_national_action_needs_no_boundaries(country: Store, actor: Actor) -> None:
    await Desk(country).start_action(new({"type": "nation"}), actor)
    (action,) = await all_of(country, Action)
    assert action.area == {"type": "nation"}


def test_every_safety_region_lies_in_one_police_unit() -> None:
    assert sorted(safety_regions()) == [f"VR{number:02}" for number in range(1, 26)]
    assert len(set(safety_regions().values())) == 10
