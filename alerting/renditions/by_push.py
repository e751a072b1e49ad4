"""A message as a notification on a screen: title, text, picture. It fits into one Web Push message.

The form is that of declarative Web Push, which some browsers show without any script of ours; for all others the
service worker reads the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from actions.models import MessageKind
from alerting.renditions.fitting import fitted
from alerting.renditions.notice import Notice, marked, sentence
from alerting.renditions.wording import closing, opening

# RFC 8030 lets a push service refuse more than 4,096 bytes; RFC 8291 takes 103 of them.
LARGEST = 3993
DECLARATIVE = 8030
SIGN_OFF = {"nl": "Afmelden", "en": "Unsubscribe"}


@dataclass(frozen=True)
class Push:
    """`tag`: what replaces what on a screen. `image`: the address of a picture. `link`: what opens at a tap.
    `sign_off`: where its reader signs off. `shown`: where the browser tells that it was shown.
    `insists`: it stays until its reader closes it. `whole`: nothing of the message had to go."""

    title: str
    body: str
    language: str
    tag: str
    link: str
    sign_off: str
    shown: str | None = None
    image: str | None = None
    insists: bool = False
    whole: bool = True

    def payload(self) -> bytes:
        """As it goes to the browser, at most LARGEST bytes of UTF-8."""
        notification: dict[str, Any] = {
            "title": self.title,
            "body": self.body,
            "lang": self.language,
            "tag": self.tag,
            "renotify": True,
            "requireInteraction": self.insists,
            "navigate": self.link,
            "actions": [{"action": "sign-off", "title": SIGN_OFF[self.language], "navigate": self.sign_off}],
            "data": {"link": self.link, "signOff": self.sign_off, "shown": self.shown},
        }
        if self.image:
            notification["image"] = self.image
        document = {"web_push": DECLARATIVE, "notification": notification}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def push(
    notice: Notice, free_number: str, link: str, sign_off: str, shown: str | None = None, image: str | None = None
) -> Push:
    """The notice as a notification. What the number and the code are is never cut; of a very long text words go from
    its end."""
    insists = notice.kind != MessageKind.RESULT
    made = Push("", "", notice.language, f"action-{notice.action_id}", link, sign_off, shown, image, insists)

    def dress(title: str, body: str) -> str:
        return f"{_title(notice, title)}\n{_body(notice, body, free_number)}"

    def dressed(text: str) -> Push:
        title, _, body = text.partition("\n")
        return replace(made, title=title, body=body)

    told = fitted(dress, notice.title, notice.body, lambda text: len(dressed(text).payload()) <= LARGEST)
    return replace(dressed(told.text), whole=told.whole)


def _title(notice: Notice, title: str) -> str:
    return marked(notice, f"{opening(notice)}{sentence(' '.join(title.split()))}")


def _body(notice: Notice, body: str, free_number: str) -> str:
    words = [sentence(body)] if body else []
    return marked(notice, " ".join([*words, closing(notice, free_number)]))
