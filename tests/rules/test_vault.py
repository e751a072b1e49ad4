"""Sealing and finding again."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.vault import BadKeys, NoSuchKey, NotOurs, Sealed, Vault, new_key, read_keys

# Always the same: every process that runs tests must name them alike.
ONE, TWO = bytes(range(32)), bytes(range(32, 64))
NUMBER = "+31612345678"


@given(st.binary(max_size=2000))
def test_what_was_sealed_opens_and_is_not_there_to_read(plain: bytes) -> None:
    vault = Vault({1: ONE})
    sealed = vault.seal(plain, "call.caller")
    assert vault.open(sealed, "call.caller") == plain
    assert len(plain) < 8 or plain not in sealed.blob


def test_the_same_value_sealed_twice_looks_different() -> None:
    vault = Vault({1: ONE})
    assert vault.seal(b"x", "a").blob != vault.seal(b"x", "a").blob


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(NotOurs):
        Vault({1: TWO}).open(Vault({1: ONE}).seal(b"x", "a"), "a")


def test_a_value_moved_to_another_column_does_not_open() -> None:
    vault = Vault({1: ONE})
    with pytest.raises(NotOurs):
        vault.open(vault.seal(b"x", "call.caller"), "recording")


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_value_with_one_bit_changed_does_not_open(plain: bytes, data: st.DataObject) -> None:
    vault = Vault({1: ONE})
    sealed = bytearray(vault.seal(plain, "a").blob)
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NotOurs):
        vault.open(Sealed(bytes(sealed), 1), "a")


@given(st.binary(max_size=30))
def test_what_was_never_sealed_does_not_open(blob: bytes) -> None:
    with pytest.raises(NotOurs):
        Vault({1: ONE}).open(Sealed(blob, 1), "a")


def test_the_newest_key_seals_and_an_older_one_still_opens() -> None:
    old = Vault({1: ONE}).seal(b"x", "a")
    both = Vault({2: TWO, 1: ONE})
    assert both.open(old, "a") == b"x"
    assert both.seal(b"x", "a").version == both.newest == 2


def test_a_key_that_was_taken_away_is_named_by_its_version() -> None:
    with pytest.raises(NoSuchKey, match="key version 1 is not in the settings"):
        Vault({2: TWO}).open(Vault({1: ONE}).seal(b"x", "a"), "a")


def test_a_value_is_found_by_the_hash_under_each_key_newest_first() -> None:
    old, both = Vault({1: ONE}), Vault({1: ONE, 2: TWO})
    assert both.digests(NUMBER, "a") == [both.digest(NUMBER, "a"), old.digest(NUMBER, "a")]
    assert len({*both.digests(NUMBER, "a"), both.digest(NUMBER, "b"), both.digest(NUMBER + "9", "a")}) == 4


def test_the_key_that_seals_is_not_the_key_that_hashes() -> None:
    assert len({len(digest) for digest in Vault({1: ONE}).digests(NUMBER, "a")} | {32}) == 1
    assert Vault({1: ONE}).digest(NUMBER, "a") != Vault({1: TWO}).digest(NUMBER, "a")


def test_a_vault_without_keys_is_refused() -> None:
    with pytest.raises(BadKeys, match="at least one key"):
        Vault({})


def test_the_setting_holds_keys_by_version() -> None:
    first, second = new_key(), new_key()
    assert read_keys(f"1:{first}, 12:{second}") == {1: base64.b64decode(first), 12: base64.b64decode(second)}
    assert first != second


GOOD = base64.b64encode(ONE).decode()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("", "key 1"),
        ("secret", "key 1"),
        (GOOD, "key 1"),
        (f"x:{GOOD}", "key 1"),
        (f"-1:{GOOD}", "key 1"),
        (f"²:{GOOD}", "key 1"),
        (f"{'1' * 5000}:{GOOD}", "key 1"),
        (f"{2**31}:{GOOD}", "key 1"),
        ("1:", "key 1"),
        ("1:no base64!", "key 1 is not base64"),
        ("1:é", "key 1 is not base64"),
        (f"1:{base64.b64encode(ONE[:31]).decode()}", "key 1 must read VERSION:BASE64"),
        (f"1:{GOOD},", "key 2"),
        (f"1:{GOOD},1:{GOOD}", "key 2"),
        (f"1:{GOOD},01:{GOOD}", "key 2"),
    ],
)
def test_a_bad_key_setting_is_refused_by_place_and_never_shown(setting: str, said: str) -> None:
    with pytest.raises(BadKeys) as refused:
        read_keys(setting)
    assert str(refused.value).startswith(said)
    assert GOOD not in str(refused.value)


@given(st.text())
def test_no_text_as_key_setting_raises_anything_else(setting: str) -> None:
    with pytest.raises(BadKeys):
        read_keys(setting)
