"""Which datagrams are looked at at all, and how the rest waits."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.box.snmp.gate import MOST_OCTETS, Head, Host, Replies, Requests, head, plain, probe
from appliance.box.snmp.pace import Pace
from appliance.config.snmp import SnmpConfig

OWN, OTHER = bytes.fromhex("80007ed98001020304"), bytes.fromhex("8000000001020304")


def tlv(tag: int, *parts: bytes) -> bytes:
    """With lengths in one octet, in one that follows, in two."""
    octets = b"".join(parts)
    length = len(octets)
    return bytes((tag, length) if length < 128 else (tag, 0x81, length) if length < 256 else
                 (tag, 0x82, length >> 8, length & 255)) + octets


def unanswerable() -> bytes:
    """Encrypted for an engine that it does not name: pysnmp answers nothing, and remembers it for ever."""
    data = tlv(0x30, tlv(2, b"\1"), tlv(2, b"\x00\xff\xe3"), tlv(4, b"\4"), tlv(2, b"\3"))
    user = tlv(0x30, tlv(4), tlv(2, b"\0"), tlv(2, b"\0"), tlv(4), tlv(4), tlv(4))
    return tlv(0x30, tlv(2, b"\3"), data, tlv(4, user), tlv(4, b"encrypted"))


def v2c(community: bytes, pdu: int = 0xA0) -> bytes:
    return tlv(0x30, tlv(2, b"\1"), tlv(4, community), tlv(pdu, b"whatever"))


def v3(engine: bytes, rest: bytes = b"") -> bytes:
    data = tlv(0x30, tlv(2, b"\x12\x34"), tlv(2, b"\1"), tlv(4, b"\3"), tlv(2, b"\3"))
    return tlv(0x30, tlv(2, b"\3"), data, tlv(4, tlv(0x30, tlv(4, engine), tlv(2, b"\0"))), tlv(4, rest))


@pytest.mark.parametrize("rest", [b"", b"x" * 100, b"x" * 300])
def test_how_a_message_begins(rest: bytes) -> None:
    assert head(v3(OWN, rest)) == Head(3, engine=OWN, message_id=b"\x12\x34")
    assert head(v2c(b"c" + rest, 0xA2)) == Head(1, community=b"c" + rest, pdu=0xA2)


@pytest.mark.parametrize("octets", [
    b"", b"\x30", b"\x30\x84", b"\x30\xff\x02\x01\x03", b"GET / HTTP/1.1", b"\x30\x80\x02\x01\x01",
    tlv(0x30, tlv(2, b"\0"), tlv(4, b"public")), tlv(0x30, tlv(2, b"\2")), v3(OWN)[:30]])
def test_what_is_no_message(octets: bytes) -> None:
    assert head(octets) is None


@given(some.binary(max_size=80), some.integers(0, 60), some.integers(0, 255))
def test_any_octets_are_a_head_or_none(octets: bytes, at: int, value: int) -> None:
    bent = bytearray(v3(OWN, octets))
    bent[at % len(bent)] = value
    for one in (octets, bytes(bent), bytes(bent[:at])):
        found = head(one)
        assert found is None or found.version in (1, 3)


def config(**more: Any) -> SnmpConfig:
    return SnmpConfig.model_validate({
        "address": "192.0.2.7", "users": [{"name": "noc", "auth_file": "a", "privacy_file": "p"}],
        "communities": [{"name": "a", "file": "a", "sources": ["192.0.2.0/25"]},
                        {"name": "b", "file": "b", "sources": ["192.0.2.128/25", "2001:db8::/32"]}], **more})


def lets(datagram: bytes, address: str, of: SnmpConfig | None = None) -> bytes | None:
    requests = Requests(of or config(), {"a": "first-one", "b": "other-one"}, OWN)
    return requests.lets_in(datagram, plain(address))


def test_a_community_is_taken_from_its_own_networks_alone() -> None:
    for community, address, taken in (
            (b"first-one", "192.0.2.1", True), (b"first-one", "192.0.2.200", False),
            (b"other-one", "192.0.2.200", True), (b"other-one", "192.0.2.1", False),
            (b"other-one", "2001:db8::7", True), (b"first-one", "2001:db8::7", False),
            (b"first-one", "::ffff:192.0.2.1", True), (b"first-on", "192.0.2.1", False),
            (b"first-one", "198.51.100.1", False)):
        assert (lets(v2c(community), address) is not None) == taken, (community, address)


def test_who_may_ask_at_all() -> None:
    near = config(sources=["192.0.2.0/24", "fe80::/10"])
    assert lets(v3(OWN), "192.0.2.1", near) == v3(OWN) and lets(v3(b""), "fe80::1%eth0", near) == v3(b"")
    assert lets(v3(OWN), "198.51.100.1", near) is None
    assert lets(v3(OWN, b"x" * MOST_OCTETS), "192.0.2.1") is None, "longer than any request"
    open_only = config(users=[])
    assert lets(v3(b""), "192.0.2.1", open_only) is None and lets(v2c(b"first-one"), "192.0.2.1", open_only)


def test_one_who_means_another_engine_is_told_ours() -> None:
    """pysnmp would remember each engine that anybody names, for 300 s."""
    asked = lets(v3(OTHER), "192.0.2.1")
    assert asked == probe(b"\x12\x34") and head(asked) == Head(3, engine=b"", message_id=b"\x12\x34")
    assert lets(v3(OTHER).replace(b"\x02\x02\x12\x34", b"\x02\x02\x12"), "192.0.2.1") is None


def test_at_the_socket_of_notifications_only_their_targets_answer() -> None:
    replies = Replies([("192.0.2.9", ""), ("192.0.2.8", "old-one"), ("192.0.2.8", "new-one")], OWN)
    for datagram, address, taken in (
            (v3(OTHER), "192.0.2.9", True), (v3(OTHER), "192.0.2.7", False),
            (v3(OWN), "192.0.2.9", False), (v3(b""), "192.0.2.9", False),
            (v2c(b"old-one", 0xA2), "192.0.2.8", True), (v2c(b"new-one", 0xA2), "192.0.2.8", True),
            (v2c(b"old-one", 0xA2), "192.0.2.9", False), (v2c(b"old-one", 0xA0), "192.0.2.8", False),
            (v2c(b"not-one", 0xA2), "192.0.2.8", False), (b"", "192.0.2.9", False)):
        assert (replies.lets_in(datagram, plain(address)) is not None) == taken, (datagram, address)


class Engine:
    """With nothing to be cleared up."""

    def __init__(self) -> None:
        self.security_models: dict[int, Any] = {}


class Transport:
    """What is handed over of it."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def _callback_function(self, transport: Any, address: tuple[str, int], datagram: bytes) -> None:
        self.taken.append(address[0])
        if datagram == b"bad":
            raise RuntimeError("pysnmp fails")


