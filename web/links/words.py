"""What the pages of one-time links say, in Dutch and English. Plain words; danger to life comes first."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("nl", "en")


@dataclass(frozen=True)
class Words:
    other: str  # the other language, in that language
    danger: str
    exercise: str
    photo_title: str
    photo_how: str
    take: str
    choose: str
    place_title: str
    find: str
    looking: str
    found: str
    not_found: str
    place_words: str
    place_hint: str
    when: str
    moments: tuple[str, ...]
    send: str
    once: str
    thanks_title: str
    thanks: str
    gone_title: str
    gone: str
    no_photo: str
    too_large: str
    no_place: str
    busy: str
    privacy: str
    private_photo: str


MINUTES_AGO = (0, 5, 15, 30, 60)
WORDS = {
    "nl": Words(
        other="English",
        danger="Is er levensgevaar? Bel 112.",
        exercise="Dit is een oefening.",
        photo_title="Stuur een foto naar de meldkamer",
        photo_how="Maak een foto of kies een foto. Druk daarna op Verstuur. Breng uzelf niet in gevaar.",
        take="Maak nu een foto",
        choose="Of kies een foto die u al hebt",
        place_title="Zeg waar u het zag",
        find="Gebruik de plaats van dit toestel",
        looking="Wij zoeken uw plaats. Een ogenblik.",
        found="Uw plaats is gevonden, tot op {metres} meter. Druk nu op Verstuur.",
        not_found="Uw plaats is niet gevonden. Typ de plaats hieronder.",
        place_words="Waar was het?",
        place_hint="Postcode en huisnummer, of de straat en de plaats. Bijvoorbeeld: 3011 AB 12.",
        when="Wanneer zag u het?",
        moments=("Nu", "5 minuten geleden", "15 minuten geleden", "30 minuten geleden", "Een uur geleden"),
        send="Verstuur",
        once="U kunt deze pagina één keer gebruiken, binnen 15 minuten na ons bericht.",
        thanks_title="Dank u wel",
        thanks="De meldkamer heeft het ontvangen. U kunt deze pagina sluiten.",
        gone_title="Deze pagina werkt niet meer",
        gone="De link is al gebruikt, te oud of niet goed overgenomen. Wilt u nog iets melden? Bel {number}, of "
        "beantwoord ons bericht.",
        no_photo="Dit kunnen wij niet als foto lezen. Kies een foto van uw toestel (JPEG, PNG of WebP).",
        too_large="Deze foto is te groot. Kies een foto van hoogstens 10 MB.",
        no_place="Wij weten de plaats nog niet. Typ een postcode met huisnummer, of een straat en plaats.",
        busy="Het is nu druk. Probeer het over een minuut opnieuw.",
        privacy="Wat u stuurt, bewaren wij versleuteld voor de politie. Uw nummer staat er niet bij.",
        private_photo="Wij halen plaats, tijd en naam van uw toestel uit de foto.",
    ),
    "en": Words(
        other="Nederlands",
        danger="Is a life in danger? Call 112.",
        exercise="This is an exercise.",
        photo_title="Send a photo to the control room",
        photo_how="Take a photo or choose one. Then press Send. Do not put yourself in danger.",
        take="Take a photo now",
        choose="Or choose a photo that you have",
        place_title="Tell us where you saw it",
        find="Use the place of this device",
        looking="We are looking for your place. One moment.",
        found="Your place is found, to within {metres} metres. Now press Send.",
        not_found="Your place was not found. Type the place below.",
        place_words="Where was it?",
        place_hint="Postcode and house number, or the street and the town. For example: 3011 AB 12.",
        when="When did you see it?",
        moments=("Now", "5 minutes ago", "15 minutes ago", "30 minutes ago", "An hour ago"),
        send="Send",
        once="You can use this page once, within 15 minutes after our message.",
        thanks_title="Thank you",
        thanks="The control room has received it. You can close this page.",
        gone_title="This page does not work any more",
        gone="The link was used already, is too old or was not copied well. Do you want to report something? Call "
        "{number}, or answer our message.",
        no_photo="We cannot read this as a photo. Choose a photo of your device (JPEG, PNG or WebP).",
        too_large="This photo is too large. Choose a photo of at most 10 MB.",
        no_place="We do not know the place yet. Type a postcode with house number, or a street and town.",
        busy="It is busy now. Try again in a minute.",
        privacy="What you send is kept encrypted for the police. Your number does not stand with it.",
        private_photo="We take place, time and name of your device out of the photo.",
    ),
}
