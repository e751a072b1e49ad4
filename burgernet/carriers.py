"""How fast and for how much each channel takes messages here, for a look ahead."""

from __future__ import annotations

from collections.abc import Mapping

from alerting.audience.preview import Carrier
from alerting.bounds import Bounds
from burgernet.settings import Settings

# What a provider takes to answer, and how long a channel of the trunk is busy with a call: from the first ring to the
# last word. Only for reckoning how long a wave takes.
ANSWER_S, CALL_S = 0.2, 40.0


def carriers(settings: Settings) -> Mapping[str, Carrier]:
    """By channel. Texts go by the first provider that has an account, calls by the trunk if there is one."""
    tariffs = settings.tariffs
    texts = tariffs.get(("sms", _texts_by(settings)), Bounds())
    by_trunk, by_twilio = tariffs.get(("voice", "asterisk"), Bounds()), tariffs.get(("voice", "twilio"), Bounds())
    calls = by_trunk if settings.carriers else by_twilio
    calls_a_second = settings.outbound_channels / CALL_S if settings.carriers else by_twilio.a_second
    return {
        "sms": Carrier(texts.a_second or texts.at_once / ANSWER_S, texts.price),
        "voice": Carrier(calls_a_second, calls.price),
        "email": Carrier(tariffs.get(("email", "smtp"), Bounds()).a_second),
        "push": Carrier(tariffs.get(("push", "webpush"), Bounds()).a_second),
    }


def _texts_by(settings: Settings) -> str:
    accounts = {"twilio": settings.twilio_account_sid, "spryng": settings.spryng_api_key.get_secret_value()}
    with_account = [provider for provider in settings.sms_providers if accounts[provider]]
    return (with_account or [*settings.sms_providers, "twilio"])[0]
