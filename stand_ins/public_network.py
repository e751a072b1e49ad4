"""A stand-in for the public telephone network: an Asterisk of its own, where subscribers' phones register and from
which calls go over a real trunk to the node under trial and come back from it.

A subscriber's account is its number without the plus. *31* before a number withholds the caller's own, as on a Dutch
line. Whoever is not registered is out of reach, whoever is in a call is busy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asterisk_conf.render import Folders, Node, render
from asterisk_conf.secured import SECURED, Tls, transport

SUBSCRIBER = """
[{account}](subscriber)
auth = {account}
aors = {account}
callerid = <+{account}>
[{account}]
type = auth
auth_type = digest
username = {account}
password = {password}
[{account}]
type = aor
max_contacts = 1
remove_existing = yes
"""

PJSIP = """
[global]
type = global
endpoint_identifier_order = username,ip

[udp]
type = transport
protocol = udp
bind = {address}:{port}

[telephone](!)
type = endpoint
transport = udp
disallow = all
allow = ulaw,alaw
direct_media = no
dtmf_mode = rfc4733
rtp_symmetric = yes
force_rport = yes
rewrite_contact = yes

[subscriber](!,telephone)
context = from-subscribers

[burgernet](telephone)
context = from-burgernet
aors = burgernet
trust_id_outbound = yes
send_pai = yes
{secured}
{auth}
[burgernet]
type = aor
{contact}
[burgernet]
type = identify
endpoint = burgernet
match = {node_address}
{tls}
{account}
{subscribers}
"""

# Instead of a fixed contact: the node registers, and proves itself in its calls.
ACCOUNT = """
[burgernet]
type = auth
auth_type = digest
username = burgernet
password = {password}
"""

EXTENSIONS = """
[from-subscribers]
exten => _*31*X.,1,Set(CALLERID(num-pres)=prohib)
 same => n,Dial(PJSIP/${EXTEN:4}@burgernet,60)
 same => n,Hangup()
exten => _X.,1,Dial(PJSIP/${EXTEN}@burgernet,60)
 same => n,Hangup()
exten => _+X.,1,Goto(from-burgernet,${EXTEN},1)

[from-burgernet]
exten => _+X.,1,Dial(PJSIP/${EXTEN:1},60)
 same => n,GotoIf($["${DIALSTATUS}" = "BUSY"]?busy)
 same => n,GotoIf($["${HANGUPCAUSE}" = "21"]?refused)
 same => n,GotoIf($["${DIALSTATUS}" = "CHANUNAVAIL"]?away)
 same => n,Hangup(${HANGUPCAUSE})
 same => n(busy),Hangup(17)
 same => n(refused),Hangup(21)
 same => n(away),Hangup(20)
"""


@dataclass(frozen=True)
class Network:
    """`address`:`port`: where it takes SIP. `node`: HOST:PORT of the node under trial. `subscribers`: number (E.164) ->
    SIP password. `password`: with which the node registers as "burgernet"; "": it is known by its address. `tls`: the
    trunk speaks TLS and SRTP, and `node` is its TLS port."""

    address: str
    port: int
    rtp_first: int
    rtp_last: int
    node: str
    subscribers: Mapping[str, str]
    password: str = ""
    tls: Tls | None = None


def account_of(number: str) -> str:
    """The SIP account of a subscriber's number (E.164)."""
    return number.removeprefix("+")


def configuration(network: Network, folders: Folders, user: str) -> dict[str, str]:
    """File name -> text, for an Asterisk that is this network."""
    files = render(_bare_node(network), folders, user)
    subscribers = "".join(
        SUBSCRIBER.format(account=account_of(number), password=password)
        for number, password in network.subscribers.items()
    )
    host, _, _ = network.node.rpartition(":")
    by = r"\;transport=tls" if network.tls else ""
    files |= network.tls.files if network.tls else {}
    files["pjsip.conf"] = PJSIP.format(
        address=network.address,
        port=network.port,
        node_address=host,
        contact="max_contacts = 1" if network.password else f"contact = sip:{network.node}{by}",
        auth="auth = burgernet" if network.password else "",
        account=ACCOUNT.format(password=network.password) if network.password else "",
        secured=SECURED if network.tls else "",
        tls=transport(network.tls, folders.within("etc"), "") if network.tls else "",
        subscribers=subscribers,
    )
    files["extensions.conf"] = EXTENSIONS
    for control in ("http.conf", "ari.conf", "manager.conf"):
        files[control] = "[general]\nenabled = no\n"
    return files


def _bare_node(network: Network) -> Node:
    """Only where files and media are matters here: nothing controls this Asterisk."""
    return Node(
        apps=("none",),
        sip_address=network.address,
        sip_port=network.port,
        rtp_first=network.rtp_first,
        rtp_last=network.rtp_last,
        control_address="127.0.0.1",
        http_port=0,
        ami_port=0,
        ari_user="none",
        ari_password="",
        ami_user="none",
        ami_password="",
        free_number="0",
        fallback_room="none",
        max_call_s=0,
        rooms_of_area_codes={},
    )
