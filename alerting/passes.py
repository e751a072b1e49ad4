"""Addresses that only we can make: what stands in them is sealed, so nobody guesses one or reads anything in it."""

from __future__ import annotations

import base64
from enum import StrEnum

from actions.vault import NoSuchKey, NotOurs, Sealed, Vault

LONGEST = 120
KEY_VERSION_BYTES = 4


class Use(StrEnum):
    """What an address is for; one made for something else does not open."""

    SIGN_OFF = "pass.sign_off"
    SHOWN = "pass.shown"


class Passes:
    """`vault`: of the register. A pass stands for an attempt."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def make(self, use: Use, attempt_id: str) -> str:
        """As it stands in an address: letters, digits, `-` and `_`."""
        sealed = self._vault.seal(bytes.fromhex(attempt_id), use)
        whole = sealed.version.to_bytes(KEY_VERSION_BYTES, "big") + sealed.blob
        return base64.urlsafe_b64encode(whole).decode().rstrip("=")

    def read(self, use: Use, given: str) -> str | None:
        """The attempt that a pass stands for; None for what is none of ours, or sealed with a key that is gone."""
        if len(given) > LONGEST:
            return None
        try:
            whole = base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True)
            sealed = Sealed(whole[KEY_VERSION_BYTES:], int.from_bytes(whole[:KEY_VERSION_BYTES], "big"))
            return self._vault.open(sealed, use).hex()
        except (ValueError, NoSuchKey, NotOurs):
            return None
