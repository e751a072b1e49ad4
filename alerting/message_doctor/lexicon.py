"""Words that the doctor knows: abbreviations with what they stand for; how words of offences and origins begin, as
patterns. All in lower case."""

from __future__ import annotations

# Written with or without their dots.
ABBREVIATIONS = {
    "nl": {
        "a.u.b.": "alstublieft",
        "afd.": "afdeling",
        "alg.": "algemeen",
        "bijv.": "bijvoorbeeld",
        "blz.": "bladzijde",
        "bv.": "bijvoorbeeld",
        "ca.": "ongeveer",
        "cm": "centimeter",
        "d.d.": "van",
        "d.m.v.": "door",
        "dhr.": "de heer",
        "e.d.": "en dergelijke",
        "e.o.": "en omgeving",
        "enz.": "enzovoort",
        "evt.": "misschien",
        "gem.": "gemeente",
        "geb.": "geboren",
        "i.c.m.": "met",
        "i.v.m.": "vanwege",
        "incl.": "met",
        "jr.": "jaar",
        "kl.": "kleur",
        "km": "kilometer",
        "km/u": "kilometer per uur",
        "m.b.t.": "over",
        "max.": "hoogstens",
        "mevr.": "mevrouw",
        "min.": "minuten",
        "mw.": "mevrouw",
        "nr.": "nummer",
        "o.a.": "onder andere",
        "ong.": "ongeveer",
        "pers.": "personen",
        "plm.": "ongeveer",
        "pol.": "politie",
        "r.o.": "richting",
        "ri.": "richting",
        "sig.": "signalement",
        "sign.": "signalement",
        "st.": "straat",
        "str.": "straat",
        "t.h.v.": "bij",
        "t.a.v.": "voor",
        "t/m": "tot en met",
        "tel.": "telefoon",
        "telnr.": "telefoonnummer",
        "v.v.": "en terug",
        "vlgs.": "volgens",
        "wrs.": "waarschijnlijk",
    },
    "en": {
        "abt.": "about",
        "approx.": "about",
        "appr.": "about",
        "asap": "as soon as possible",
        "ave.": "avenue",
        "blk": "black",
        "cm": "centimetres",
        "dir.": "direction",
        "e.g.": "for example",
        "etc.": "and so on",
        "ft": "feet",
        "hrs": "hours",
        "i.e.": "that is",
        "incl.": "including",
        "km": "kilometres",
        "km/h": "kilometres an hour",
        "lh": "left",
        "max.": "at most",
        "min.": "minutes",
        "mph": "miles an hour",
        "nr.": "number",
        "no.": "number",
        "poss.": "possibly",
        "rd.": "road",
        "reg.": "number plate",
        "rh": "right",
        "tel.": "telephone",
        "veh.": "vehicle",
        "w/": "with",
        "yo": "years old",
        "yrs": "years",
    },
}
# Short words in capitals that everybody knows, or that are names.
KNOWN_CAPITALS = frozenset({"AMBER", "STOP", "OK", "TV", "BMW", "VW", "KIA", "MG", "NS", "RET", "HEMA", "IKEA", "USA"})

