"""Somebody who signs on, as he comes in: where, by what he can be reached, what he wants to hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actions.contacts import CHANNELS, Contact, ContactKind
from actions.numbers import CallerKind
from actions.wishes import Wishes

Place = tuple[str, float, float]
UNLESS_SAID = Wishes()


@dataclass(frozen=True)
class Entry:
    """One participant at one address: RD metres; E.164 number, mail address and push subscription as contacts.Contact
    holds them, at least one; channels such as "sms", each used by the contact that it is for.

    `participant`: entries with the same reference are one participant. Without it one contact at one address is one."""

    language: str
    postcode: str
    x: float
    y: float
    e164: str | None
    kind: CallerKind | None
    channels: frozenset[str]
    mail: str | None = None
    browser: str | None = None
    wishes: Wishes = UNLESS_SAID
    birth_year: int | None = None
    exercise: bool = False
    follows: bool = False
    participant: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a channel without a contact to use."""
        usable = frozenset[str]().union(*(channels for _, channels in self.contacts()))
        if not self.channels or self.channels - usable:
            raise ValueError(
                f"nothing to reach this participant by: {' '.join(sorted(self.channels - usable)) or 'no channel'}"
            )

    @property
    def place(self) -> Place:
        return self.postcode, self.x, self.y

    def contacts(self) -> Sequence[tuple[Contact, frozenset[str]]]:
        """By what to reach him, each with its channels; what no channel is wanted for is left out."""
        telephone = ContactKind.LANDLINE if self.kind is CallerKind.LANDLINE else ContactKind.MOBILE
        given = ((telephone, self.e164), (ContactKind.MAIL, self.mail), (ContactKind.BROWSER, self.browser))
        return [
            (Contact(kind, value), self.channels & CHANNELS[kind])
            for kind, value in given
            if value and self.channels & CHANNELS[kind]
        ]