class All:
    def lets_in(self, datagram: bytes, host: Host) -> bytes | None:
        return datagram


async def test_one_who_floods_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.box.snmp.engine import OF_ONE, WAITING, _Hearing
    hearing, transport, late = _Hearing(Engine()), Transport(), [True]
    monkeypatch.setattr(Pace, "wait_s", lambda pace, now: 3600.0 if late[0] else 0.0)
    for address, number in (("192.0.2.1", 1000), ("192.0.2.2", 3)):
        for _ in range(number):
            hearing.heard(transport, All(), b"x", (address, 7))     # type: ignore[arg-type]
    late[0] = False
    assert hearing._later is not None and not transport.taken
    hearing._later.cancel()
    hearing._go_on()
    for _ in range(OF_ONE + 3):
        await asyncio.sleep(0)
    assert Counter(transport.taken) == {"192.0.2.1": OF_ONE, "192.0.2.2": 3} and OF_ONE < WAITING
    hearing.heard(transport, All(), b"x", ("192.0.2.1", 7))         # type: ignore[arg-type]
    assert len(transport.taken) == OF_ONE + 4 and hearing._later is None


async def test_between_two_requests_the_loop_does_other_things() -> None:
    from appliance.box.snmp.engine import _Hearing
    hearing, transport, between = _Hearing(Engine()), Transport(), []
    hearing._later = asyncio.get_running_loop().call_soon(hearing._go_on)
    for _ in range(5):
        hearing.heard(transport, All(), b"bad", ("192.0.2.1", 7))   # type: ignore[arg-type]
    while len(transport.taken) < 5:
        between.append(len(transport.taken))
        await asyncio.sleep(0)
    assert between == [0, 1, 2, 3, 4]
