"""Asterisk's configuration, written from templates."""

import re
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_conf.render import Exchange, Folders, Line, Neighbour, Node, OperatorPhone, Trunk, UnsafeValue, render
from asterisk_conf.secured import Tls

FOLDERS = Folders("/srv/asterisk", "/usr/lib/asterisk/modules", "/srv/asterisk/sounds")
NODE = Node(
    apps=("burgernet-one",),
    sip_address="127.0.0.1",
    sip_port=5060,
    rtp_first=10000,
    rtp_last=10999,
    control_address="127.0.0.1",
    http_port=8088,
    ami_port=5038,
    ari_user="burgernet",
    ari_password="ari-password-of-20-signs",
    ami_user="observer",
    ami_password="ami-password-of-20-signs",
    free_number="08000011",
    fallback_room="landelijk",
    max_call_s=3600,
    rooms_of_area_codes={"010": "rotterdam", "0172": "den-haag"},
    operators=(
        OperatorPhone("rotterdam-1", "one-one-one", "rotterdam"),
        OperatorPhone("rotterdam-2", "two-two-two", "rotterdam"),
        OperatorPhone("landelijk-1", "three-three", "landelijk"),
    ),
    lines=(Line("line-1", "line-line-line", "0612345678"),),
    trunks=(Trunk("carrier", ("192.0.2.1", "192.0.2.2"), "sip:192.0.2.1:5060"),),
)


def rendered(node: Node = NODE) -> dict[str, str]:
    return render(node, FOLDERS, "asterisk")


def section(text: str, name: str) -> str:
    """The lines of all sections of this name, up to the next section."""
    return "\n".join(re.findall(rf"^\[{name}\].*?\n(.*?)(?=^\[|\Z)", text, re.DOTALL | re.MULTILINE))


def test_every_template_becomes_a_file_with_no_placeholder_left() -> None:
    texts = rendered()
    assert texts.keys() == {file.name for file in (files("asterisk_conf") / "templates").iterdir()}
    assert {name: re.findall(r"@\w+@", text) for name, text in texts.items() if re.search(r"@\w+@", text)} == {}


def test_a_rooms_own_exchange_is_rung_and_cannot_call() -> None:
    node = replace(NODE, exchanges=(Exchange("limburg", "5000", "192.0.2.7:5070"),), sip_networks=("198.51.100.0/24",))
    texts = rendered(node)
    assert "PHONES_limburg = PJSIP/5000@room-limburg" in texts["extensions.conf"]
    pjsip = section(texts["pjsip.conf"], "room-limburg")
    assert "contact = sip:192.0.2.7:5070" in pjsip
    assert "type = identify" not in pjsip
    assert "[exchange](!,phone)\ncontext = nothing" in texts["pjsip.conf"]
    assert "[nothing]" not in texts["extensions.conf"]
    assert "permit = 192.0.2.7" in texts["pjsip.conf"]


@pytest.mark.parametrize("form", ["08000011", "318000011", "+318000011", "00318000011"])
def test_the_free_number_is_known_in_every_form_a_carrier_sends(form: str) -> None:
    assert f"exten => {form},1,Goto(free-number,s,1)" in section(rendered()["extensions.conf"], "from-trunk")


def test_another_node_is_known_by_its_address_and_rings_operators_phones_alone() -> None:
    node = replace(NODE, neighbours=(Neighbour("b", "192.0.2.9:5062"),), sip_networks=("198.51.100.0/24",))
    texts = rendered(node)
    trunk = section(texts["pjsip.conf"], "node-b")
    assert "match = 192.0.2.9\n" in trunk
    assert "contact = sip:192.0.2.9:5062\n" in trunk
    assert "permit = 192.0.2.9" in texts["pjsip.conf"]
    called = re.findall(r"exten => (\S+),1,", section(texts["extensions.conf"], "from-nodes"))
    assert called == ["rotterdam-1", "rotterdam-2", "landelijk-1"]


def test_a_caller_id_is_believed_from_the_carrier_alone() -> None:
    pjsip = rendered()["pjsip.conf"]
    assert pjsip.count("trust_id_inbound = yes") == 1
    assert "trust_id_inbound = yes" in section(pjsip, "carrier")


def test_an_operator_has_an_account_of_its_own_and_rings_with_its_room() -> None:
    texts = rendered()
    phone = section(texts["pjsip.conf"], "rotterdam-2")
    assert "password = two-two-two" in phone
    assert "callerid = <rotterdam-2>" in phone
    assert "PHONES_rotterdam = PJSIP/rotterdam-1&PJSIP/rotterdam-2\n" in texts["extensions.conf"]
    assert "PHONES_landelijk = PJSIP/landelijk-1\n" in texts["extensions.conf"]


