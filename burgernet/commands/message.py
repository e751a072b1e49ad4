"""`burgernet message`: what the doctor says of a message, and how it will read, before anything goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from actions.desk import Refused
from actions.listing import Listing
from actions.models import Kind
from actions.texts import Texts, faults_in_texts
from alerting.message_doctor import Advice, Findings, Severity, examine
from alerting.previews import Preview, preview, previews
from alerting.renditions import Around
from burgernet.base import Base
from burgernet.commands.terminal import out, with_base
from burgernet.settings import Settings, read_settings

app = typer.Typer(no_args_is_help=True, help="Look at a message before it goes out.")

Title = Annotated[str, typer.Option(help="The title in Dutch.")]
Words = Annotated[str, typer.Option("--text", help="The message in Dutch.")]
TitleEn = Annotated[str, typer.Option(help="The title in English.")]
TextEn = Annotated[str, typer.Option(help="The message in English.")]
OfKind = Annotated[Kind, typer.Option(help="What kind of action it is for.")]
Exercise = Annotated[bool, typer.Option("--exercise", help="It is an exercise: every rendition says so.")]


@app.command()
def check(
    title: Title,
    text: Words,
    title_en: TitleEn = "",
    text_en: TextEn = "",
    kind: OfKind = Kind.LOOK_OUT,
    exercise: Exercise = False,
) -> None:
    """Say what is missing or could be better, and what it costs; exit status 1 when it cannot be sent."""
    texts = worded(title, text, title_en, text_en)
    findings = examine(texts, kind, read_settings().free_number_read, exercise=exercise)
    show(findings, texts)
    for language, count in findings.segments.items():
        out.print(f"{language}: {count} text message{'s' if count > 1 else ''} for each telephone")
    if findings.blocked:
        raise typer.Exit(1)


@app.command("preview")
def preview_message(
    title: Title,
    text: Words,
    title_en: TitleEn = "",
    text_en: TextEn = "",
    kind: OfKind = Kind.LOOK_OUT,
    exercise: Exercise = False,
) -> None:
    """Show how a message would read by every way."""
    texts = worded(title, text, title_en, text_en)
    if faults := faults_in_texts(texts):
        raise Refused(faults)
    _print([preview(texts, kind, around(read_settings()), exercise=exercise)])


def renditions(code: Annotated[str, typer.Argument(help="The spoken code of the action, such as 427.")]) -> None:
    """Show how the messages of an action read by every way."""

    async def work(base: Base) -> Sequence[Preview]:
        listed = await Listing(base.store).with_code(code)
        if listed is None or listed.action.id is None:
            raise Refused([f"no action has code {code!r}; `burgernet action list` shows them"])
        return await previews(base.store, listed.action.id, around(base.settings))

    _print(with_base(work))


def around(settings: Settings) -> Around:
    return Around(settings.free_number_read, settings.site_url, settings.public_url.rstrip("/"))


def worded(title: str, text: str, title_en: str, text_en: str) -> Texts:
    return {"nl": (title, text), "en": (title_en or title, text_en)} if text_en else {"nl": (title, text)}


def show(findings: Findings, texts: Texts, to: Console = out) -> None:
    """Prints the advice; nothing when there is none."""
    if not findings.advice:
        return
    table = Table("", "where", "what", "better", title="Before it goes out", title_justify="left")
    for advice in findings.advice:
        colour = "red" if advice.severity is Severity.BLOCKS else "yellow"
        table.add_row(
            Text(advice.rule, style=colour), Text(_where(advice, texts)), Text(advice.words), Text(advice.suggestion)
        )
    to.print(table)


def _where(advice: Advice, texts: Texts) -> str:
    if advice.where is None or advice.language not in texts:
        return advice.language
    title, body = texts[advice.language]
    piece = (title if advice.where.field == "title" else body)[advice.where.start : advice.where.end].strip()
    return f"{advice.language} {advice.where.field}: {piece if len(piece) <= 40 else piece[:39] + '…'}"


def _print(shown: Sequence[Preview]) -> None:
    for one in shown:
        table = Table("way", "", "size", "text", title=str(one.kind), title_justify="left", show_lines=True)
        for rendition in one.renditions:
            size = f"{rendition.length}{f' of {rendition.most}' if rendition.most else ''} {rendition.unit}"
            said = Text(rendition.text)
            for remark in rendition.remarks:
                said.append(f"\n({remark})", style="yellow")
            table.add_row(rendition.way, rendition.language, size, said)
        out.print(table)
