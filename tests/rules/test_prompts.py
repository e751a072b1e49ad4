"""The recorded prompts and the conversations that play them."""

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from ivr_flows import catalogue as module
from ivr_flows.catalogue import LANGUAGES, catalogue, other_language, said_in
from ivr_flows.spoken import spoken
from telephony.speech import Spoken, clean

FLOWS = Path(str(files("ivr_flows")))
DIALPLAN = (files("asterisk_conf") / "templates" / "extensions.conf").read_text("utf-8")
SAYS = {"play", "ask", "tell", "hold", "resume", "_heard", "_choose", "_asked_for", "leave_tip"}


def names_in(node: ast.AST) -> Iterator[str]:
    """The texts in an expression, but for those something is compared with."""
    if isinstance(node, ast.Compare):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for part in ast.iter_child_nodes(node):
        yield from names_in(part)


def played_in_flows(*says: str) -> set[str]:
    calls = [
        node
        for file in FLOWS.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (says or SAYS)
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


def test_another_file_is_another_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prompts").mkdir()
    for language in ("tr", "nl", "de"):
        (tmp_path / "prompts" / f"{language}.toml").write_text('[templates]\noption = "{key}: {title}"\n', "utf-8")
    monkeypatch.setattr(module, "files", lambda _: tmp_path)
    monkeypatch.setattr(module, "LANGUAGES", module._languages())
    assert module.LANGUAGES == ("nl", "de", "tr")
    assert [other_language(language) for language in ("nl", "de", "tr")] == ["de", "tr", "nl"]
    assert said_in("tr", "option", title="Golf", key=1) == Spoken("1: Golf", "tr")
    assert spoken("om 21:05", "tr") == "om 21 0 5"
    module._templates.cache_clear()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_is_filled_in_somewhere_with_parts_that_all_languages_know(language: str) -> None:
    templates = module._read(language)["templates"]
    parts = {name: set(re.findall(r"{(\w+)}", text)) for name, text in templates.items()}
    assert parts == {name: set(re.findall(r"{(\w+)}", text)) for name, text in module._read("nl")["templates"].items()}
    assert templates.keys() == played_in_flows("said_in")


def test_a_prompt_missing_in_one_language_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"nl": {"welcome": "Hallo.", "bye": "Dag."}, "en": {"welcome": "Hello.", "more": "More."}}
    monkeypatch.setattr(module, "_read", texts.__getitem__)
    with pytest.raises(ValueError, match="prompts missing in en or nl: bye, more"):
        catalogue()


def test_the_languages_follow_each_other_in_turn() -> None:
    assert (other_language("nl"), other_language("en")) == ("en", "nl")
