"""Writes the configuration of one Asterisk node from its templates. Pure: a Node in, file names and texts out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template

from asterisk_conf import secured

# What may stand in a configuration file: nothing that ends a line, starts a comment or a section.
_SAFE = re.compile(r"[A-Za-z0-9 ._:/@+*-]*")
CHECK = "sound-check"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class UnsafeValue(ValueError):
    """A value that could change the meaning of a configuration file."""


@dataclass(frozen=True)
class OperatorPhone:
    name: str
    password: str
    room: str


@dataclass(frozen=True)
class Line:
    """A registered phone that stands for a line of the public network with a fixed number."""

    name: str
    password: str
    number: str


@dataclass(frozen=True)
class Trunk:
    """A way to a carrier: the addresses it calls from, and where it is called (sip:HOST:PORT; "" when it only calls
    us)."""

    name: str
    addresses: tuple[str, ...]
    contact: str
    user: str = ""  # as which we register there; "": the carrier knows us by our address
    password: str = field(default="", repr=False)
    kind: str = "carrier"  # or practice: what comes in by it is about exercises


@dataclass(frozen=True)
class Exchange:
    """A control room's own exchange: its callers are rung there, at `number`. `contact`: HOST or HOST:PORT."""

    room: str
    number: str
    contact: str

    @property
    def trunk(self) -> str:
        return exchange_trunk(self.room)


@dataclass(frozen=True)
class Neighbour:
    """Another node, whose operators' phones are rung through it. `contact`: HOST:PORT."""

    name: str
    contact: str

    @property
    def trunk(self) -> str:
        return f"node-{_name(self.name)}"


@dataclass(frozen=True)
class Folders:
    """Folders as Asterisk sees them."""

    base: str
    modules: str
    sounds: str

    def within(self, name: str) -> str:
        return f"{self.base}/{name}"


