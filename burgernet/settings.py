"""Every setting, from the environment (prefix BURGERNET_) or a `.env` file. Secrets have no default: what is missing is
named, all at once, and nothing starts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationError
from pydantic_settings import SettingsConfigDict, SettingsError

from actions.desk import LIFETIME
from actions.endings import Reminders
from actions.models import Kind
from burgernet.channel_settings import ChannelSettings
from burgernet.logs import LogFormat
from burgernet.provider_settings import ProviderSettings

PREFIX = "BURGERNET_"
PRIVATE_ENDINGS = (".internal", ".local", ".localhost")


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A bare number is an address in disguise.
        return bool(host) and not host.isdigit() and ("." not in host or host.endswith(PRIVATE_ENDINGS))
    # 0.0.0.0 counts as private, but whoever listens there can be reached from everywhere.
    return address.is_private and not address.is_unspecified


def _private(url: str) -> str:
    host = urlsplit(url).hostname or ""
    if not _is_private(host):
        raise ValueError(
            f"{host or 'an empty host'} is not on loopback or a private network; Asterisk's and Redis' control "
            "ports must never be reachable from outside. Use 127.0.0.1, a private address or a name without dots"
        )
    return url


def _private_address(address: str) -> str:
    if address and not _is_private(address):
        raise ValueError(f"{address} is not on loopback or a private network; use 127.0.0.1 or a private address")
    return address


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < 16:
        raise ValueError("use at least 16 characters")
    return secret


def _network(network: str) -> str:
    return str(ipaddress.ip_network(network))


def _private_bind(bind: str) -> str:
    host, _, port = bind.rpartition(":")
    if bind and not (_is_private(host.strip("[]")) and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(
            f"{bind} is not HOST:PORT on loopback or a private network; whoever reads metrics sees how busy a room is. "
            "Use 127.0.0.1:9090 or a private address"
        )
    return bind


def _node_address(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not (_is_private(host) and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(f"{address} is not HOST:PORT on loopback or a private network, like 10.0.0.2:5060")
    return address


def _dialled(numbers: list[str]) -> list[str]:
    if wrong := [number for number in numbers if not re.fullmatch(r"\+[1-9]\d{6,14}|0\d{6,10}", number)]:
        raise ValueError(f"{', '.join(wrong)}: write a number as +31850001234 or 0850001234")
    return numbers


Contact = Annotated[str, StringConstraints(pattern=r"^sip:[A-Za-z0-9.:-]+$")]
Network = Annotated[str, AfterValidator(_network)]
# With it begin the ids of its calls, 40 characters with what Asterisk adds.
ControllerName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,13}$")]
PrivateUrl = Annotated[str, AfterValidator(_private)]
PrivateAddress = Annotated[str, AfterValidator(_private_address)]
PrivateBind = Annotated[str, AfterValidator(_private_bind)]
NodeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,19}$")]
NodeAddress = Annotated[str, AfterValidator(_node_address)]
OpenMinutes = Annotated[int, Field(ge=1, le=14 * 24 * 60)]
RemindShare = Annotated[float, Field(gt=0, le=1)]
PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")]
Secret = Annotated[SecretStr, AfterValidator(_long_enough)]


class Settings(ProviderSettings, ChannelSettings):
    """What a deployment tells Burgernet. Each field's description is the row of the table in docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field(
        "sqlite+aiosqlite:///var/burgernet.db",
        description="Database: `sqlite+aiosqlite:///FILE`, or `postgresql+asyncpg://USER:PASSWORD@HOST/NAME`",
    )
    redis_url: PrivateUrl = Field(description="Redis, with password: `redis://:PASSWORD@HOST:PORT/0`")
    register_keys: SecretStr = Field(
        description="Keys of the participant register, newest last: `1:BASE64,2:BASE64` (see `burgernet keys new`)"
    )
    police_keys: SecretStr = Field(description="Keys of the police data (calls, tips, recordings), same form")

    controller: ControllerName = Field("one", description="Name of this controller; its lease")
    controllers: list[ControllerName] = Field(
        default_factory=list,
        description="Names of all controllers of the same Asterisk node, as JSON: "
        '`["one","two"]`; they replace each other. Empty: this one alone',
    )
    node: NodeName = Field("main", description="Name of this controller's Asterisk node")
    nodes: dict[NodeName, NodeAddress] = Field(
        default_factory=dict,
        description="SIP addresses of the Asterisk nodes that share this database and Redis, as JSON: "
        '`{"a":"10.0.0.1:5060","b":"10.0.0.2:5060"}`; this one may stand among them. Empty: there is one node',
    )
    node_lost_s: float = Field(
        30,
        ge=5,
        le=600,
        description="So long another node and all its controllers must be gone before its waiting callers are called "
        "back from here, in seconds",
    )
    ari_url: PrivateUrl = Field("http://127.0.0.1:8088", description="Asterisk's ARI, on loopback or a private network")
    ari_user: str = Field("burgernet", description="ARI user")
    ari_password: Secret = Field(description="ARI password")
    ami_url: PrivateUrl = Field("tcp://127.0.0.1:5038", description="Asterisk's manager port, same network")
    ami_user: str = Field("burgernet", description="AMI user (observes only)")
    ami_password: Secret = Field(description="AMI password")
    sip_secret: Secret = Field(description="Secret from which each operator's SIP password is derived")
    sip_public: str = Field(
        "",
        pattern=r"^(sips?:[^\s<>]+)?$",
        description="The free number's SIP address, as Twilio reaches it: `sip:08000011@sip.example.nl`; its source "
        "addresses belong in BURGERNET_TRUNK_ADDRESSES. Empty: key 1 in an alert by Twilio leads to a tip",
    )
    sip_bind: str = Field("127.0.0.1:5060", description="Address and port of Asterisk's SIP transport")
    rtp_ports: str = Field("10000-10999", pattern=r"^\d{4,5}-\d{4,5}$", description="RTP port range")
    trunk_addresses: list[str] = Field(
        default_factory=list, description='Source addresses of the carrier\'s trunk, as JSON: `["192.0.2.1"]`'
    )
    trunk_contacts: list[Contact] = Field(
        default_factory=list,
        description="Where the carrier takes our calls, the one to be tried first in front, as JSON: "
        '`["sip:192.0.2.1:5060","sip:192.0.2.2:5060"]`',
    )
    trunk_contact: str = Field(
        "", pattern=r"^(sip:[A-Za-z0-9.:-]+)?$", description="The same for one address alone: `sip:HOST:PORT`"
    )
    trunk_user: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._+-]{0,80}$",
        description="User as whom we register at each of the carrier's contacts; empty: it knows us by our address",
    )
    trunk_password: SecretStr = Field(SecretStr(""), description="Password of that user, also for calls of ours")
    exercise_trunk_contact: str = Field(
        "",
        pattern=r"^(sip:[A-Za-z0-9.:-]+)?$",
        description="Where calls of exercises go, and no others: `sip:HOST:PORT`. Empty: exercises place no calls",
    )
    exercise_trunk_addresses: list[str] = Field(
        default_factory=list,
        description="Source addresses of that trunk, none of them the carrier's; calls from there are about exercises, "
        'as JSON: `["192.0.2.9"]`',
    )
    link_in_answer: Literal["", "photo", "place"] = Field(
        "", description="What our answer to a tip by text invites to send by a one-time link: `photo` or `place`"
    )
    sip_external: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.:-]*$",
        description="Address by which Asterisk is reached from outside when it stands behind NAT; empty: it does not",
    )
    sip_secured: list[Literal["trunk", "operators"]] = Field(
        default_factory=list,
        description="Who speaks SIP over TLS and sends sound as SRTP, and nothing else, as JSON: "
        '`["trunk","operators"]`; needs the four settings that follow',
    )
    sip_tls_bind: str = Field("", description="Address and port of SIP over TLS, beside UDP: `10.0.0.5:5061`")
    sip_certificate: Path | None = Field(None, description="Certificate of Asterisk with its chain, a PEM file")
    sip_key: Path | None = Field(None, description="Its private key, a PEM file without passphrase")
    sip_authorities: Path | None = Field(
        None, description="Certificates of the authorities that vouch for the carrier, a PEM file"
    )
    sip_networks: list[Network] = Field(
        default_factory=list,
        description='Networks whose SIP is listened to, beside the trunk\'s, as JSON: `["10.0.0.0/8"]`; empty: all',
    )
    most_calls: int = Field(
        3000, ge=10, le=100_000, description="Most calls in one Asterisk; the next is told to go elsewhere"
    )
    control_bind: PrivateAddress = Field(
        "", description="Address on which Asterisk serves ARI and AMI; empty: the host of BURGERNET_ARI_URL"
    )
    asterisk_instance: str = Field(
        "main", pattern=r"^[a-z0-9-]{1,30}$", description="Name of the Asterisk instance to render and start"
    )
    asterisk_root: Path | None = Field(
        None,
        description="Root of an installed Asterisk tree; empty: the system's own, else /var/lib/burgernet/asterisk",
    )
    sounds_dir: Path | None = Field(
        None, description="Where rendered prompts are kept; empty: in the folder of the Asterisk on this machine"
    )
    sounds_seen_as: str = Field("", description="The same folder as Asterisk sees it; empty: the same path")
    spool_file: Path = Field(Path("var/calls.spool"), description="Call facts kept here while the database is away")

    free_number: str = Field("08000011", pattern=r"^0\d{6,10}$", description="The number participants call")
    callback_numbers: Annotated[list[str], AfterValidator(_dialled)] = Field(
        default_factory=list,
        description="Other numbers of ours that rang or texted people and lead here through the trunk, called back "
        'like the free number, as JSON: `["+31850001234"]`',
    )
    callback_first: Literal["caller", "operator"] = Field(
        "caller",
        description="Who is rung first when somebody is called back: `caller` (the operator is kept free meanwhile) "
        "or `operator` (who waits on the line)",
    )
    grace_minutes: int = Field(
        60, ge=0, le=1440, description="So long after an action ended its people can still speak with the room, minutes"
    )
    fallback_room: str = Field("landelijk", description="Room for callers whose region is not known, in the fall-back")
    allowed_prefixes: list[str] = Field(
        ["+31"], description='Number ranges that may be called and texted, as JSON: `["+31"]`'
    )
    refused_prefixes: list[str] = Field(
        ["+3190", "+3184", "+3187", "+31676"], description="Ranges inside those that may not (paid and virtual numbers)"
    )
    outbound_channels: int = Field(30, ge=0, le=1000, description="Most outbound calls at one moment")
    voice_calls_a_second: float = Field(
        20, gt=0, le=1000, description="Most voice alerts that begin in one second, on one controller"
    )
    amber_waits_for_operators: bool = Field(
        False,
        description="Whether voice alerts of an AMBER action, too, begin only as fast as operators are free for who "
        "presses 1",
    )
    trunk_channels: int = Field(
        0, ge=0, le=10_000, description="Calls that the carrier's trunk takes at once, for the alarm; 0: not known"
    )
    max_call_s: int = Field(3600, ge=60, le=14400, description="Longest call, in seconds")
    calls_a_minute_per_caller: int = Field(
        6, ge=1, le=1000, description="Calls a minute from one number before it is served after everybody else"
    )
    calls_a_minute_per_source: int = Field(
        12_000,
        ge=1,
        le=1_000_000,
        description="The same for one trunk, or one phone of ours, withheld numbers included",
    )
    calls_at_once_per_caller: int = Field(
        2,
        ge=1,
        le=1000,
        description="Calls from one number at one moment, on one controller; the next hears that and ends",
    )
    open_minutes: dict[Kind, OpenMinutes] = Field(
        default_factory=dict,
        description="How long an action stays open, by kind, before it ends by itself without result, in minutes, as "
        'JSON: `{"look_out":120}`; unless said when it starts. Others: as long as their alert is worth sending '
        "(AMBER 24 hours, missing child 12, look-out 4, information 24, investigation 168)",
    )
    remind_share: dict[Kind, RemindShare] = Field(
        default_factory=dict,
        description="After which share of that time the room is reminded to end it, by kind, as JSON: "
        '`{"look_out":0.75}`. Others: 0.5',
    )
    remind_again_minutes: int = Field(
        30, ge=1, le=1440, description="The room is reminded again every so many minutes, until the action ends"
    )
    event_source: str = Field(
        "urn:nld:burgernet",
        pattern=r"^urn:[a-z0-9][a-z0-9-]{1,31}:[A-Za-z0-9:._-]{1,150}$",
        description="Source of our CloudEvents, as the NL GOV profile asks: `urn:nld:oin:YOUR_OIN:systeem:burgernet`",
    )
    events_kept_hours: int = Field(
        168, ge=1, le=8760, description="How long events of the live stream can be read again, in hours"
    )
    recorded_kinds: list[Kind] = Field(
        default_factory=list,
        description="Kinds of action whose talks operators may record (key *5), as far as the law allows it, as JSON: "
        '`["missing_child","amber"]`',
    )
    patrols: dict[str, dict[str, PhoneNumber]] = Field(
        default_factory=dict,
        description='Speed dials for key *4 in a talk, by room, as JSON: `{"rotterdam":{"1":"+31612345678"}}`',
    )
    drain_s: float = Field(
        0,
        ge=0,
        le=14400,
        description="How long `run`, told to end (SIGTERM), takes no new calls and waits for those that go on; a "
        "second SIGTERM ends at once. 600 is good for production. 0: it ends at once",
    )
    room_patience_s: float = Field(60, gt=0, le=3600, description="Longest wait in one room's line, in seconds")

    web_bind: str = Field("127.0.0.1:8080", description="Address and port of the web role")
    public_url: str = Field("http://127.0.0.1:8080", description="How providers reach the web role; signatures use it")
    web_proxies: list[str] = Field(
        default_factory=list,
        description='Our own proxies, believed about where a request comes from, as JSON: `["10.0.0.5"]`',
    )
    requests_a_minute: int = Field(
        600, ge=1, le=100_000, description="Requests a minute that one token may make; an address twice as many"
    )
    metrics_bind: PrivateBind = Field(
        "", description="Private address and port of metrics and health, in every role; empty: none"
    )
    log_format: LogFormat = Field(LogFormat.TEXT, description="Form of the logs of `burgernet run`: `text` or `json`")
    twilio_account_sid: str = Field("", description="Twilio account; empty: no texts are sent")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="Twilio token; also checks callback signatures")
    twilio_sender: str = Field("", description="Number or alphanumeric name from which texts are sent")
    twilio_caller_id: str = Field(
        "",
        pattern=r"^(\+[1-9]\d{6,14})?$",
        description="Number (+31...) that voice alerts by Twilio show, callable; empty: none go by Twilio",
    )
    twilio_api_url: str = Field("https://api.twilio.com", description="Where Twilio's API is; only a test changes it")

    @property
    def app(self) -> str:
        """The name under which this controller registers with Asterisk."""
        return f"burgernet-{self.controller}"

    @property
    def apps(self) -> tuple[str, ...]:
        """The names of all controllers of this Asterisk node."""
        return tuple(dict.fromkeys(f"burgernet-{name}" for name in (*self.controllers, self.controller)))

    @property
    def other_nodes(self) -> Mapping[str, str]:
        """SIP address by name."""
        return {name: address for name, address in self.nodes.items() if name != self.node}

    @property
    def open_for(self) -> Mapping[Kind, timedelta]:
        """How long an action stays open, by kind."""
        return {**LIFETIME, **{kind: timedelta(minutes=given) for kind, given in self.open_minutes.items()}}

    @property
    def reminders(self) -> Reminders:
        """When a room is reminded of an action that is still open."""
        return Reminders(self.remind_share, timedelta(minutes=self.remind_again_minutes))

    @property
    def events_kept(self) -> timedelta:
        return timedelta(hours=self.events_kept_hours)

    @property
    def carriers(self) -> tuple[str, ...]:
        """Where the carrier takes our calls, in the order in which they are tried."""
        return tuple(dict.fromkeys(filter(None, (self.trunk_contact, *self.trunk_contacts))))

    @property
    def free_number_read(self) -> str:
        """The free number as people read it: 0800-0011."""
        return f"{self.free_number[:4]}-{self.free_number[4:]}"


class SettingsMissing(Exception):
    """Settings are absent or wrong; the message names each, and what it should be."""


def read_settings() -> Settings:
    """The settings of this process. Raises SettingsMissing."""
    try:
        return Settings()
    except ValidationError as fault:
        rows = [f"  {PREFIX}{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in fault.errors()]
        raise SettingsMissing(
            "These settings are missing or wrong; set them in the environment or in .env "
            "(docs/settings.md lists all):\n" + "\n".join(rows)
        ) from None
    except SettingsError as fault:
        raise SettingsMissing(f'{fault}; a list is written as JSON: ["+31","+32"] (see docs/settings.md)') from None


def table() -> str:
    """All settings as a Markdown table."""
    rows = ["| variable | default | what |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "**required**" if field.is_required() else f"`{_plain(field.get_default(call_default_factory=True))}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
