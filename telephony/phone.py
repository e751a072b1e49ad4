"""SIP phones on pyVoIP, as many as wanted in one process of their own: `python -m telephony.phone`.

pyVoIP is GPL-3, so nothing else of ours imports it: commands come in as JSON lines on stdin, what happens goes out as
JSON lines on stdout (handset.py is the other end). The end of stdin ends the process.

What is ours here: pyVoIP reads its socket in blocking steps and threads, which loses messages; here one event loop
serves all phones. Its ACK carries a foreign tag, its BYE a foreign Via, its Call-IDs repeat, it has no CANCEL.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pyVoIP.VoIP  # before its other modules, which import it in a circle
from pyVoIP.RTP import PayloadType
from pyVoIP.SIP import SIPClient, SIPMessage, SIPMessageType
from pyVoIP.VoIP.VoIP import CallState, VoIPCall, VoIPPhone

from telephony.phone_sound import KEYS, RATE, Sound, tone, ulaw

EXPIRES_S = 3600
COMMANDS = (
    "register",
    "dial",
    "answer",
    "refuse",
    "refuse_all",
    "hangup",
    "press",
    "say",
    "play",
    "heard",
    "keys",
    "vanish",
)
pyVoIP.SIPCompatibleMethods += ["OPTIONS", "NOTIFY"]

Tell = Callable[..., None]


class Sip(SIPClient):
    """One account's signalling: every message is handled as it comes."""

    headers = ""  # more header lines for an INVITE

    def start(self) -> None:
        self.NSD = True
        self.default_expires = EXPIRES_S
        self.s = self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((self.myIP, self.myPort))
        self.s.setblocking(False)
        self.myPort: int = self.s.getsockname()[1]
        asyncio.get_running_loop().add_reader(self.s, self._readable)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self.s)
        self.s.close()

    def register(self, *, leave: bool = False) -> None:
        self._leaving, self._challenged = leave, False
        self.send(self.gen_first_response(deregister=leave))

    def invite(self, number: str, ms: Any, sendtype: Any) -> tuple[SIPMessage, str, int]:
        call_id = self.gen_call_id()
        self._asked = (number, str(self.sessID.next()), ms, sendtype)
        return self._invite(call_id, ""), call_id, int(self._asked[1])

    def cancel(self, invite: SIPMessage) -> None:
        head = invite.headers
        self.send(
            f"CANCEL sip:{self._asked[0]}@{self.server} SIP/2.0\r\n{self._gen_response_via_header(invite)}"
            f"Max-Forwards: 70\r\nTo: {head['To']['raw']}\r\nFrom: {head['From']['raw']};tag={head['From']['tag']}\r\n"
            f"Call-ID: {head['Call-ID']}\r\nCSeq: {head['CSeq']['check']} CANCEL\r\nContent-Length: 0\r\n\r\n"
        )

    def send(self, message: str) -> None:
        self.s.sendto(message.encode(), (self.server, self.port))

    def parse_message(self, message: SIPMessage) -> None:
        if message.type != SIPMessageType.MESSAGE:
            self._response(message, int(message.status), message.headers["CSeq"]["method"])
        elif message.method == "INVITE":
            self.callCallback(message)
        elif message.method != "ACK":
            self.send(self.gen_ok(message))
            if message.method in ("BYE", "CANCEL"):
                self.phone.left(message)

    def gen_call_id(self) -> str:
        return f"{uuid.uuid4().hex}@{self.myIP}"

    def gen_ack(self, request: SIPMessage) -> str:
        return re.sub(r"(?m)^(To: .*;tag=)\w+", rf"\g<1>{request.headers['To']['tag']}", super().gen_ack(request))

    def gen_bye(self, request: SIPMessage) -> str:
        line, rest = re.sub(r"(?m)^Via: .*\n", "", super().gen_bye(request)).split("\r\n", 1)
        return f"{line}\r\nVia: SIP/2.0/UDP {self.myIP}:{self.myPort};branch={self.gen_branch()};rport\r\n{rest}"

    def gen_refusal(self, request: SIPMessage, status: str) -> str:
        return str(self.gen_busy(request)).replace("486 Busy Here", status)

    def _readable(self) -> None:
        while True:
            try:
                raw = self.s.recv(8192)
            except OSError:
                return
            if raw.strip(b"\r\n\0"):
                self.parse_message(SIPMessage(raw))

    def _response(self, message: SIPMessage, status: int, method: str) -> None:
        if method == "REGISTER":
            self._registration(message, status)
        elif method == "INVITE" and status >= 200:
            if status != 401:
                self.phone.answered(message, status)
            self.send(self.gen_ack(message))
            if status == 401:
                call_id = message.headers["Call-ID"]
                self.phone.calls[call_id].request = self._invite(call_id, self._proof(message))

    def _registration(self, message: SIPMessage, status: int) -> None:
        if status == 401 and not self._challenged:
            self._challenged = True
            self.send(self.gen_register(message, deregister=self._leaving))
        elif status == 200:
            self.phone.tell("unregistered" if self._leaving else "registered")
        elif status > 200:
            self.phone.tell("refused", status=status)

    def _invite(self, call_id: str, proof: str) -> SIPMessage:
        number, session, ms, sendtype = self._asked
        text = self.gen_invite(number, session, ms, sendtype, self.gen_branch(), call_id)
        text = text.replace("\r\nContent-Length", f"\r\n{self.headers}{proof}Content-Length", 1)
        self.send(text)
        return SIPMessage(text.encode())

    def _proof(self, challenge: SIPMessage) -> str:
        asked = challenge.authentication
        answer = self.gen_authorization(challenge).decode()
        return (
            f'Authorization: Digest username="{self.username}",realm="{asked["realm"]}",nonce="{asked["nonce"]}",'
            f'uri="sip:{self.server};transport=UDP",response="{answer}",algorithm=MD5\r\n'
        )


