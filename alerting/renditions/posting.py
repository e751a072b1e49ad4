"""A post for everybody to read. Nobody subscribed to it here, so it tells nobody how to sign off."""

from __future__ import annotations

from collections.abc import Callable

from alerting.renditions.fitting import Fitted, fitted
from alerting.renditions.notice import Notice, marked, sentence
from alerting.renditions.wording import closing, opening


def post(notice: Notice, free_number: str, link: str, fits: Callable[[str], bool]) -> Fitted:
    """As much of the notice as fits, always with what to do and the link."""

    def dress(title: str, body: str) -> str:
        words = [sentence(words) for words in (title, body) if words]
        return marked(notice, f"{opening(notice)}{' '.join((*words, closing(notice, free_number)))} {link}")

    return fitted(dress, notice.title, notice.body, fits)
