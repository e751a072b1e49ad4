"""How a message reads as a text: whole sentences, nothing cut, and what it costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.models import MessageKind
from alerting.renditions import GSM_7, GSM_7_TWO_PLACES, Notice, segments, text

ALPHABET = "".join(sorted(GSM_7))
WIDE = "".join(sorted(GSM_7_TWO_PLACES))


@pytest.mark.parametrize(
    ("body", "count"),
    [
        pytest.param("", 1, id="nothing"),
        pytest.param("a" * 160, 1, id="160 places fit in one"),
        pytest.param("a" * 161, 2, id="161 do not"),
        pytest.param("a" * 306, 2, id="twice 153"),
        pytest.param("a" * 307, 3, id="twice 153 and one"),
        pytest.param("é" * 160, 1, id="e acute is in the alphabet"),
        pytest.param("ë" * 70, 1, id="e with dots is not: 70 fit"),
        pytest.param("ë" * 71, 2, id="71 do not"),
        pytest.param("ë" * 134, 2, id="twice 67"),
        pytest.param("ë" * 135, 3, id="twice 67 and one"),
        pytest.param("a" * 160 + "ë", 3, id="one foreign sign makes all of it wide"),
        pytest.param("€" * 80, 1, id="a euro takes two places"),
        pytest.param("€" * 81, 2, id="81 euros take 162"),
        pytest.param("a" * 152 + "€" + "a" * 10, 2, id="a euro over the border moves whole to the next"),
        pytest.param("€" * 152, 2, id="76 euros a segment: one place of each stays empty"),
        pytest.param("€" * 153, 3, id="77 of two places are 154"),
        pytest.param("😀" * 35, 1, id="a picture takes two places of 70"),
        pytest.param("😀" * 36, 2, id="36 pictures take 72"),
        pytest.param("😀" * 66, 2, id="33 pictures a segment"),
        pytest.param("😀" * 67, 3, id="67 pictures"),
        pytest.param("`" * 71, 2, id="a backtick is not in the alphabet"),
        pytest.param("a\nb\rc", 1, id="ends of lines are"),
    ],
)
def test_the_segments_of_a_text(body: str, count: int) -> None:
    assert segments(body) == count


@given(st.text(st.sampled_from(ALPHABET + WIDE), max_size=700))
def test_within_the_alphabet_segments_are_between_the_full_and_the_wasteful_count(body: str) -> None:
    places = sum(2 if sign in GSM_7_TWO_PLACES else 1 for sign in body)
    least = 1 if places <= 160 else -(-places // 153)
    most = 1 if places <= 160 else -(-places // 152)
    assert least <= segments(body) <= most


@given(st.text(max_size=400), st.text(max_size=400))
def test_a_longer_text_never_costs_less(body: str, more: str) -> None:
    assert segments(body + more) >= segments(body)


@given(
    title=st.text(min_size=1, max_size=80),
    body=st.text(min_size=1, max_size=1000),
    kind=st.sampled_from(MessageKind),
    language=st.sampled_from(["nl", "en"]),
)
def test_nothing_of_what_the_operator_wrote_is_cut(title: str, body: str, kind: MessageKind, language: str) -> None:
    sent = text(Notice(kind, "427", language, title, body), "0800-0011")
    assert title.strip() in sent.body
    assert body.strip() in sent.body
    assert "STOP" in sent.body
    assert sent.segments == segments(sent.body)
    assert len(sent.body) <= 1600 or any(ord(sign) > 0xFFFF for sign in sent.body)


@pytest.mark.parametrize(
    ("kind", "language", "expected"),
    [
        pytest.param(
            MessageKind.ALERT,
            "nl",
            "Burgernet: De blauwe Golf. Gezien op de Coolsingel! Gezien? Ga er niet zelf op af. "
            "Bel 0800-0011, code 427. Geen berichten meer? Antwoord STOP.",
            id="alert",
        ),
        pytest.param(
            MessageKind.UPDATE,
            "nl",
            "Burgernet, nieuw bericht over actie 427: De blauwe Golf. Gezien op de Coolsingel! Gezien? Ga er niet "
            "zelf op af. Bel 0800-0011, code 427. Geen berichten meer? Antwoord STOP.",
            id="update",
        ),
        pytest.param(
            MessageKind.RESULT,
            "nl",
            "Burgernet, actie 427 is voorbij: De blauwe Golf. Gezien op de Coolsingel! Dank u wel voor het uitkijken. "
            "Geen berichten meer? Antwoord STOP.",
            id="result: no number to call any more",
        ),
        pytest.param(
            MessageKind.ALERT,
            "en",
            "Burgernet: De blauwe Golf. Gezien op de Coolsingel! Seen it? Do not approach. Call 0800-0011, code 427. "
            "No more messages? Answer STOP.",
            id="English around it",
        ),
    ],
)
def test_a_text_reads_as_whole_sentences(kind: MessageKind, language: str, expected: str) -> None:
    notice = Notice(kind, "427", language, " De blauwe Golf ", "Gezien op de Coolsingel!\n")
    assert text(notice, "0800-0011").body == expected


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("kind", MessageKind)
def test_what_we_add_ourselves_costs_no_wide_signs(kind: MessageKind, language: str) -> None:
    sent = text(Notice(kind, "427", language, "a", "b"), "0800-0011")
    assert set(sent.body) <= GSM_7
