"""This deployment's Asterisk node: its configuration from the settings and the register of operators."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from actions.desk import Desk
from actions.duty import Duty, Room
from actions.models import Region
from asterisk_conf.render import CHECK, Exchange, Line, Neighbour, Node, OperatorPhone, Trunk
from asterisk_conf.secured import Tls
from burgernet.asterisk import OLDEST, Installed, Instance, NoAsterisk, find
from burgernet.settings import Settings

CARRIER, EXERCISE = "carrier", "exercise"


def ways_out(settings: Settings) -> tuple[str, ...]:
    """The accounts of the carrier's contacts, in the order in which they are tried."""
    return tuple(CARRIER if n == 1 else f"{CARRIER}-{n}" for n, _ in enumerate(settings.carriers, start=1))


def exercise_ways(settings: Settings) -> tuple[str, ...]:
    """The account by which exercises call; none where they cannot."""
    return (EXERCISE,) if settings.exercise_trunk_contact else ()


def rooms_of_area_codes(area_codes: Mapping[str, Sequence[str]], regions: Mapping[str, Region]) -> dict[str, str]:
    """For each land-line area code the room that serves its region today."""
    return {code: regions[reached[0]].room_id for code, reached in area_codes.items() if reached[0] in regions}


def exchange_of(room: Room) -> Exchange:
    """A room's own exchange, from its SIP address."""
    number, _, contact = room.switchboard.removeprefix("sip:").partition("@")
    return Exchange(room.id, number, contact)


def sip_password(settings: Settings, account: str) -> str:
    """The SIP password of an account, derived: nothing to store, and as secret as BURGERNET_SIP_SECRET."""
    secret = settings.sip_secret.get_secret_value().encode()
    return hmac.digest(secret, f"sip account {account}".encode(), "sha256").hex()[:32]


def instance(settings: Settings) -> Instance:
    """The Asterisk instance of the settings, on this machine. Raises NoAsterisk."""
    if settings.asterisk_root:
        installed = Installed(settings.asterisk_root)
        if not installed.fits():
            raise NoAsterisk(f"no Asterisk {'.'.join(map(str, OLDEST))} or newer below {settings.asterisk_root}")
        return Instance(installed, settings.asterisk_instance, _prompts(settings))
    if found := find():
        return Instance(found, settings.asterisk_instance, _prompts(settings))
    raise NoAsterisk("there is no Asterisk on this machine yet; run `burgernet asterisk install`")


def sounds(settings: Settings) -> tuple[Path, PurePath]:
    """The folder of the prompts, and the same folder as Asterisk sees it. Raises NoAsterisk."""
    if settings.sounds_dir and (seen_as := _prompts(settings)):
        return settings.sounds_dir, seen_as
    ours = instance(settings)
    return ours.sounds, ours.sounds_inside


def _prompts(settings: Settings) -> PurePath | None:
    """Where Asterisk sees the prompts, when the settings say so."""
    return PurePath(settings.sounds_seen_as or settings.sounds_dir.absolute()) if settings.sounds_dir else None


async def node(settings: Settings, desk: Desk, lines: Sequence[Line] = ()) -> Node:
    """The node with every operator's phone, the carrier's trunk and the rooms of the fall-back."""
    return _node(
        settings, await desk.operators(), await desk.rooms(), await desk.regions(), await desk.area_codes(), lines
    )


def _node(
    settings: Settings,
    operators: Iterable[Duty],
    rooms: Mapping[str, Room],
    regions: Mapping[str, Region],
    area_codes: Mapping[str, Sequence[str]],
    lines: Sequence[Line],
) -> Node:
    ari, ami = urlsplit(settings.ari_url), urlsplit(settings.ami_url)
    sip_address, _, sip_port = settings.sip_bind.rpartition(":")
    first, _, last = settings.rtp_ports.partition("-")
    return Node(
        apps=settings.apps,
        sip_address=sip_address,
        sip_port=int(sip_port),
        rtp_first=int(first),
        rtp_last=int(last),
        control_address=settings.control_bind or ari.hostname or "127.0.0.1",
        http_port=ari.port or 8088,
        ami_port=ami.port or 5038,
        ari_user=settings.ari_user,
        ari_password=settings.ari_password.get_secret_value(),
        ami_user=settings.ami_user,
        ami_password=settings.ami_password.get_secret_value(),
        free_number=settings.free_number,
        callback_numbers=tuple(settings.callback_numbers),
        fallback_room=settings.fallback_room,
        max_call_s=settings.max_call_s,
        rooms_of_area_codes=rooms_of_area_codes(area_codes, regions),
        operators=tuple(
            OperatorPhone(duty.operator_id, sip_password(settings, duty.operator_id), duty.room_id)
            for duty in operators
        ),
        lines=tuple(lines),
        trunks=(*_trunks(settings), *_exercise_trunk(settings)),
        exchanges=tuple(exchange_of(room) for room in rooms.values() if room.seats),
        neighbours=tuple(Neighbour(name, address) for name, address in settings.other_nodes.items()),
        check_password=sip_password(settings, CHECK),
        sip_networks=tuple(settings.sip_networks),
        most_calls=settings.most_calls,
        external_address=settings.sip_external,
        tls=_tls(settings),
        secured=frozenset(settings.sip_secured),
    )


def _trunks(settings: Settings) -> tuple[Trunk, ...]:
    """The first takes the carrier's calls, from whichever of its addresses; each has one contact."""
    if not settings.trunk_addresses:
        return ()
    first, *others = settings.carriers or ("",)
    as_whom = (settings.trunk_user, settings.trunk_password.get_secret_value())
    return (
        Trunk(CARRIER, tuple(settings.trunk_addresses), first, *as_whom),
        *(Trunk(name, (), contact, *as_whom) for name, contact in zip(ways_out(settings)[1:], others, strict=True)),
    )


def _exercise_trunk(settings: Settings) -> tuple[Trunk, ...]:
    """By it exercises call, and what comes in by it is about exercises."""
    addresses, contact = tuple(settings.exercise_trunk_addresses), settings.exercise_trunk_contact
    return (Trunk(EXERCISE, addresses, contact, kind="practice"),) if addresses or contact else ()


def _tls(settings: Settings) -> Tls | None:
    """Raises NoAsterisk when a part is missing or cannot be read."""
    if not settings.sip_secured:
        return None
    address, _, port = settings.sip_tls_bind.rpartition(":")
    if not port.isdecimal():
        raise NoAsterisk("BURGERNET_SIP_SECURED needs BURGERNET_SIP_TLS_BIND as HOST:PORT")
    names = ("sip_certificate", "sip_key", "sip_authorities")
    return Tls(address, int(port), *(_pem(getattr(settings, name), f"BURGERNET_{name.upper()}") for name in names))


def _pem(file: Path | None, name: str) -> str:
    if file is None:
        raise NoAsterisk(f"BURGERNET_SIP_SECURED needs {name}")
    try:
        return file.read_text("ascii")
    except (OSError, UnicodeError) as fault:
        raise NoAsterisk(f"{name}: {file} cannot be read ({type(fault).__name__})") from None
