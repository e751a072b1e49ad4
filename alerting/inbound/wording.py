"""What we answer to a text. One part of a text message each where it fits; danger to life always means 112."""

from __future__ import annotations

from enum import StrEnum

from actions.links import Purpose


class Answer(StrEnum):
    STOPPED = "stopped"
    STARTED = "started"
    STRANGER = "stranger"  # START from a number that takes no part
    TIP = "tip"
    TIP_PHOTO = "tip_photo"  # with a link for a photo
    TIP_PLACE = "tip_place"  # with a link for a place
    PHOTO_LINK = "photo_link"  # no answer: a link that an operator sends
    PLACE_LINK = "place_link"
    EXERCISE = "exercise"  # the code of an exercise, from somebody who takes part in none
    WHICH = "which"
    SAY_WHAT = "say_what"  # a code, and nothing with it
    NOTHING_OPEN = "nothing_open"
    UNCLEAR = "unclear"


WORDS = {
    "nl": {
        Answer.STOPPED: "Burgernet: u krijgt geen berichten meer. Toch weer meedoen? Antwoord START.",
        Answer.STARTED: "Burgernet: u krijgt weer berichten. Geen berichten meer? Antwoord STOP.",
        Answer.STRANGER: "Burgernet: dit nummer doet nog niet mee. Aanmelden kan op www.burgernet.nl.",
        Answer.TIP: "Burgernet: de meldkamer heeft uw tip over actie {code} ontvangen. Levensgevaar? Bel 112.",
        Answer.TIP_PHOTO: "Burgernet: uw tip over actie {code} is ontvangen. Ook een foto? Stuur hem binnen 15 minuten "
        "via {link} Levensgevaar? Bel 112.",
        Answer.TIP_PLACE: "Burgernet: uw tip over actie {code} is ontvangen. Waar was het? Zeg het binnen 15 minuten "
        "via {link} Levensgevaar? Bel 112.",
        Answer.PHOTO_LINK: "Burgernet: stuur uw foto binnen 15 minuten via {link} Levensgevaar? Bel 112.",
        Answer.PLACE_LINK: "Burgernet: zeg binnen 15 minuten waar u het zag via {link} Levensgevaar? Bel 112.",
        Answer.EXERCISE: "Burgernet: deze code hoort bij een oefening. Zag u echt iets? Antwoord met de code uit ons "
        "bericht. Levensgevaar? Bel 112.",
        Answer.WHICH: "Burgernet: over welke actie gaat dit? Antwoord met de code van drie cijfers uit ons bericht. "
        "Levensgevaar? Bel 112.",
        Answer.SAY_WHAT: "Burgernet: wat hebt u gezien? Antwoord met code {code} en wat u zag. Levensgevaar? Bel 112.",
        Answer.NOTHING_OPEN: "Burgernet: er loopt nu geen actie. Levensgevaar? Bel 112. Geen spoed? Bel 0900-8844.",
        Answer.UNCLEAR: "Burgernet: wij weten niet waar dit over gaat. Iets gezien? Stuur de code van de actie en wat "
        "u zag, of bel {number}. Levensgevaar? Bel 112. Geen berichten meer? Antwoord STOP.",
    },
    "en": {
        Answer.STOPPED: "Burgernet: you get no more messages. Take part again? Answer START.",
        Answer.STARTED: "Burgernet: you get messages again. No more messages? Answer STOP.",
        Answer.STRANGER: "Burgernet: this number does not take part yet. Sign up at www.burgernet.nl.",
        Answer.TIP: "Burgernet: the control room has received your tip about action {code}. Danger to life? Call 112.",
        Answer.TIP_PHOTO: "Burgernet: we have your tip about action {code}. A photo as well? Send it within 15 minutes "
        "by {link} Danger to life? Call 112.",
        Answer.TIP_PLACE: "Burgernet: we have your tip about action {code}. Where was it? Tell us within 15 minutes "
        "by {link} Danger to life? Call 112.",
        Answer.PHOTO_LINK: "Burgernet: send your photo within 15 minutes by {link} Danger to life? Call 112.",
        Answer.PLACE_LINK: "Burgernet: tell us within 15 minutes where you saw it by {link} Danger to life? Call 112.",
        Answer.EXERCISE: "Burgernet: this code belongs to an exercise. Did you really see something? Answer with the "
        "code in our message. Danger to life? Call 112.",
        Answer.WHICH: "Burgernet: which action is this about? Answer with the code of three digits in our message. "
        "Danger to life? Call 112.",
        Answer.SAY_WHAT: "Burgernet: what did you see? Answer with code {code} and what you saw. "
        "Danger to life? Call 112.",
        Answer.NOTHING_OPEN: "Burgernet: no action is open now. Danger to life? Call 112. Not urgent? Call 0900-8844.",
        Answer.UNCLEAR: "Burgernet: we do not know what this is about. Seen something? Text the code of the action and "
        "what you saw, or call {number}. Danger to life? Call 112. No more messages? Answer STOP.",
    },
}


MARK = {"nl": "OEFENING. ", "en": "EXERCISE. "}
LINK_TEXT = {Purpose.PHOTO: Answer.PHOTO_LINK, Purpose.PLACE: Answer.PLACE_LINK}
TIP_WITH_LINK = {Purpose.PHOTO: Answer.TIP_PHOTO, Purpose.PLACE: Answer.TIP_PLACE}
WITH_LINK = frozenset((*LINK_TEXT.values(), *TIP_WITH_LINK.values()))


def words(answer: str, language: str, code: str, free_number: str, link: str = "", *, exercise: bool = False) -> str:
    """The answer as a text message. `code`: of the action it is about, if any, and whether that is an `exercise`;
    `free_number` as people read it; `link`: for those that hold one."""
    known = language if language in WORDS else "nl"
    said = WORDS[known][Answer(answer)].format(code=code, number=free_number, link=link)
    return f"{MARK[known]}{said}" if exercise else said