def test_a_line_has_a_fixed_number_and_its_own_context() -> None:
    pjsip = rendered()["pjsip.conf"]
    assert "[line-1](line)" in pjsip
    assert "callerid = <0612345678>" in section(pjsip, "line-1")
    assert "context = from-lines" in section(pjsip, "line")


def test_the_carrier_is_known_by_its_addresses() -> None:
    carrier = section(rendered()["pjsip.conf"], "carrier")
    assert "match = 192.0.2.1,192.0.2.2" in carrier
    assert "contact = sip:192.0.2.1:5060" in carrier


def test_each_further_contact_of_the_carrier_is_asked_by_itself_and_takes_nobodys_calls() -> None:
    two = replace(NODE, trunks=(*NODE.trunks, Trunk("carrier-2", (), "sip:192.0.2.2:5060")))
    second = section(rendered(two)["pjsip.conf"], "carrier-2")
    assert "contact = sip:192.0.2.2:5060" in second
    assert "qualify_frequency = 10" in second
    assert "type = identify" not in second


TLS = Tls("192.0.2.9", 5061, "CERTIFICATE", "THE-KEY", "AUTHORITIES")


def test_a_secured_trunk_is_called_by_tls_and_takes_no_sound_in_clear() -> None:
    texts = rendered(replace(NODE, tls=TLS, secured=frozenset({"trunk"})))
    pjsip = texts["pjsip.conf"]
    assert "bind = 192.0.2.9:5061" in section(pjsip, "tls")
    assert "verify_server = yes" in section(pjsip, "tls")
    assert "media_encryption = sdes" in section(pjsip, "carrier")
    assert r"contact = sip:192.0.2.1:5060\;transport=tls" in section(pjsip, "carrier")
    assert "media_encryption" not in section(pjsip, "operator")
    assert "THE-KEY" not in pjsip
    assert texts["sip-key.pem"] == "THE-KEY"
    assert "THE-KEY" not in repr(TLS)


def test_operators_phones_are_secured_apart_from_the_trunk() -> None:
    pjsip = rendered(replace(NODE, tls=TLS, secured=frozenset({"operators"})))["pjsip.conf"]
    assert "media_encryption = sdes" in section(pjsip, "operator")
    assert "media_encryption" not in section(pjsip, "carrier")
    assert "transport=tls" not in pjsip


def test_who_has_a_user_at_the_carrier_registers_at_each_contact_for_ever() -> None:
    user = {"user": "31850001234", "password": "the-carriers-word"}
    pjsip = rendered(replace(NODE, trunks=(Trunk("carrier", ("192.0.2.1",), "sip:192.0.2.1:5060", **user),)))[
        "pjsip.conf"
    ]
    carrier = section(pjsip, "carrier")
    for line in (
        "outbound_auth = carrier",
        "type = registration",
        "server_uri = sip:192.0.2.1:5060",
        "client_uri = sip:31850001234@192.0.2.1:5060",
        "password = the-carriers-word",
        "auth_rejection_permanent = no",
    ):
        assert line in carrier.splitlines()
    assert "type = registration" not in rendered()["pjsip.conf"]
    assert "the-carriers-word" not in repr(Trunk("carrier", (), "", **user))


def test_the_trunk_of_exercises_leads_to_exercises_alone() -> None:
    practice = Trunk("exercise", ("192.0.2.99",), "sip:192.0.2.99:5060", kind="practice")
    texts = rendered(replace(NODE, trunks=(*NODE.trunks, practice)))
    assert "[exercise](practice)\n" in texts["pjsip.conf"]
    assert "[practice](!,carrier)\ncontext = from-exercise\n" in texts["pjsip.conf"]
    assert "endpoint = exercise\nmatch = 192.0.2.99\n" in texts["pjsip.conf"]
    assert "Set(ORIGIN=exercise)" in section(texts["extensions.conf"], "from-exercise")


def test_behind_nat_strangers_are_told_the_address_outside() -> None:
    behind = rendered(replace(NODE, external_address="198.51.100.7", tls=TLS))["pjsip.conf"]
    for transport in ("udp", "tls"):
        assert "external_media_address = 198.51.100.7" in section(behind, transport)
    assert "external_" not in rendered()["pjsip.conf"]


def test_a_carrier_that_only_calls_us_is_never_called() -> None:
    only_calls = replace(NODE, trunks=(Trunk("carrier", ("192.0.2.1",), ""),))
    assert not re.search(r"^contact =", section(rendered(only_calls)["pjsip.conf"], "carrier"), re.MULTILINE)


def test_the_room_of_each_area_code_and_the_fall_back_stand_in_the_dialplan() -> None:
    globals_ = section(rendered()["extensions.conf"], "globals")
    for line in ("ROOM_010 = rotterdam", "ROOM_0172 = den-haag", "FALLBACK_ROOM = landelijk", "MAX_CALL_S = 3600"):
        assert line in globals_.splitlines()


