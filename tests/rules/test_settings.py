"""What a deployment must say before anything starts."""

import os
from pathlib import Path

import pytest

from alerting.bounds import Bounds, price_of
from burgernet.settings import PREFIX, Settings, SettingsMissing, read_settings, table

SECRETS = {
    "REDIS_URL": "redis://:sesame-sesame-open@127.0.0.1:6379/0",
    "REGISTER_KEYS": "1:register-key",
    "POLICE_KEYS": "1:police-key",
    "ARI_PASSWORD": "ari-password-of-20-signs",
    "AMI_PASSWORD": "ami-password-of-20-signs",
    "SIP_SECRET": "sip-secret-of-20-signs",
}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting from outside."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, bare: None) -> pytest.MonkeyPatch:
    """Everything that has no default is set."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(PREFIX + name, value)
    return monkeypatch


def refusal() -> str:
    with pytest.raises(SettingsMissing) as refused:
        read_settings()
    return str(refused.value)


def test_without_any_setting_all_that_are_missing_are_named_at_once() -> None:
    said = refusal()
    assert [name for name in SECRETS if f"{PREFIX}{name}: " not in said] == []
    assert len(said.splitlines()) == 1 + len(SECRETS)


def test_no_secret_has_a_default() -> None:
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
    assert required == set(SECRETS)


def test_with_the_secrets_alone_it_starts_on_loopback_and_sqlite(given: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    assert settings.database_url.startswith("sqlite")
    assert settings.ari_url == "http://127.0.0.1:8088"
    assert settings.app == "burgernet-one"


def test_a_file_named_env_is_read_too(given: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"{PREFIX}CONTROLLER=two\n{PREFIX}SOMETHING_ELSE=1\n")
    assert read_settings().controller == "two"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("ARI_URL", "http://8.8.8.8:8088"),
        ("ARI_URL", "http://[2a00:1450::1]:8088"),
        ("ARI_URL", "http://asterisk.example.com:8088"),
        ("ARI_URL", "http://127.0.0.1.example.com"),
        ("ARI_URL", "http://127.0.0.1@8.8.8.8"),
        ("ARI_URL", "http://0.0.0.0:8088"),
        ("ARI_URL", "http://[::]:8088"),
        ("ARI_URL", "http://134744072:8088"),
        ("ARI_URL", "http://[::1"),
        ("ARI_URL", "nonsense"),
        ("ARI_URL", ""),
        ("AMI_URL", "tcp://8.8.8.8:5038"),
        ("REDIS_URL", "redis://:sesame-sesame-open@redis.example.com/0"),
        ("CONTROL_BIND", "0.0.0.0"),
        ("CONTROL_BIND", "::"),
        ("CONTROL_BIND", "8.8.8.8"),
    ],
)
def test_a_control_port_on_a_public_address_is_refused(given: pytest.MonkeyPatch, name: str, address: str) -> None:
    given.setenv(PREFIX + name, address)
    said = refusal()
    assert f"{PREFIX}{name}: " in said
    assert "sesame" not in said


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.1.2.3", "192.168.0.9", "[fd00::5]", "asterisk", "localhost", "pbx.internal"]
)
def test_a_private_address_is_good(given: pytest.MonkeyPatch, host: str) -> None:
    given.setenv(f"{PREFIX}ARI_URL", f"http://{host}:8088")
    given.setenv(f"{PREFIX}CONTROL_BIND", host.strip("[]"))
    assert read_settings().ari_url == f"http://{host}:8088"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARI_PASSWORD", "short"),
        ("SIP_SECRET", ""),
        ("CONTROLLER", "Two words"),
        ("CONTROLLER", ""),
        ("CONTROLLER", "fourteensigns1"),
        ("FREE_NUMBER", "+318000011"),
        ("FREE_NUMBER", "08000011\n"),
        ("RTP_PORTS", "10000"),
        ("TRUNK_CONTACT", "sip:a.example;x"),
        ("OUTBOUND_CHANNELS", "-1"),
        ("OUTBOUND_CHANNELS", "many"),
        ("MAX_CALL_S", "59"),
        ("ROOM_PATIENCE_S", "0"),
        ("ROOM_PATIENCE_S", "nan"),
        ("ROOM_PATIENCE_S", "inf"),
        ("ASTERISK_INSTANCE", "../other"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_not_shown(given: pytest.MonkeyPatch, name: str, value: str) -> None:
    given.setenv(PREFIX + name, value)
    said = refusal()
    assert f"{PREFIX}{name}: " in said
    assert len(value) < 5 or value not in said


def test_the_carrier_is_called_by_the_contact_alone_then_by_the_listed_ones(given: pytest.MonkeyPatch) -> None:
    given.setenv(f"{PREFIX}TRUNK_CONTACTS", '["sip:192.0.2.1:5060","sip:192.0.2.2:5060"]')
    assert read_settings().carriers == ("sip:192.0.2.1:5060", "sip:192.0.2.2:5060")
    given.setenv(f"{PREFIX}TRUNK_CONTACT", "sip:192.0.2.2:5060")
    assert read_settings().carriers == ("sip:192.0.2.2:5060", "sip:192.0.2.1:5060")


@pytest.mark.parametrize("name", ["TRUNK_ADDRESSES", "ALLOWED_PREFIXES", "REFUSED_PREFIXES"])
def test_a_list_that_is_no_json_is_refused_with_the_right_form(given: pytest.MonkeyPatch, name: str) -> None:
    given.setenv(PREFIX + name, "192.0.2.1,192.0.2.2")
    said = refusal()
    assert name.lower() in said
    assert 'as JSON: ["+31","+32"]' in said


def test_a_secret_does_not_show_when_the_settings_are_printed(given: pytest.MonkeyPatch) -> None:
    printed = repr(read_settings())
    for name in ("REGISTER_KEYS", "POLICE_KEYS", "ARI_PASSWORD", "AMI_PASSWORD", "SIP_SECRET"):
        assert SECRETS[name] not in printed


def test_the_settings_cannot_be_changed_afterwards(given: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings().controller = "two"  # type: ignore[misc]


def test_the_table_has_one_row_a_setting_and_marks_what_is_required() -> None:
    rows = table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    assert {row.split("`")[1].removeprefix(PREFIX) for row in rows if "**required**" in row} == set(SECRETS)
    assert all(row.count("|") == 4 and len(row.split("|")[3].strip()) > 5 for row in rows)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMS_PROVIDERS", '["twilio","twilio"]'),
        ("SMS_PROVIDERS", '["messagebird"]'),
        ("SMS_TWILIO_PRICE", "-0.01"),
        ("SMS_BUDGET", "inf"),
        ("SMS_SPRYNG_AT_ONCE", "0"),
        ("SPRYNG_HOOK_SECRET", "short-and-with-signs"),
    ],
)
def test_what_no_provider_can_be_given_is_refused(given: pytest.MonkeyPatch, name: str, value: str) -> None:
    given.setenv(PREFIX + name, value)
    assert f"{PREFIX}{name}" in refusal()


def test_prices_and_budgets_in_euros_are_kept_to_the_millionth(given: pytest.MonkeyPatch) -> None:
    given.setenv(f"{PREFIX}SMS_TWILIO_PRICE", "0.0853")
    given.setenv(f"{PREFIX}SMS_TWILIO_BUDGET", "250.5")
    given.setenv(f"{PREFIX}SMS_TWILIO_A_SECOND", "12.5")
    tariffs = read_settings().tariffs
    assert tariffs["sms", "twilio"] == Bounds(12.5, 100, 85_300, 250_500_000)
    assert price_of(tariffs, "sms", "twilio", 3) == 255_900
    assert price_of(tariffs, "sms", "somebody else", 3) == 0
