"""A message as mail: the same words plain and as a page, which readers with large letters, a dark screen or a screen
reader can read as well."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from alerting.renditions.notice import Notice, marked, sentence
from alerting.renditions.wording import closing, opening

SIGN_OFF = {
    "nl": "U krijgt dit bericht omdat u meedoet met Burgernet. Geen berichten meer? Meld u af:",
    "en": "You get this message because you take part in Burgernet. No more messages? Unsubscribe:",
}
LINK = {"nl": "Afmelden", "en": "Unsubscribe"}
NO_REPLY = {
    "nl": "Antwoorden op deze mail worden niet gelezen. Levensgevaar? Bel 112.",
    "en": "Nobody reads answers to this mail. Danger to life? Call 112.",
}
PICTURE = {"nl": "Foto bij dit bericht", "en": "Photo with this message"}
SEE = {"nl": "Foto: ", "en": "Photo: "}

# Colours differ by at least 7 to 1 (WCAG, AAA) on light and on dark.
STYLE = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 1em; background: #ffffff; color: #1a1a1a; font: 1.125em/1.5 Arial, sans-serif; }
main { max-width: 38em; margin: 0 auto; }
h1 { font-size: 1.3em; line-height: 1.3; }
a { color: #003e8a; }
img { max-width: 100%; height: auto; }
.mark { font-weight: bold; border: 0.15em solid; padding: 0.3em; }
footer { font-size: 0.9em; border-top: 1px solid; margin-top: 2em; }
@media (prefers-color-scheme: dark) { body { background: #121212; color: #f2f2f2; } a { color: #a8c7ff; } }
"""


@dataclass(frozen=True)
class Mail:
    """`html` is a whole page."""

    subject: str
    plain: str
    html: str


def mail(notice: Notice, free_number: str, sign_off: str, picture: str | None = None) -> Mail:
    """The notice as mail. `sign_off`: the address of the page where its reader signs off; `picture`: of a picture."""
    title = f"{opening(notice)}{sentence(' '.join(notice.title.split()))}"
    paragraphs = [line.strip() for line in notice.body.splitlines() if line.strip()]
    doing = closing(notice, free_number)
    return Mail(
        marked(notice, title),
        _plain(notice, [title, *paragraphs, doing], sign_off, picture),
        _page(notice, title, [*paragraphs, doing], sign_off, picture),
    )


def _plain(notice: Notice, paragraphs: list[str], sign_off: str, picture: str | None) -> str:
    language = notice.language
    parts = [
        notice.mark,
        *paragraphs,
        f"{SEE[language]}{picture}" if picture else "",
        NO_REPLY[language],
        f"{SIGN_OFF[language]}\n{sign_off}",
        notice.mark,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _page(notice: Notice, title: str, paragraphs: list[str], sign_off: str, picture: str | None) -> str:
    language = notice.language
    mark = f'<p class="mark">{notice.mark}</p>' if notice.exercise else ""
    image = f'<p><img src="{escape(picture)}" alt="{PICTURE[language]}"></p>' if picture else ""
    told = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(marked(notice, title))}</title><style>{STYLE}</style></head>\n"
        f"<body>{mark}<main><h1>{escape(title)}</h1>{image}{told}</main>\n"
        f"<footer><p>{NO_REPLY[language]}</p>"
        f'<p>{SIGN_OFF[language]} <a href="{escape(sign_off)}">{LINK[language]}</a></p></footer>{mark}</body></html>\n'
    )
