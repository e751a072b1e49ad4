"""What the documentation promises to be."""

import re
from pathlib import Path

import pytest

from burgernet.settings import table

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT)
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("asterisk_conf/*.md"))
)


def test_the_page_of_settings_holds_what_the_settings_say() -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    assert page.partition("\n| variable")[1:] == ("\n| variable", table().removeprefix("| variable")), (
        "docs/settings.md is behind burgernet/settings.py; the page itself says how to write it anew"
    )


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text("utf-8"))
    assert [link for link in links if not (ROOT / page.parent / link).exists()] == []


def test_every_decision_stands_in_the_index() -> None:
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text("utf-8")
    assert [page.name for page in sorted(folder.glob("0*.md")) if f"]({page.name})" not in index] == []
