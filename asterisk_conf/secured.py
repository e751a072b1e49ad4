"""SIP over TLS, sound as SRTP, and an address outside: what pjsip.conf says about them."""

from __future__ import annotations

from dataclasses import dataclass, field

CERTIFICATE, KEY, AUTHORITIES = "sip-certificate.pem", "sip-key.pem", "sip-authorities.pem"
# Whoever is there is told our addresses inside; everybody else the one outside.
INSIDE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
# For an endpoint: it is called by TLS, and a call without encrypted sound is refused (488), whoever begins it.
SECURED = "transport = tls\nmedia_encryption = sdes"


@dataclass(frozen=True)
class Tls:
    """Where SIP over TLS is taken, and PEM texts. `authorities`: those that may vouch for whom we call."""

    address: str
    port: int
    certificate: str
    key: str = field(repr=False)
    authorities: str

    @property
    def files(self) -> dict[str, str]:
        """File name -> text, beside pjsip.conf."""
        return {CERTIFICATE: self.certificate, KEY: self.key, AUTHORITIES: self.authorities}


def transport(tls: Tls, folder: str, external: str) -> str:
    """The transport, with its files in `folder`."""
    return f"""
[tls]
type = transport
protocol = tls
bind = {tls.address}:{tls.port}
method = tlsv1_2
cert_file = {folder}/{CERTIFICATE}
priv_key_file = {folder}/{KEY}
ca_list_file = {folder}/{AUTHORITIES}
verify_server = yes
{external}
"""


def outside(address: str) -> str:
    """For a transport behind NAT: the address by which it is reached from outside; "": it needs none."""
    if not address:
        return ""
    known = (f"external_signaling_address = {address}", f"external_media_address = {address}")
    return "\n".join((*known, *(f"local_net = {network}" for network in INSIDE)))


def registration(name: str, contact: str, user: str, password: str, *, by: str) -> str:
    """Registers at `contact` (SIP address) as `user`, for ever, and proves itself when a call of ours is challenged."""
    _, _, host = contact.partition(":")
    host = host.partition("\\;")[0]
    return f"""[{name}]
type = auth
auth_type = digest
username = {user}
password = {password}
[{name}]
type = registration
transport = {by}
outbound_auth = {name}
server_uri = {contact}
client_uri = sip:{user}@{host}
contact_user = {user}
expiration = 300
retry_interval = 20
forbidden_retry_interval = 60
fatal_retry_interval = 60
auth_rejection_permanent = no
max_retries = 1000000
"""
