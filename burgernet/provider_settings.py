"""The settings of who carries our messages, how fast, and for how much."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from alerting.bounds import ALL, EURO, Bounds, Tariffs

ASecond = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
AtOnce = Annotated[int, Field(ge=1, le=10_000)]
Euros = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
TextProvider = Literal["twilio", "spryng"]
BOTH: list[TextProvider] = ["twilio", "spryng"]


def _no_twice(providers: list[TextProvider]) -> list[TextProvider]:
    if len(set(providers)) < len(providers):
        raise ValueError("name each provider once")
    return providers


def _secret_in_an_address(secret: SecretStr) -> SecretStr:
    plain = secret.get_secret_value()
    if plain and not (len(plain) >= 32 and plain.isascii() and plain.isalnum()):
        raise ValueError("use at least 32 letters and digits, for example from `openssl rand -hex 24`")
    return secret


class ProviderSettings(BaseSettings):
    """Money in euros; 0 is no bound, or no price."""

    sms_providers: Annotated[list[TextProvider], AfterValidator(_no_twice)] = Field(
        default_factory=lambda: list(BOTH),
        description="Who carries texts, the one to be tried first in front, as JSON; those without an account are left "
        "out. When the first fails the next takes over, and gives it back",
    )
    spryng_api_key: SecretStr = Field(SecretStr(""), description="Key of Spryng's API; empty: no texts go by Spryng")
    spryng_sender: str = Field(
        "",
        pattern=r"^[A-Za-z0-9 +]{0,15}$",
        description="Number or name (11 signs) from which Spryng sends texts",
    )
    spryng_hook_secret: Annotated[SecretStr, AfterValidator(_secret_in_an_address)] = Field(
        SecretStr(""),
        description="Secret in the address at which Spryng tells what became of a text (see README); empty: it cannot",
    )
    spryng_api_url: str = Field(
        "https://rest.spryngsms.com/v1", description="Where Spryng's API is; only a test changes it"
    )
    sms_budget: Euros = Field(
        0, description="Euros a day for all texts together; then only AMBER and missing children go out. 0: no bound"
    )
    sms_twilio_a_second: ASecond = Field(0, description="Texts a second that Twilio is given at most; 0: no bound")
    sms_twilio_at_once: AtOnce = Field(100, description="Texts on their way to Twilio side by side, in each process")
    sms_twilio_price: Euros = Field(0, description="What Twilio asks for a part of a text, in euros: `0.085`")
    sms_twilio_budget: Euros = Field(0, description="Euros a day for texts by Twilio, as BURGERNET_SMS_BUDGET")
    sms_spryng_a_second: ASecond = Field(0, description="Texts a second that Spryng is given at most; 0: no bound")
    sms_spryng_at_once: AtOnce = Field(100, description="Texts on their way to Spryng side by side, in each process")
    sms_spryng_price: Euros = Field(0, description="What Spryng asks for a part of a text, in euros")
    sms_spryng_budget: Euros = Field(0, description="Euros a day for texts by Spryng, as BURGERNET_SMS_BUDGET")
    voice_twilio_a_second: ASecond = Field(0, description="Calls a second that Twilio is given at most; 0: no bound")
    voice_twilio_price: Euros = Field(0, description="What Twilio asks for a minute of a call, in euros")
    voice_twilio_budget: Euros = Field(0, description="Euros a day for calls by Twilio, as BURGERNET_SMS_BUDGET")
    voice_trunk_price: Euros = Field(0, description="What the carrier of the trunk asks for a minute, in euros")
    voice_trunk_budget: Euros = Field(0, description="Euros a day for calls by the trunk, as BURGERNET_SMS_BUDGET")
    email_a_second: ASecond = Field(0, description="Mails a second that our mail server is given at most; 0: no bound")
    push_a_second: ASecond = Field(0, description="Push messages a second to the push services at most; 0: no bound")

    @property
    def tariffs(self) -> Tariffs:
        """(channel, provider) -> bounds."""
        return {
            ("sms", ALL): _bounds(budget=self.sms_budget),
            ("sms", "twilio"): _bounds(
                self.sms_twilio_a_second, self.sms_twilio_at_once, self.sms_twilio_price, self.sms_twilio_budget
            ),
            ("sms", "spryng"): _bounds(
                self.sms_spryng_a_second, self.sms_spryng_at_once, self.sms_spryng_price, self.sms_spryng_budget
            ),
            ("voice", "twilio"): _bounds(
                self.voice_twilio_a_second, 0, self.voice_twilio_price, self.voice_twilio_budget
            ),
            ("voice", "asterisk"): _bounds(price=self.voice_trunk_price, budget=self.voice_trunk_budget),
            ("email", "smtp"): _bounds(self.email_a_second),
            ("push", "web-push"): _bounds(self.push_a_second),
        }


def _bounds(a_second: float = 0.0, at_once: int = 0, price: float = 0.0, budget: float = 0.0) -> Bounds:
    return Bounds(a_second, at_once, round(price * EURO), round(budget * EURO))