OFFENCES = {
    "nl": (
        "aanrand", "afpers", "bedreig", "berov", "brandsticht", "crimine", "dader", "delict", "dief", "dieven",
        "diefstal", "doodslag", "drugs", "fraud", "gestolen", "gewapend", "heling", "inbra", "inbrek",
        "kidnap", "misdrijf", "misbruik", "mishandel", "moord", "ontvoer", "oplicht", "overval", "pedo", "plof",
        "roof", "schiet", "steekpartij", "stelen", "straatrov", "terror", "verdacht", "verkracht", "vluchtmisdrijf",
        "voortvluchtig", "wapen", "zakkenrol", "zeden",
    ),
    "en": (
        "abduct", "armed", "arson", "assault", "blackmail", "burglar", "crimin", "culprit", "drugs",
        "fraud", "fugitive", "gun", "kidnap", "killer", "knife", "manslaughter", "mugg(?:ed|er)", "murder", "offend",
        "paedo", "perpetrat", "pickpocket", "rapist", "robbed", "robber", "shooting", "stabb", "stolen", "suspect",
        "terror", "theft", "thief", "thieves", "weapon",
    ),
}  # fmt: skip
ORIGINS = {
    "nl": (
        "afghaan", "afrikaan", "allochto", "antillia", "arabi", "aziat", "berber", "bulgaar", "chine", "donkere man",
        "eritre", "iraaks", "iraans", "jood", "joods", "koerd", "latijns-amerika", "marokka", "midden-oosten",
        "migra", "moslim", "neger", "negro", "noord-afrika", "oost-europ", "pakista", "poolse?",
        "roemeen", "russisch", "somali", "surina", "syri", r"turk(?:s|se|en)?\b", "vluchteling", "zigeuner",
        "zuid-europ", "asielzoeker", "buitenland",
    ),
    "en": (
        "african", "afghan", "antillean", "arab", "asian", "asylum", "bulgarian", "chinese", "eastern europ",
        "eritrean", "foreign", "gyps", "immigrant", "iranian", "iraqi", "jewish", "kurd", "latino", "middle eastern",
        "migrant", "moroccan", "muslim", "negro", "north african", "pakistani", r"polish\b", "refugee", "romanian",
        "russian", "somali", "surinamese", "syrian", "turkish",
    ),
}  # fmt: skip
# A plate is of a country, and a street may be named after one: then nobody's origin is told.
NOT_OF_A_PERSON = {
    "nl": r"(?:kenteken|nummerplaat|nummerbord|plaat|auto|restaurant|winkel)",
    "en": r"(?:number plate|plate|registration|car|restaurant|shop)",
}

TIME = {
    "nl": r"\b\d{1,2}[:.]\d{2}\b|\b\d{1,2} uur\b|\b(?:vannacht|vanmorgen|vanochtend|vanmiddag|vanavond|vandaag|gisteren"
    r"|eergisteren|zojuist|net nog|zonet|daarnet|geleden|sinds|ochtend|middag|avond|nacht|(?:maan|dins|woens|donder"
    r"|vrij|zater|zon)dag|half (?:een|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|twaalf)|kwart)\b",
    "en": r"\b\d{1,2}[:.]\d{2}\b|\b\d{1,2} ?(?:am|pm|o'clock)\b|\b(?:tonight|this (?:morning|afternoon|evening)|today"
    r"|yesterday|just now|ago|since|last night|noon|midnight|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
}
DIRECTION = {
    "nl": r"\b(?:richting|kant op|noord\w*|oost\w*|zuid\w*|west\w*|stad in|stad uit|weggereden|weggelopen|weggefietst"
    r"|(?:liep|loopt|reed|rijdt|rende|rent|fietste|fietst|ging|gaat|vertrok|vluchtte) \b[^.!?]{0,40}?\b(?:naar|over"
    r"|langs|weg|in|uit)|onbekend waarheen)\b",
    "en": r"\b(?:direction|towards?|heading|headed|north\w*|east\w*|south\w*|west\w*|into town|out of town|away from"
    r"|(?:walked|ran|drove|went|left|cycled|rode)\b[^.!?]{0,40}?\b(?:to|along|into|for|away))\b",
}
# What would send people towards somebody: everything else that we say tells them not to go.
APPROACH = {
    "nl": r"\b(?:spreek (?:hem|haar|ze|hen|het kind)? ?aan|houd? (?:hem|haar|ze|hen|het kind) (?:aan|vast|tegen)"
    r"|volg (?:hem|haar|ze|hen|de auto)|ga (?:er)?naar (?:hem|haar|hen) toe|grijp\w*)\b",
    "en": r"\b(?:speak to (?:him|her|them)|talk to (?:him|her|them)|hold (?:him|her|them)|stop (?:him|her|them)"
    r"|follow (?:him|her|them|the car)|go up to (?:him|her|them)|detain\w*)\b",
}
