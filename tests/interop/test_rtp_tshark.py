"""tshark, which is not our code, reads what a leg sends: RTP, RTCP and RFC 4733, and finds nothing wrong."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.media.rtp.legs import Legs
from appliance.media.rtp.settings import Codec, LegSettings
from e1_driver import BLOCK
from tests.interop.test_pwe3_tshark import PORT, pcap
from tests.media.rtp.network import Talk, rtp

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def read(folder: Path, packets: list[bytes], *options: str) -> list[dict[str, list[str]]]:
    path = folder / "leg.pcap"
    path.write_bytes(pcap(packets))
    ran = subprocess.run(["tshark", "-n", "-r", str(path), *options, "-T", "json", "--no-duplicate-keys"],
                         check=True, capture_output=True, text=True, timeout=60)
    assert "_ws.malformed" not in ran.stdout
    assert "_ws.expert" not in ran.stdout
    return [fields(packet["_source"]["layers"]) for packet in json.loads(ran.stdout)]


def fields(tree: Any) -> dict[str, list[str]]:
    """Every field by its name, in order: a compound packet has some of them more than once."""
    found: dict[str, list[str]] = {}
    items = tree.items() if isinstance(tree, dict) else [("", each) for each in tree]
    for name, value in items:
        if isinstance(value, dict | list):
            for inner, values in fields(value).items():
                found.setdefault(inner, []).extend(values)
        else:
            found.setdefault(name, []).append(value)
    return found


def sent(legs: Legs, ticks: int) -> list[bytes]:
    packets = []
    for _ in range(ticks):
        for row, size in zip(*legs.senders.take(np.full((1, BLOCK), 0x2A, np.uint8)), strict=True):
            packets.append(legs.senders.packets[row, :size].tobytes())
    return packets


def leg(settings: LegSettings) -> Talk:
    """With a far end that was heard for a second."""
    talk = Talk(np.zeros(8000, np.uint8), settings=settings)
    talk.run(1.0)
    return talk


def all_of(told: list[dict[str, list[str]]], name: str) -> list[str]:
    return [value for each in told for value in each[name]]


@pytest.mark.parametrize(("codec", "payload_type"), [(Codec.PCMA, "8"), (Codec.PCMU, "0")])
def test_audio(tmp_path: Path, codec: Codec, payload_type: str) -> None:
    packets = sent(leg(LegSettings(codec=codec)).legs, 40)
    told = read(tmp_path, packets, "-d", f"udp.port=={PORT},rtp")
    assert all_of(told, "rtp.p_type") == [payload_type] * 20
    assert all_of(told, "rtp.marker") == ["1"] + ["0"] * 19
    assert np.diff([int(stamp) for stamp in all_of(told, "rtp.timestamp")]).tolist() == [160] * 19
    assert set(all_of(told, "rtp.ssrc")) == {"0x00000001"}


def test_keys(tmp_path: Path) -> None:
    legs = leg(LegSettings()).legs
    legs.senders.events(0, "7#", 800, 800)
    packets = [packet for packet in sent(legs, 60) if packet[1] & 127 == 101]
    told = read(tmp_path, packets, "-d", f"udp.port=={PORT},rtp", "-d", "rtp.pt==101,rtpevent")
    assert all_of(told, "rtpevent.event_id") == ["7"] * 7 + ["11"] * 7
    assert all_of(told, "rtpevent.end_of_event") == (["0"] * 4 + ["1"] * 3) * 2
    assert all_of(told, "rtpevent.duration") == ["160", "320", "480", "640", "800", "800", "800"] * 2
    assert set(all_of(told, "rtpevent.volume")) == {"10"}


def test_reports(tmp_path: Path) -> None:
    talk = leg(LegSettings())
    talk.deliver([(talk.now, rtp(65_060, 2 ** 32 - 40_000 + 60 * 160, bytes(160)))])
    sent(talk.legs, 10)
    report, = (packet for _, packet in talk.legs.reports(1e9, 1_700_000_000.5))
    bye = talk.legs.bye(0, 1e9, 1_700_000_001.0)
    told = read(tmp_path, [report, bye], "-d", f"udp.port=={PORT},rtcp")
    first, last = told
    assert first["rtcp.pt"] == ["200", "202"]
    assert first["rtcp.senderssrc"] == ["0x00000001"]
    assert first["rtcp.sender.packetcount"] == ["5"]
    assert first["rtcp.sender.octetcount"] == ["800"]
    assert first["rtcp.timestamp.ntp"][0].startswith("Nov 14, 2023 22:13:20.5")
    assert first["rtcp.ssrc.identifier"][0] == "0x1234abcd"
    assert first["rtcp.ssrc.cum_nr"] == [str(talk.legs.figures(0).lost)]
    assert first["rtcp.sdes.text"] == ["far"]
    assert last["rtcp.pt"] == ["201", "202", "203"]
