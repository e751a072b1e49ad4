"""Registers telephones, as they do themselves, from the address where SIPp plays them afterwards."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Mapping

ANSWER_S = 5.0


def register(passwords: Mapping[str, str], node: str, here: tuple[str, int]) -> None:
    """`passwords` by account; `node`: HOST:PORT; `here`: where the phones will be. Raises RuntimeError."""
    host, _, port = node.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(here)
        line.settimeout(ANSWER_S)
        line.connect((host, int(port)))
        for account, password in passwords.items():
            challenge = _ask(line, _request(account, node, here, 1))
            if "200 OK" not in _ask(
                line, _request(account, node, here, 2, _credentials(challenge, account, password, node))
            ):
                raise RuntimeError(f"{account} could not register")


def _ask(line: socket.socket, request: str) -> str:
    line.send(request.encode())
    return line.recv(4096).decode()


def _request(account: str, node: str, here: tuple[str, int], number: int, credentials: str = "") -> str:
    me = f"sip:{account}@{here[0]}:{here[1]}"
    return (
        f"REGISTER sip:{node} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {here[0]}:{here[1]};branch=z9hG4bK{account}{number}at{here[1]};rport\r\n"
        f"From: <sip:{account}@{node}>;tag={account}\r\nTo: <sip:{account}@{node}>\r\n"
        f"Call-ID: {account}-bench\r\nCSeq: {number} REGISTER\r\nMax-Forwards: 70\r\n"
        f"Contact: <{me}>\r\nExpires: 7200\r\n{credentials}Content-Length: 0\r\n\r\n"
    )


def _credentials(challenge: str, account: str, password: str, node: str) -> str:
    asked = dict(re.findall(r'(realm|nonce|opaque)="([^"]*)"', challenge))
    uri, many, mine = f"sip:{node}", "00000001", "bench"
    who = _md5(f"{account}:{asked['realm']}:{password}")
    proof = _md5(f"{who}:{asked['nonce']}:{many}:{mine}:auth:{_md5(f'REGISTER:{uri}')}")
    return (
        f'Authorization: Digest username="{account}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
        f'uri="{uri}", response="{proof}", algorithm=MD5, qop=auth, nc={many}, cnonce="{mine}", '
        f'opaque="{asked.get("opaque", "")}"\r\n'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
