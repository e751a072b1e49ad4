"""The pages of one-time links as HTML: they work without a script, with a keyboard, and read aloud."""

from __future__ import annotations

from html import escape

from actions.links import Purpose, Usable
from web.links.words import MINUTES_AGO, WORDS, Words

STYLE, SCRIPT = "/t/links.css", "/t/place.js"
LONGEST_WORDS = 200


def form(link: Usable, language: str, fault: str = "") -> str:
    """The page of a link that can still be used. `fault`: what was wrong with what was sent."""
    said = WORDS[language]
    title = said.photo_title if link.purpose is Purpose.PHOTO else said.place_title
    inputs = _photo(said, fault) if link.purpose is Purpose.PHOTO else _place(said, fault)
    faults = f'<div class="faults" role="alert" id="fault"><p>{escape(fault)}</p></div>' if fault else ""
    exercise = f'<p class="exercise">{escape(said.exercise)}</p>' if link.exercise else ""
    kind = ' enctype="multipart/form-data"' if link.purpose is Purpose.PHOTO else ""
    body = f"""{exercise}{faults}
<form method="post" action="?lang={language}"{kind}>
{inputs}
<button type="submit" id="send">{escape(said.send)}</button>
</form>
<p class="hint">{escape(said.once)}</p>"""
    return _page(language, title, body, script=link.purpose is Purpose.PLACE)


def thanks(language: str, *, exercise: bool) -> str:
    said = WORDS[language]
    mark = f'<p class="exercise">{escape(said.exercise)}</p>' if exercise else ""
    return _page(language, said.thanks_title, f'{mark}<p role="status">{escape(said.thanks)}</p>', switch=False)


def gone(language: str, free_number: str) -> str:
    """One page for whatever does not work: nobody learns why."""
    said = WORDS[language]
    return _page(language, said.gone_title, f"<p>{escape(said.gone.format(number=free_number))}</p>")


def busy(language: str) -> str:
    said = WORDS[language]
    return _page(language, said.gone_title, f"<p>{escape(said.busy)}</p>")


def _photo(said: Words, fault: str) -> str:
    about = f'accept="image/jpeg,image/png,image/webp" aria-describedby="how{" fault" if fault else ""}"'
    invalid = ' aria-invalid="true"' if fault else ""
    return f"""<p id="how">{escape(said.photo_how)} {escape(said.private_photo)}</p>
<label for="take">{escape(said.take)}</label>
<input id="take" name="photo" type="file" capture="environment" {about}{invalid}>
<label for="choose">{escape(said.choose)}</label>
<input id="choose" name="photo" type="file" {about}{invalid}>"""


def _place(said: Words, fault: str) -> str:
    told = {"looking": said.looking, "found": said.found, "not-found": said.not_found}
    data = " ".join(f'data-{name}="{escape(words)}"' for name, words in told.items())
    moments = zip(MINUTES_AGO, said.moments, strict=True)
    options = "".join(f'<option value="{minutes}">{escape(words)}</option>' for minutes, words in moments)
    invalid = ' aria-invalid="true"' if fault else ""
    return f"""<button type="button" id="find" hidden {data}>{escape(said.find)}</button>
<p id="told" role="status"></p>
<input type="hidden" name="lat" id="lat"><input type="hidden" name="lon" id="lon">
<input type="hidden" name="accuracy" id="accuracy">
<label for="words">{escape(said.place_words)}</label>
<p class="hint" id="hint">{escape(said.place_hint)}</p>
<input id="words" name="words" maxlength="{LONGEST_WORDS}" autocomplete="off"
 aria-describedby="hint{" fault" if fault else ""}"{invalid}>
<label for="minutes">{escape(said.when)}</label>
<select id="minutes" name="minutes">{options}</select>"""


def _page(language: str, title: str, body: str, *, script: bool = False, switch: bool = True) -> str:
    said, other = WORDS[language], "en" if language == "nl" else "nl"
    code = f'\n<script src="{SCRIPT}" defer></script>' if script else ""
    to_other = f'<a href="?lang={other}" hreflang="{other}" lang="{other}">{escape(said.other)}</a>' if switch else ""
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)} - Burgernet</title>
<link rel="stylesheet" href="{STYLE}">{code}
</head>
<body>
<header><strong>Burgernet</strong>{to_other}</header>
<main>
<p class="danger">{escape(said.danger)}</p>
<h1>{escape(title)}</h1>
{body}
</main>
<footer><p>{escape(said.privacy)}</p></footer>
</body>
</html>
"""
