"""The recorded prompts and the conversations that play them."""

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from ivr_flows import catalogue as module
from ivr_flows.catalogue import LANGUAGES, catalogue, other_language
from telephony.speech import clean

FLOWS = Path(str(files("ivr_flows")))
DIALPLAN = (files("asterisk_conf") / "templates" / "extensions.conf").read_text("utf-8")
SAYS = {"play", "ask", "music", "_choose", "leave_tip"}


def names_in(node: ast.AST) -> Iterator[str]:
    """The texts in an expression, but for those something is compared with."""
    if isinstance(node, ast.Compare):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for part in ast.iter_child_nodes(node):
        yield from names_in(part)


def played_in_flows() -> set[str]:
    calls = [
        node
        for file in FLOWS.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in SAYS
    ]
    return {name for call in calls for argument in call.args for name in names_in(argument)}


def played_in_dialplan() -> set[str]:
    return set(re.findall(r"Playback\(\$\{SOUNDS\}/([a-z-]+)\)", DIALPLAN))


def test_the_flows_and_the_dialplan_play_prompts() -> None:
    assert {"welcome", "ask-code", "connecting", "none-of-these"} <= played_in_flows()
    assert played_in_dialplan() == {"fallback-warning", "fallback-closing"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_that_is_played_is_in_the_catalogue_and_the_other_way_round(language: str) -> None:
    assert played_in_flows() | played_in_dialplan() == catalogue()[language].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_can_be_spoken_as_it_stands(language: str) -> None:
    for text in catalogue()[language].values():
        assert clean(text) == text
        assert not re.search(r"\d\d", text), "numbers are written digit by digit"


@pytest.mark.parametrize("name", ["welcome", "nothing-open", "no-action", "fallback-warning", "fallback-closing"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_is_in_danger_hears_112_first(language: str, name: str) -> None:
    assert "1 1 2" in catalogue()[language][name]


def test_a_prompt_missing_in_one_language_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"nl": {"welcome": "Hallo.", "bye": "Dag."}, "en": {"welcome": "Hello.", "more": "More."}}
    monkeypatch.setattr(module, "_read", texts.__getitem__)
    with pytest.raises(ValueError, match="prompts missing in en or nl: bye, more"):
        catalogue()


def test_the_languages_follow_each_other_in_turn() -> None:
    assert (other_language("nl"), other_language("en")) == ("en", "nl")
