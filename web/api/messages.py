"""Messages before and after they go out: what the doctor says, how they read by every way."""

from __future__ import annotations

from collections.abc import Sequence

from actions.texts import Texts
from alerting.message_doctor import Advice, examine
from alerting.previews import previews
from web.access.tokens import Scope
from web.api.actions import NO_ACTION, visible
from web.api.answers import AdviceOut, FindingsOut, MessageRenditionsOut, RenditionOut, RenditionsOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.shapes import ActionPath, MessageCheckBody


async def check_message(office: Office, asked: Asked, body: MessageCheckBody) -> Reply[FindingsOut]:
    """The check is done at once, here: it takes some milliseconds."""
    texts: Texts = body.words.plain()
    findings = examine(texts, body.kind, office.around.free_number, body.message, exercise=body.exercise)
    return Reply(
        FindingsOut(
            can_be_sent=not findings.blocked,
            segments=dict(findings.segments),
            advice=[_out(advice) for advice in findings.advice],
        )
    )


async def get_renditions(office: Office, asked: Asked, path: ActionPath) -> Reply[RenditionsOut]:
    await visible(office, asked, path.id)
    shown = await previews(office.store, path.id, office.around)
    return Reply(
        RenditionsOut(
            messages=[
                MessageRenditionsOut(
                    message=one.message_id,
                    kind=one.kind.value,
                    renditions=[
                        RenditionOut.model_validate({**vars(rendition), "remarks": list(rendition.remarks)})
                        for rendition in one.renditions
                    ],
                )
                for one in shown
            ]
        )
    )


def _out(advice: Advice) -> AdviceOut:
    where = advice.where
    return AdviceOut(
        rule=advice.rule,
        severity=advice.severity.value,
        language=advice.language,
        field=where.field if where else None,
        start=where.start if where else None,
        end=where.end if where else None,
        words=advice.words,
        suggestion=advice.suggestion,
    )


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "POST",
        "/message-checks",
        Scope.ACTIONS_READ,
        "What could be better in a message, and what it costs, before it goes out",
        check_message,
    ),
    Endpoint(
        "GET",
        "/actions/{id}/renditions",
        Scope.ACTIONS_READ,
        "How the messages of an action read by every way; of a draft the alert that waits",
        get_renditions,
        refuses=NO_ACTION,
    ),
)
