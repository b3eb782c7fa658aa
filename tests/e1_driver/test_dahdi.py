"""The DAHDI backend as far as it goes without a kernel that has it; `make hil-dahdi` runs the rest on one."""

import os
import struct
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest

from e1_driver import BEARERS, Alarm, Clock, Counters, LineError, Loop, open_span
from e1_driver.backends import dahdi, dahdi_device
from e1_driver.backends import dahdi_wire as wire

REQUESTS = [                                      # as a C compiler has them from user.h on x86-64
    (wire.FLUSH, 0x4004DA03), (wire.GET_PARAMS, 0xC088DA05), (wire.GETEVENT, 0x8004DA08),
    (wire.SPANSTAT, 0xC13ADA0A), (wire.MAINT, 0x4008DA0B), (wire.SET_BUFINFO, 0x4018DA1B),
    (wire.AUDIOMODE, 0x4004DA20), (wire.HDLCFCSMODE, 0x4004DA25), (wire.SPECIFY, 0x4004DA26),
    (wire.SETLAW, 0x4004DA27), (wire.LOOPBACK, 0x4004DA3A), (wire.BUFFER_EVENTS, 0x4004DA69),
]
SPAN_OCTETS, PARAMS_OCTETS = 314, 136
SPAN_FIELDS = {0: 2, 64: 9, 76: 11, 80: 12, 84: 13, 88: 14, 116: 15, 124: 31, 136: 1 << 10}    # offset: value
CARD = wire.SpanInfo(2, "TE4/0/2", "T4XXP", 9, 11, 12, 13, 14, 15, 31, 1 << 10, "E1")


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of /dev/dahdi."""
    monkeypatch.setattr(dahdi_device, "DEVICES", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("ours", "compiled"), REQUESTS)
def test_request_number(ours: int, compiled: int) -> None:
    assert ours == compiled


def test_span_info_is_read_at_the_offsets_of_the_header() -> None:
    octets = bytearray(b"\x5a" * SPAN_OCTETS)     # nothing may depend on what it does not name
    for offset, value in SPAN_FIELDS.items():
        struct.pack_into("=i", octets, offset, value)
    octets[4:12], octets[24:30], octets[308:311] = b"TE4/0/2\0", b"T4XXP\0", b"E1\0"
    assert wire.SpanInfo.read(bytes(octets)) == CARD
    assert len(wire.SpanInfo.ask(2)) == SPAN_OCTETS


def test_params_and_buffers() -> None:
    octets = struct.pack("=4i", 47, 2, 16, wire.Sig.HDLCFCS).ljust(PARAMS_OCTETS, b"\x5a")
    assert wire.Params.read(octets) == wire.Params(47, 2, 16, wire.Sig.HDLCFCS)
    assert wire.Params.ask(47) == struct.pack("=i", 47).ljust(PARAMS_OCTETS, b"\0")
    assert wire.buffers(32, 80) == struct.pack("=6i", 0, 0, 32, 80, 0, 0)


@pytest.mark.parametrize(("bits", "alarms"), [
    (0, set()),
    (wire.Alarms.RED, {Alarm.LOS}),               # of a driver that says no more, or a silent dynamic span
    (wire.Alarms.RED | wire.Alarms.LOS, {Alarm.LOS}),
    (wire.Alarms.RED | wire.Alarms.LFA, {Alarm.LOF}),
    (wire.Alarms.RED | wire.Alarms.LMFA, {Alarm.LOMF}),
    (wire.Alarms.RED | wire.Alarms.LOS | wire.Alarms.LFA | wire.Alarms.YELLOW,
     {Alarm.LOS, Alarm.LOF, Alarm.RAI}),
    (wire.Alarms.BLUE, {Alarm.AIS}),
    (wire.Alarms.YELLOW, {Alarm.RAI}),
    (wire.Alarms.NOTOPEN, {Alarm.LOS}),
    (wire.Alarms.RECOVER, set()),                 # the line is good; the card waits a while to say so
    (wire.Alarms.LOOPBACK, set()),
])
def test_alarms(bits: int, alarms: set[Alarm]) -> None:
    assert dahdi.alarms_of(bits) == alarms


def test_abilities_are_those_of_the_driver() -> None:
    card = dahdi.abilities_of(CARD, maintenance=True)
    assert card.alarms == set(Alarm)
    assert {"code_violations", "fas_errors", "crc_errors", "e_bits"} <= card.counters
    assert card.loops == {Loop.LOCAL, Loop.LINE, Loop.PAYLOAD}
    assert card.clock is Clock.OWN                # synchronised to another span of the card
    assert dahdi.abilities_of(replace(CARD, sync_source=2), maintenance=True).clock is Clock.LINE
    dynamic = dahdi.abilities_of(replace(CARD, name="DYN/eth/eth0/02", kind="DYNAM"), maintenance=False)
    assert dynamic.alarms == {Alarm.LOS, Alarm.RAI}
    assert not dynamic.counters & {"code_violations", "fas_errors", "crc_errors", "e_bits"}
    assert dynamic.loops == {Loop.LOCAL, Loop.PAYLOAD}
    assert dynamic.clock is Clock.LINE


def test_the_framers_totals_are_counted_from_where_they_stood() -> None:
    assert dahdi.counted(CARD, replace(CARD, bpv=21, ebit=14)) == {
        "code_violations": 10, "crc_errors": 0, "e_bits": 1, "fas_errors": 0}
    assert dahdi.counted(CARD, replace(CARD, crc4=3))["crc_errors"] == 3      # set to zero meanwhile


@pytest.mark.parametrize(("url", "words"), [
    ("dahdi:0", "dahdi:0: a span is a number from 1 to 127"),
    ("dahdi:128", "a span is a number from 1 to 127"),
    ("dahdi:x", "a span is a number"),
    ("dahdi:²", "a span is a number"),
    ("dahdi:1?law=alaw", "unknown option 'law'"),
    ("dahdi:1?prefill_ms=15", "prefill_ms '15': write 10, 20, ... 200"),
])
def test_a_wrong_url_is_told(url: str, words: str, devices: Path) -> None:
    with pytest.raises(ValueError, match=words):
        open_span(url)


class Bearers:
    """In place of the channels: each has as many blocks as `waiting` says."""

    def __init__(self, timeslot: int) -> None:
        self.timeslot, self.waiting, self.flushed = timeslot, 0, 0

    def read(self) -> bytes | None:
        self.waiting -= 1
        return bytes(80) if self.waiting >= 0 else None

    def set(self, request: int, value: int) -> None:
        self.flushed += (request, value) == (wire.FLUSH, wire.FLUSH_READ)


def test_a_bearer_that_stands_still_makes_all_begin_anew_and_is_counted() -> None:
    span = object.__new__(dahdi.DahdiSpan)        # its devices are a kernel's
    channels = {timeslot: Bearers(timeslot) for timeslot in BEARERS}
    vars(span).update(_channels=channels, _bearers=list(channels.values()), _counters=Counters(),
                      _received={timeslot: deque() for timeslot in BEARERS}, _aligned=True)
    for blocks in range(1, 3 * dahdi.BUFFERS):
        for channel in channels.values():
            channel.waiting = int(channel.timeslot != 5)
        assert span._drain_blocks() == 0
        assert all(len(rows) <= dahdi.BUFFERS for rows in span._received.values())
        assert span._counters.slips == blocks // (dahdi.BUFFERS + 1) * (dahdi.BUFFERS + 1)
    assert not span._aligned
    assert {channel.flushed for channel in channels.values()} == {2}


def test_a_channel_that_reads_as_ended_has_gone() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    channel = object.__new__(dahdi_device.Channel)
    vars(channel).update(fd=reader, _octets=80, _where="channel 1", _error=LineError)
    with pytest.raises(LineError, match="channel 1 has gone"):
        channel.read()
    channel.close()


def test_without_dahdi_it_says_what_to_load(devices: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(LineError, match=r"dahdi:1: no DAHDI at .*/ctl .*: load .*modprobe.*run dahdi_cfg"):
        open_span("dahdi:1")
    assert os.listdir("/proc/self/fd") == before


def test_without_spans_it_says_to_configure_some(devices: Path) -> None:
    (devices / "ctl").touch()
    before = os.listdir("/proc/self/fd")
    with pytest.raises(LineError, match="dahdi:1: DAHDI has no span 1, it has none: run dahdi_cfg"):
        open_span("dahdi:1")
    assert os.listdir("/proc/self/fd") == before