class Conversation(VoIPCall):
    """One call of a phone; `sound` is there once media is agreed."""

    def create_rtp_clients(self, codecs: Any, ip: str, port: int, request: SIPMessage, baseport: int) -> None:
        ours = {code: kind for code, kind in codecs.items() if kind in (PayloadType.PCMU, PayloadType.EVENT)}
        address = request.body["c"][0]["address"]
        self.RTPClients = [Sound(self.phone.says, ours, ip, port, address, baseport, self.sendmode)]


class Phone(VoIPPhone):
    """One telephone; `tell` hears what happens to it. It holds one call at a time."""

    def __init__(self, tell: Tell, account: dict[str, Any]) -> None:
        super().__init__(
            account["server"], account["port"], account["user"], account["password"], account["ip"], sipPort=0
        )
        self.tell = tell
        self.says = tone(account["tone"])
        self.refuses = ""
        self.sip = Sip(
            self.server, self.port, self.username, self.password, self, self.myIP, 0, callCallback=self.callback
        )
        self.sip.headers = account["headers"]
        self._last: Conversation | None = None
        self.start()

    def register(self, leave: bool) -> None:
        self.sip.register(leave=leave)

    def dial(self, number: str) -> None:
        self._last = None
        port = self.request_port()
        medias = {port: {0: PayloadType.PCMU, 101: PayloadType.EVENT}}
        request, call_id, session = self.sip.invite(number, medias, "sendrecv")
        self._keep(Conversation(self, CallState.DIALING, request, session, self.myIP, medias, "sendrecv"), call_id)

    def answer(self) -> None:
        call = self._ringing()
        call.answer()
        self.tell("answered")

    def refuse(self, status: str) -> None:
        call = self._ringing()
        self.sip.send(self.sip.gen_refusal(call.request, status))
        self.calls.clear()

    def refuse_all(self, status: str) -> None:
        self.refuses = status

    def hangup(self) -> None:
        for call in list(self.calls.values()):
            if call.state == CallState.DIALING:
                self.sip.cancel(call.request)
            elif call.state == CallState.ANSWERED:
                call.hangup()
                self.tell("ended", status=0)

    def press(self, keys: str) -> None:
        if not set(keys) <= set(KEYS):
            raise ValueError(f"no such keys: {keys}")
        self._sound().keys.extend(keys)

    def say(self, hertz: int, seconds: float) -> None:
        """Says a tone from now on, or for `seconds` and then nothing; 0 seconds: for good."""
        self.says = tone(hertz)
        for sound in self._last.RTPClients if self._last else []:
            sound.says = self.says
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self.say, 0, 0)

    def play(self, samples: str) -> None:
        """Says a sound, once: base64 of 16 bit samples."""
        pcm = base64.b64decode(samples)
        self.says = ulaw(pcm) or tone(0)
        for sound in self._last.RTPClients if self._last else []:
            sound.says = self.says
        asyncio.get_running_loop().call_later(len(pcm) / 2 / RATE, self.say, 0, 0)

    def keys(self) -> dict[str, Any]:
        """The keys that the other side pressed in the last call, as far as they came through."""
        sounds = self._last.RTPClients if self._last else []
        return {"keys": sounds[0].keys_heard if sounds else ""}

    def heard(self, start: int) -> dict[str, Any]:
        """Samples heard in the last call from `start` on, base64 of 16 bit; and how many there are by now."""
        sounds = self._last.RTPClients if self._last else []
        samples = bytes(sounds[0].heard) if sounds else b""
        return {"samples": base64.b64encode(samples[start * 2 :]).decode(), "count": len(samples) // 2}

    def vanish(self) -> None:
        """As when the plug is pulled: nobody is told."""
        for call in self.calls.values():
            for sound in call.RTPClients:
                sound.stop()
        self.sip.stop()

    def left(self, request: SIPMessage) -> None:
        """The other side ended the call, or stopped ringing."""
        call = self.calls.get(request.headers["Call-ID"])
        if call is None:
            return
        if request.method == "CANCEL":
            self.sip.send(self.sip.gen_refusal(call.request, "487 Request Terminated"))
        call.bye()
        self.calls.pop(request.headers["Call-ID"], None)
        self.tell("ended", status=0)

    def answered(self, response: SIPMessage, status: int) -> None:
        """The final answer to a call of ours."""
        call = self.calls.get(response.headers["Call-ID"])
        if call is None:
            return
        if status >= 300:
            self.calls.clear()
            self.tell("ended", status=status)
        elif call.state == CallState.DIALING:
            call.answered(response)
            self.tell("answered")

    def request_port(self, blocking: bool = True) -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((self.myIP, 0))
            return int(probe.getsockname()[1])

    def release_ports(self, call: Any = None) -> None:
        """Ports are the system's to give: nothing to release."""

    def _callback_MSG_Invite(self, request: SIPMessage) -> None:  # noqa: N802 - pyVoIP's name
        call = self.calls.get(request.headers["Call-ID"])
        if call:
            if call.state == CallState.ANSWERED:
                call.renegotiate(request)
        elif self.refuses or self.calls:
            self.sip.send(self.sip.gen_refusal(request, self.refuses or "486 Busy Here"))
        else:
            self.sip.send(self.sip.gen_ringing(request))
            call = Conversation(self, CallState.RINGING, request, 1, self.myIP, sendmode="sendrecv")
            self._keep(call, request.headers["Call-ID"])
            self.tell("rings", caller=request.headers["From"]["number"] or "")

    def _keep(self, call: Conversation, call_id: str) -> None:
        self.calls[call_id] = self._last = call

    def _ringing(self) -> Conversation:
        call = self._last
        if call and call in self.calls.values() and call.state == CallState.RINGING:
            return call
        raise ValueError("this phone does not ring")

    def _sound(self) -> Sound:
        if not (self._last and self._last.RTPClients):
            raise ValueError("this phone is not in a call")
        return self._last.RTPClients[0]


class Box:
    """All phones of this process, and the commands they take."""

    def __init__(self) -> None:
        self._phones: dict[str, Phone] = {}

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Does one command; what it answers. Raises ValueError or KeyError for one that makes no sense."""
        name = order["phone"]
        if order["do"] == "open":
            self._phones[name] = Phone(lambda event, **more: say(phone=name, event=event, **more), order["with"])
            return {}
        if order["do"] not in COMMANDS:
            raise ValueError(f"no such command: {order['do']}")
        return getattr(self._phones[name], order["do"])(**order["with"]) or {}


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def serve() -> None:
    """Obeys the lines of stdin until it ends."""
    box, reader = Box(), asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        try:
            say(reply=order["id"], **box.obey(order))
        except (ValueError, KeyError, OSError) as fault:
            say(reply=order["id"], fault=f"{type(fault).__name__}: {fault}")


if __name__ == "__main__":
    asyncio.run(serve())
