"""tshark, which is not our code, reads the packets of our emulated circuits as SAToP and CESoPSN.

Its dissectors know no RTP header: of packets with one it reads RTP, and the rest as that one's payload.
"""

import json
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e1_driver import Loop, open_span
from e1_driver.soft import idle_block
from tests.e1_driver.circuits import FarEnd

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

PORT = 2142
LINKTYPE_IPV4 = 228
UDP = 17
BLOCKS = 12                                       # longer than the jitter buffer takes to begin
MS = 10                                           # packets of 1 ms in a block


def pcap(datagrams: list[bytes]) -> bytes:
    """A file of UDP datagrams to PORT."""
    parts = [struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_IPV4)]
    for number, datagram in enumerate(datagrams):
        udp = struct.pack(">HHHH", PORT, PORT, 8 + len(datagram), 0) + datagram
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, UDP, 0,
                         bytes((192, 0, 2, 1)), bytes((192, 0, 2, 7)))
        parts += [struct.pack("=IIII", 1_700_000_000, number * 1000, len(ip + udp), len(ip + udp)), ip, udp]
    return b"".join(parts)


def sent(scheme: str, options: str = "", heard: bytes = b"", loop: Loop = Loop.NONE) -> list[bytes]:
    """What a span sends in BLOCKS while `heard`, under ascending sequence numbers, comes each ms."""
    with FarEnd(scheme, options) as far:
        span, now = open_span(far.url), time.monotonic()
        span.loop(loop)
        for block in range(BLOCKS):
            for sequence in range(block * MS, (block + 1) * MS if heard else 0):
                far.send(heard[:2] + struct.pack(">H", sequence) + heard[4:])
            assert span.read(now + block / 100) is not None
            span.write(idle_block())
        span.close()
        return far.received()


def read(folder: Path, packets: list[bytes], *decode_as: str) -> list[dict[str, Any]]:
    """Fields that tshark finds in each packet, whose names say the layer; nothing may be wrong with it."""
    path = folder / "circuit.pcap"
    path.write_bytes(pcap(packets))
    options = [word for rule in decode_as for word in ("-d", rule)]
    ran = subprocess.run(["tshark", "-n", "-r", str(path), *options, "-T", "json", "--no-duplicate-keys"],
                         check=True, capture_output=True, text=True, timeout=60)
    assert "_ws.malformed" not in ran.stdout
    assert "_ws.expert" not in ran.stdout
    return [dict(leaves(packet["_source"]["layers"])) for packet in json.loads(ran.stdout)]


def leaves(tree: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield name, value


def octets(shown: str) -> bytes:
    return bytes.fromhex(shown.replace(":", ""))


def check_numbered(told: list[str]) -> None:
    first = int(told[0])
    assert [int(number) for number in told] == [(first + place) % 65536 for place in range(len(told))]


@pytest.mark.parametrize(("heard", "loop", "lr"), [
    (b"", Loop.NONE, ("0", "1")),
    (bytes(4) + b"\xff" * 256, Loop.NONE, ("0", "0")),
    (b"", Loop.LINE, ("1", "1")),
    (b"\x08" + bytes(3) + b"\xff" * 256, Loop.LINE, ("1", "0")),
], ids=["packet loss", "normal", "looped loss", "looped L"])
def test_satop(tmp_path: Path, heard: bytes, loop: Loop, lr: tuple[str, str]) -> None:
    packets = sent("satop", "", heard, loop)
    told = read(tmp_path, packets, f"udp.port=={PORT},pwsatopcw")
    assert len(told) == BLOCKS * MS
    check_numbered([each["pwsatop.cw.seqno"] for each in told])
    for each, packet in zip(told, packets, strict=True):
        assert each["pwsatop.payload.len"] == "256"
        assert octets(each["pwsatop.payload"]) == packet[4:]
        assert [each[f"pwsatop.cw.{name}"] for name in ("rsv", "frag", "length")] == ["0", "0", "0"]
    assert (told[-1]["pwsatop.cw.lbit"], told[-1]["pwsatop.cw.rbit"]) == lr


@pytest.mark.parametrize(("options", "heard", "payload_octets", "lm", "r"), [
    ("", b"", 248, "0x02", "1"),                  # M = 10, remote defect
    ("", bytes(4) + b"\xd5" * 248, 248, "0x00", "0"),
    ("", b"\x08" + bytes(3) + b"\xd5" * 248, 248, "0x02", "0"),
    ("&frames=40", b"", 1240, "0x02", "1"),
    ("&timeslots=1-3,16,31&frames=8", b"", 40, "0x02", "1"),
], ids=["packet loss", "normal", "L heard", "5 ms", "short"])
def test_cesop(tmp_path: Path, options: str, heard: bytes, payload_octets: int, lm: str, r: str) -> None:
    packets = sent("cesop", options, heard)
    told = read(tmp_path, packets, f"udp.port=={PORT},pwcesopsn")
    check_numbered([each["pwcesopsn.cw.seqno"] for each in told])
    length = payload_octets + 4 if payload_octets + 4 < 64 else 0
    for each, packet in zip(told, packets, strict=True):
        assert each["pwcesopsn.payload.len"] == str(payload_octets)
        assert octets(each["pwcesopsn.payload"]) == packet[4:]
        assert (each["pwcesopsn.cw.frag"], each["pwcesopsn.cw.length"]) == ("0", str(length))
    assert (told[-1]["pwcesopsn.cw.lm"], told[-1]["pwcesopsn.cw.rbit"]) == (lm, r)


RTP = {"version": "2", "padding": "0", "ext": "0", "cc": "0", "marker": "0", "p_type": "101",
       "ssrc": "0xdeadbeef"}


@pytest.mark.parametrize(("scheme", "octets_each"), [("satop", 256), ("cesop", 248)])
def test_rtp_comes_first_and_counts_eighths_of_a_millisecond(
        tmp_path: Path, scheme: str, octets_each: int) -> None:
    packets = sent(scheme, "&rtp=on&ssrc=3735928559&payload_type=101")
    told = read(tmp_path, packets, f"udp.port=={PORT},rtp")
    check_numbered([each["rtp.seq"] for each in told])
    stamps = [int(each["rtp.timestamp"]) for each in told]
    assert [(stamp - stamps[0]) % 2 ** 32 for stamp in stamps] == [8 * place for place in range(len(stamps))]
    for each in told:
        assert {name: each[f"rtp.{name}"] for name in RTP} == RTP
        payload = octets(each["rtp.payload"])
        assert len(payload) == 4 + octets_each
        assert int.from_bytes(payload[2:4]) == int(each["rtp.seq"])
