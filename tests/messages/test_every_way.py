"""How a message reads by every way: nothing too long, no word cut, always what to do, an exercise always marked."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.models import Kind, MessageKind
from alerting.renditions import Around, Notice, mail, on_board, on_mastodon, on_x, push, renditions
from alerting.renditions.by_push import LARGEST
from alerting.renditions.on_mastodon import length
from alerting.renditions.on_x import weight
from alerting.renditions.place import place_in, what_and_where

NUMBER, LINK, PUBLIC = "0800-0011", "https://www.burgernet.example", "https://burgernet.example"
SIGN_OFF = f"{PUBLIC}/unsubscribe/abc"
AROUND = Around(NUMBER, LINK, PUBLIC, f"{PUBLIC}/pictures/abc")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co"]), min_size=1)
NOTICES = st.builds(
    Notice,
    kind=st.sampled_from(MessageKind),
    code=st.just("427"),
    language=st.sampled_from(["nl", "en"]),
    title=WORDS.map(lambda words: words[:80]),
    body=WORDS.map(lambda words: (words * 40)[:1000]),
    exercise=st.booleans(),
)


def notice(title: str, body: str = "Kijk uit.", language: str = "nl", **more: object) -> Notice:
    return Notice(MessageKind.ALERT, "427", language, title, body, **more)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(NOTICES)
def test_whatever_is_written_it_fits_by_every_way(given: Notice) -> None:
    for rendition in renditions(given, AROUND):
        assert rendition.most is None or rendition.length <= rendition.most, rendition.way


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("kind", MessageKind)
@pytest.mark.parametrize("body", ["Kijk uit.", "Een zin van veel woorden. " * 38])
def test_an_exercise_is_marked_first_and_last_by_every_way(kind: MessageKind, language: str, body: str) -> None:
    mark = {"nl": "oefening", "en": "exercise"}[language]
    for exercise in (True, False):
        given = Notice(kind, "427", language, "blauwe Golf in Delft", body, exercise)
        for rendition in renditions(given, AROUND):
            words = rendition.text.strip(" .\n").lower()
            assert (words.startswith(mark), words.endswith(mark)) == (exercise, exercise), rendition


def test_a_push_and_a_mail_mark_an_exercise_in_every_part() -> None:
    given = notice("Golf in Delft", exercise=True)
    pushed, mailed = push(given, NUMBER, LINK, SIGN_OFF), mail(given, NUMBER, SIGN_OFF)
    for part in (pushed.title, pushed.body, mailed.subject, mailed.plain):
        assert part.startswith("OEFENING")
        assert part.rstrip(" .\n").endswith("OEFENING")
    page = mailed.html.partition("<body>")[2]
    assert page.startswith('<p class="mark">OEFENING</p>')
    assert page.removesuffix("</body></html>\n").endswith('<p class="mark">OEFENING</p>')


@settings(deadline=None, max_examples=60)
@given(NOTICES)
def test_a_push_never_loses_what_to_do(given: Notice) -> None:
    made = push(given, NUMBER, LINK, SIGN_OFF, f"{PUBLIC}/shown/1", f"{PUBLIC}/pictures/1")
    read = json.loads(made.payload())
    assert len(made.payload()) <= LARGEST
    assert given.kind == MessageKind.RESULT or NUMBER in read["notification"]["body"]
    assert read["notification"]["data"]["signOff"] == SIGN_OFF


def test_a_very_long_push_loses_whole_words_from_its_end() -> None:
    body = "寻找一名女孩。 " * 142
    made = push(notice("寻人", body[:1000]), NUMBER, LINK, SIGN_OFF)
    assert made.whole
    much = "🧥🧥🧥🧥🧥🧥🧥🧥🧥 " * 100
    cut = push(notice("jas in Delft", much), NUMBER, LINK, SIGN_OFF)
    assert not cut.whole
    kept = cut.body.partition("…")[0].split()
    assert set(kept) == {"🧥" * 9}


@pytest.mark.parametrize(
    ("text", "x", "mastodon"),
    [
        ("", 0, 0),
        ("abc", 3, 3),
        ("é", 1, 1),
        ("寻", 2, 1),
        ("🧥", 2, 1),
        ("“ja”", 4, 4),
        ("…", 2, 1),
        ("zie https://www.burgernet.example/een/heel/lang/adres/met/veel", 4 + 23, 4 + 23),
    ],
)
def test_posts_are_counted_as_the_networks_count(text: str, x: int, mastodon: int) -> None:
    assert (weight(text), length(text)) == (x, mastodon)


def test_a_long_post_is_cut_between_words_and_keeps_number_and_link() -> None:
    body = " ".join(f"woord{place}" for place in range(100))
    for posted in (on_x(notice("Golf in Delft", body), NUMBER, LINK), on_mastodon(notice("x", body), NUMBER, LINK)):
        assert not posted.whole
        assert posted.text.endswith(f"Bel 0800-0011, code 427. {LINK}")
        kept = posted.text.partition("…")[0].split()[-1]
        assert kept in body.split()


@pytest.mark.parametrize(
    ("given", "board", "lacks"),
    [
        (notice("meisje, rode jas, in Delft"), "meisje, rode jas, in Delft. Bel 0800-0011, code 427", 0),
        (notice("meisje", "Zij liep bij het Zuidplein."), "meisje bij het Zuidplein. Bel 0800-0011, code 427", 0),
        (notice("meisje, rode jas", "Kijk uit."), "meisje, rode jas. Bel 0800-0011, code 427", 1),
        (
            notice("meisje van zes, rode jas, gele laarzen, lang zwart haar, in Rotterdam-Centrum"),
            "meisje van zes, rode jas, gele laarzen, lang zwart… in Rotterdam-Centrum. Bel 0800-0011",
            1,
        ),
        (notice("meisje in Delft", exercise=True), "OEFENING meisje in Delft. Bel 0800-0011, code 427 OEFENING", 0),
        (Notice(MessageKind.RESULT, "427", "nl", "meisje in Delft", "Gevonden."), "Voorbij: meisje in Delft", 0),
        (notice("x" * 80), "", 1),
    ],
)  # fmt: skip
def test_a_board_says_what_and_where_in_ninety_signs(given: Notice, board: str, lacks: int) -> None:
    made = on_board(given, NUMBER)
    assert (made.text, len(made.lacks)) == (board, lacks)


@pytest.mark.parametrize(
    ("text", "language", "place"),
    [
        ("Gezien in Rotterdam.", "nl", "in Rotterdam"),
        ("Gezien bij de Erasmusbrug vanmiddag", "nl", "bij de Erasmusbrug"),
        ("in Bergen op Zoom gezien", "nl", "in Bergen op Zoom"),
        ("in 's-Hertogenbosch", "nl", "in 's-Hertogenbosch"),
        ("Lange Poten of Kerkstraat", "nl", "Kerkstraat"),
        ("Hij draagt een jas.", "nl", None),
        ("seen near Delft", "en", "near Delft"),
        ("seen in the park", "en", None),
    ],
)
def test_words_of_place_are_recognised(text: str, language: str, place: str | None) -> None:
    assert place_in(text, language) == place


def test_a_title_falls_apart_into_what_and_where() -> None:
    assert what_and_where("de blauwe Golf in Den Haag", "nl") == ("de blauwe Golf", "in Den Haag")
    assert what_and_where("de blauwe Golf", "nl") == ("de blauwe Golf", "")


class Page(HTMLParser):
    """What a reader of the page finds: `lang`, the pictures' words, the links, whether every tag was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_page_of_a_mail_can_be_read_by_everybody(language: str) -> None:
    page = Page(mail(notice("Golf in Delft", "Rij niet mee.\n\nBel.", language), NUMBER, SIGN_OFF, LINK).html)
    assert page.open == []
    assert dict(page.tags)["html"] == {"lang": language}
    assert [attributes["alt"] for tag, attributes in page.tags if tag == "img"] != [""]
    assert dict(page.tags)["a"] == {"href": SIGN_OFF}
    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert "prefers-color-scheme: dark" in page.text


@settings(deadline=None, max_examples=60)
@given(NOTICES)
def test_nothing_that_is_typed_becomes_a_tag_or_a_header(given: Notice) -> None:
    odd = Notice(given.kind, "427", given.language, f"{given.title}\n<b>", f"<script>&{given.body}")
    made = mail(odd, NUMBER, SIGN_OFF)
    assert "\n" not in made.subject
    assert {tag for tag, _ in Page(made.html).tags}.isdisjoint({"b", "script"})
    assert "<script>" in made.plain


def test_colours_of_the_mail_are_far_enough_apart() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    page = mail(notice("Golf in Delft"), NUMBER, SIGN_OFF).html
    for front, back in (("1a1a1a", "ffffff"), ("003e8a", "ffffff"), ("f2f2f2", "121212"), ("a8c7ff", "121212")):
        assert f"#{front}" in page
        high, low = sorted((light(front), light(back)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 7


def test_a_kind_of_action_is_carried_with_the_notice() -> None:
    assert notice("x", action_kind=Kind.AMBER).action_kind is Kind.AMBER