@dataclass(frozen=True)
class Node:
    """One Asterisk: addresses, secrets, phones and the rooms of the fall-back. `apps`: the names of its controllers."""

    apps: tuple[str, ...]
    sip_address: str
    sip_port: int
    rtp_first: int
    rtp_last: int
    control_address: str
    http_port: int
    ami_port: int
    ari_user: str
    ari_password: str
    ami_user: str
    ami_password: str
    free_number: str
    fallback_room: str
    max_call_s: int
    rooms_of_area_codes: Mapping[str, str]
    callback_numbers: tuple[str, ...] = ()  # called back, they lead to the free number
    operators: tuple[OperatorPhone, ...] = ()
    lines: tuple[Line, ...] = ()
    check_password: str = ""  # of the phone of the sound check; empty: there is none
    trunks: tuple[Trunk, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    sip_networks: tuple[str, ...] = ()  # whose SIP is listened to, beside the trunks'; empty: everybody's
    most_calls: int = 3000
    external_address: str = ""  # by which it is reached from outside, behind NAT
    tls: secured.Tls | None = None
    secured: frozenset[str] = frozenset()  # who speaks TLS and SRTP: trunk, operators


class _At(Template):
    delimiter = "@"
    pattern = r"@(?:(?P<named>[a-z_]+)@|(?P<escaped>@@)|(?P<braced>(?!))|(?P<invalid>(?!)))"  # type: ignore[assignment]


def exchange_trunk(room: str) -> str:
    """The account of the trunk to this room's own exchange. Raises UnsafeValue."""
    return f"room-{_name(room)}"


def render(node: Node, folders: Folders, user: str) -> dict[str, str]:
    """File name -> text. `user`: the account Asterisk runs under. Raises UnsafeValue."""
    values = {
        **{name: _safe(value) for name, value in vars(node).items() if isinstance(value, str | int)},
        **{name: folders.within(name) for name in ("etc", "var", "spool", "run", "log")},
        "modules": folders.modules,
        "sounds": folders.sounds,
        "user": _safe(user),
        "apps": "&".join(map(_name, node.apps)),
        "free_number_forms": _free_number_forms(node.free_number, *node.callback_numbers),
        "phones_of_rooms": _phones_of_rooms(node.operators, node.exchanges),
        "rooms_of_area_codes": _lines(f"ROOM_{_safe(c)} = {_name(r)}" for c, r in node.rooms_of_area_codes.items()),
        "sip_networks": _networks(node),
        "external": secured.outside(_safe(node.external_address)),
        "tls": _tls(node, folders),
        "secured_carrier": secured.SECURED if "trunk" in node.secured else "",
        "secured_operator": secured.SECURED if "operators" in node.secured else "",
        "trunks": _lines(_trunk(trunk, by="tls" if "trunk" in node.secured else "udp") for trunk in node.trunks),
        "exchanges": _lines(map(_exchange, node.exchanges)),
        "neighbours": _lines(map(_neighbour, node.neighbours)),
        "phones_of_operators": _phones_of_operators(node.operators),
        "operators": _lines(map(_operator, node.operators)),
        "lines": _lines(map(_line, node.lines)),
        "checks": _account(CHECK, _safe(node.check_password), "check", CHECK) if node.check_password else "",
    }
    templates = files("asterisk_conf") / "templates"
    texts = {file.name: _At(file.read_text("utf-8")).substitute(values) for file in templates.iterdir()}
    return texts | (node.tls.files if node.tls else {})


def _tls(node: Node, folders: Folders) -> str:
    if node.tls is None:
        return ""
    _safe(node.tls.address)
    return secured.transport(node.tls, folders.within("etc"), secured.outside(_safe(node.external_address)))


def _free_number_forms(*numbers: str) -> str:
    forms = dict.fromkeys(form for number in numbers for form in forms_of(_safe(number)))
    return _lines(f"exten => {form},1,Goto(free-number,s,1)" for form in forms)


def forms_of(number: str) -> tuple[str, ...]:
    """A number (0800..., +31..., +49...) as carriers write it: national, international, with and without plus."""
    world = number.removeprefix("+") if number.startswith("+") else f"31{number.removeprefix('0')}"
    abroad = (world, f"+{world}", f"00{world}")
    return (f"0{world.removeprefix('31')}", *abroad) if world.startswith("31") else abroad


def _phones_of_rooms(operators: Iterable[OperatorPhone], exchanges: Iterable[Exchange]) -> str:
    phones: dict[str, list[str]] = {}
    for operator in operators:
        phones.setdefault(_name(operator.room), []).append(f"PJSIP/{_name(operator.name)}")
    for exchange in exchanges:
        phones.setdefault(_name(exchange.room), []).append(f"PJSIP/{_safe(exchange.number)}@{exchange.trunk}")
    return _lines(f"PHONES_{room} = {'&'.join(of_room)}" for room, of_room in phones.items())


def _phones_of_operators(operators: Iterable[OperatorPhone]) -> str:
    return _lines(f"exten => {_name(operator.name)},1,Goto(phone-here,{operator.name},1)" for operator in operators)


def _networks(node: Node) -> str:
    """Everything else is refused before any account or password is looked at."""
    if not node.sip_networks:
        return ""
    contacts = (*(exchange.contact for exchange in node.exchanges), *(other.contact for other in node.neighbours))
    hosts = [contact.partition(":")[0] for contact in contacts]
    trunks = (address for trunk in node.trunks for address in trunk.addresses)
    known = dict.fromkeys((*node.sip_networks, *trunks, *filter(_is_address, hosts)))
    return _lines(
        (
            "[sip-networks]",
            "type = acl",
            "deny = 0.0.0.0/0",
            "deny = ::/0",
            *(f"permit = {_safe(net)}" for net in known),
        )
    )


def _operator(operator: OperatorPhone) -> str:
    return _account(_name(operator.name), _safe(operator.password), "operator", operator.name)


def _line(line: Line) -> str:
    return _account(_name(line.name), _safe(line.password), "line", _safe(line.number))


def _account(name: str, password: str, role: str, caller_id: str) -> str:
    return f"""
[{name}]({role})
auth = {name}
aors = {name}
callerid = <{caller_id}>
[{name}](account)
username = {name}
password = {password}
[{name}](contact)
"""


def _trunk(trunk: Trunk, by: str) -> str:
    """An endpoint a contact: so each is asked whether it lives, and the order of trying is ours."""
    name = _name(trunk.name)
    address = _safe(trunk.contact) + (r"\;transport=tls" if by == "tls" else "")
    registers = bool(trunk.contact and trunk.user)
    user, password = _safe(trunk.user), _safe(trunk.password)
    return f"""
[{name}]({_name(trunk.kind)})
aors = {name}
{f"outbound_auth = {name}" if registers else ""}
[{name}]
type = aor
qualify_frequency = 10
qualify_timeout = 2
{f"contact = {address}" if trunk.contact else ""}
{_identified(trunk)}{secured.registration(name, address, user, password, by=by) if registers else ""}"""


def _identified(trunk: Trunk) -> str:
    """One that is only called takes nobody's calls: all addresses of its carrier are another's."""
    if not trunk.addresses:
        return ""
    return f"""[{trunk.name}]
type = identify
endpoint = {trunk.name}
match = {",".join(_safe(address) for address in trunk.addresses)}
"""


def _exchange(exchange: Exchange) -> str:
    """It is called; it cannot call: nothing identifies its own calls as this endpoint's."""
    name = exchange.trunk
    return f"""
[{name}](exchange)
aors = {name}
[{name}]
type = aor
qualify_frequency = 15
qualify_timeout = 2
contact = sip:{_safe(exchange.contact)}
"""


def _neighbour(neighbour: Neighbour) -> str:
    name, contact = neighbour.trunk, _safe(neighbour.contact)
    return f"""
[{name}](neighbour)
aors = {name}
[{name}]
type = aor
qualify_frequency = 5
qualify_timeout = 2
contact = sip:{contact}
[{name}]
type = identify
endpoint = {name}
match = {contact.partition(":")[0]}
"""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise UnsafeValue(f"{value!r} is no name: use small letters, digits and hyphens, 40 at most")
    return value


def _safe(value: str | int) -> str:
    if not _SAFE.fullmatch(str(value)):
        raise UnsafeValue("a value holds a sign that may not stand in a configuration file")
    return str(value)
