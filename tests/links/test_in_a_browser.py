"""The pages in a real browser: by keyboard, without scripts, by position, and what a screen reader is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.links import Purpose
from actions.models import Sighting
from tests.inbound.line import ANNA, BERT
from tests.links.browser import browser
from tests.links.conftest import Links, photo
from tests.store.rows import all_of
from web.links.words import WORDS

# Every field has a name, and what is written stands out from what it is written on (WCAG 2.2, 1.4.3: 4.5 to 1).
UNNAMED = """[...document.querySelectorAll('input:not([type=hidden]), select')]
  .filter((field) => !field.labels.length).map((field) => field.id).join()"""
FAINTEST = """(() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const under = (one) => {
    const own = getComputedStyle(one).backgroundColor;
    return own === 'rgba(0, 0, 0, 0)' ? under(one.parentElement) : own;
  };
  const ratio = (one) => {
    const two = [light(getComputedStyle(one).color), light(under(one))].sort((a, b) => b - a);
    return (two[0] + 0.05) / (two[1] + 0.05);
  };
  return Math.min(...[...document.querySelectorAll('p, h1, label, a, button, strong')].map(ratio));
})()"""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The browser is the question here, not the database."""
    return sqlite_url


async def test_a_place_is_found_by_keyboard_in_the_dark_and_sent(links: Links, tmp_path: Path) -> None:
    action = await links.line.action()
    address = await links.sent(ANNA, action.code, Purpose.PLACE)
    async with browser(tmp_path / "browser") as page:
        await page.opens(address)
        await page.looks_dark()
        await page.stands_at(links.url.removesuffix("/t"), 51.92, 4.48, 9.5)
        assert await page.knows("document.documentElement.lang") == "nl"
        assert await page.knows(UNNAMED) == ""
        assert await page.knows(FAINTEST) >= 4.5
        await page.tabs_to("find")
        await page.presses("Enter")
        await page.until("document.getElementById('told').textContent.includes('10 meter')")
        await page.tabs_to("words")
        await page.types("bij de brug")
        await page.presses("Enter")
        await page.until(f"document.querySelector('h1').textContent === {WORDS['nl'].thanks_title!r}")
        await page.goes_to(address)  # in the browser's own language, as any link that does not work
        await page.until(f"document.querySelector('h1').textContent === {WORDS['en'].gone_title!r}")
    (sighting,) = await all_of(links.line.store, Sighting)
    assert sighting.accuracy == 10
    assert [tip.said for tip in await links.line.tips(action)] == ["51.92000, 4.48000 (within 10 m). bij de brug"]


async def test_a_photo_is_sent_without_scripts_and_in_the_other_language(links: Links, tmp_path: Path) -> None:
    action = await links.line.action()
    address = await links.sent(BERT, action.code)
    picture = tmp_path / "foto.jpg"
    picture.write_bytes(photo())
    async with browser(tmp_path / "browser") as page:
        await page.opens(address)
        await page.without_scripts()
        await page.goes_to(f"{address}?lang=en")
        assert await page.knows("document.documentElement.lang") == "en"
        assert await page.knows(UNNAMED) == ""
        assert await page.knows(FAINTEST) >= 4.5
        await page.chooses("choose", picture)
        await page.tabs_to("send")
        await page.presses("Enter")
        await page.until(f"document.querySelector('h1').textContent === {WORDS['en'].thanks_title!r}")
    assert [len(tip.photos) for tip in await links.line.tips(action)] == [1]