def test_ari_and_the_manager_listen_on_the_control_address_alone_and_the_manager_cannot_call() -> None:
    texts = rendered(replace(NODE, control_address="10.0.0.5"))
    assert "bindaddr = 10.0.0.5" in texts["http.conf"]
    assert "bindaddr = 10.0.0.5" in texts["manager.conf"]
    assert re.findall(r"^write = (.*)", texts["manager.conf"], re.MULTILINE) == ["system"]


def test_a_node_without_phones_lines_and_carrier_renders_too() -> None:
    texts = rendered(replace(NODE, operators=(), lines=(), trunks=(), rooms_of_area_codes={}))
    assert "PHONES_rotterdam" not in texts["extensions.conf"]


NAME, VALUE = "is no name", "may not stand in a configuration file"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"ari_password": "a\nb"}, VALUE, id="a line end"),
        pytest.param({"ari_password": "a;b"}, VALUE, id="a comment"),
        pytest.param({"ari_user": "a]b"}, VALUE, id="the end of a section"),
        pytest.param({"apps": ("a,b",)}, NAME, id="an argument more"),
        pytest.param({"apps": ("${EVAL}",)}, NAME, id="a variable"),
        pytest.param({"fallback_room": "a,1)\nsame => n,System(x"}, VALUE, id="a step of the dialplan"),
        pytest.param({"free_number": "0800\n0011"}, VALUE, id="number with a line end"),
        pytest.param({"rooms_of_area_codes": {"010\n": "rotterdam"}}, VALUE, id="area code"),
        pytest.param({"rooms_of_area_codes": {"010": "a=b"}}, NAME, id="room of an area code"),
        pytest.param({"operators": (OperatorPhone("a&b", "secret", "rotterdam"),)}, NAME, id="operator"),
        pytest.param({"operators": (OperatorPhone("", "secret", "rotterdam"),)}, NAME, id="operator without name"),
        pytest.param({"operators": (OperatorPhone("a" * 41, "secret", "rotterdam"),)}, NAME, id="long operator"),
        pytest.param({"operators": (OperatorPhone("a\n", "secret", "rotterdam"),)}, NAME, id="operator, line end"),
        pytest.param({"operators": (OperatorPhone("a", "sec\nret", "rotterdam"),)}, VALUE, id="operator's password"),
        pytest.param({"operators": (OperatorPhone("a", "secret", "R&D"),)}, NAME, id="operator's room"),
        pytest.param({"lines": (Line("a]", "secret", "0612345678"),)}, NAME, id="line"),
        pytest.param({"lines": (Line("a", "secret", "06>,<"),)}, VALUE, id="line's number"),
        pytest.param({"trunks": (Trunk("Carrier", ("192.0.2.1",), ""),)}, NAME, id="carrier"),
        pytest.param({"trunks": (Trunk("carrier", ("192.0.2.1,0.0.0.0/0",), ""),)}, VALUE, id="carrier's address"),
        pytest.param({"trunks": (Trunk("carrier", (), "sip:a;transport=x"),)}, VALUE, id="carrier's contact"),
        pytest.param({"trunks": (Trunk("carrier", (), "sip:a", "b", "secret\nx"),)}, VALUE, id="carrier's password"),
        pytest.param({"external_address": "192.0.2.1\n[x]"}, VALUE, id="address outside"),
    ],
)
def test_a_value_that_could_change_the_meaning_of_a_file_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UnsafeValue, match=said) as refused:
        rendered(replace(NODE, **change))
    assert "secret" not in str(refused.value)


def test_the_account_asterisk_runs_under_is_looked_at_too() -> None:
    with pytest.raises(UnsafeValue):
        render(NODE, FOLDERS, "root\n")


@given(st.text(max_size=20))
def test_no_password_adds_a_line_to_a_file(password: str) -> None:
    lines = rendered()["pjsip.conf"].count("\n")
    try:
        texts = rendered(
            replace(NODE, operators=(OperatorPhone("rotterdam-1", password, "rotterdam"), *NODE.operators[1:]))
        )
    except UnsafeValue:
        return
    assert texts["pjsip.conf"].count("\n") == lines
    assert f"\npassword = {password}\n" in texts["pjsip.conf"]


def test_without_networks_nobody_is_shut_out_and_with_them_only_they_and_the_trunks_come_in() -> None:
    assert "type = acl" not in rendered()["pjsip.conf"]
    closed = section(rendered(replace(NODE, sip_networks=("10.0.0.0/8",)))["pjsip.conf"], "sip-networks")
    assert closed.split("\n")[:6] == [
        "type = acl",
        "deny = 0.0.0.0/0",
        "deny = ::/0",
        "permit = 10.0.0.0/8",
        "permit = 192.0.2.1",
        "permit = 192.0.2.2",
    ]
