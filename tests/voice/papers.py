"""A certificate for both ends of a trunk on loopback, made for one test."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from asterisk_conf.secured import AUTHORITIES, CERTIFICATE, KEY, Tls
from stand_ins.public_network import Network


def written_papers(folder: Path, *addresses: str) -> Path:
    """Writes a certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trunk of a test")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(each)) for each in addresses])
    made = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(made - timedelta(hours=1))
        .not_valid_after(made + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    for file in (CERTIFICATE, AUTHORITIES):
        (folder / file).write_bytes(certificate.public_bytes(pem))
    (folder / KEY).write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder


def tls_of(papers: Path, address: str, port: int) -> Tls:
    return Tls(address, port, *((papers / file).read_text() for file in (CERTIFICATE, KEY, AUTHORITIES)))


def secured_by(papers: Path, network: Network) -> dict[str, Any]:
    """The settings of a node that speaks TLS and SRTP with this network, and registers there."""
    return {
        "sip_secured": ["trunk"],
        "sip_tls_bind": network.node,
        "sip_certificate": papers / CERTIFICATE,
        "sip_key": papers / KEY,
        "sip_authorities": papers / AUTHORITIES,
        "trunk_user": "burgernet",
        "trunk_password": network.password,
    }
