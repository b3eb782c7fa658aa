"""RFC 4733, both ways."""

import numpy as np
import pytest

from appliance.media import tones
from appliance.media.g711 import Octets
from appliance.media.rtp.events import NAMES, Event
from appliance.media.rtp.legs import Legs
from appliance.media.rtp.packet import HEADER_OCTETS
from appliance.media.rtp.settings import LegSettings
from e1_driver import BLOCK, IDLE
from tests.media.rtp.network import HEADER, Talk, rtp

BASE = 10_000                                     # time stamp of the far end's packet number 0


def test_payload_is_the_recommended_octets() -> None:
    """RFC 4733 figure 1: event 11, end, volume 10, 1600 samples."""
    event = Event(11, True, 1600)
    assert event.encode() == bytes.fromhex("0b8a0640")
    assert Event.decode(event.encode() + b"more") == event
    assert Event.decode(bytes.fromhex("100a0640")) is None       # 16 is a hook flash, no key
    assert Event.decode(b"\x01\x0a\x06") is None


class Phone:
    """A far end that talks silence and presses keys."""

    def __init__(self, settings: LegSettings | None = None) -> None:
        self.talk = Talk(np.empty(0, np.uint8), settings=settings)
        self.sequence, self.at = 0, BASE
        self.heard = np.empty(0, np.uint8)

    def packet(
        self, payload: bytes, kind: int = 8, timestamp: int | None = None, passes: bool = True,
    ) -> None:
        """One of 20 ms, and the two ticks of it."""
        stamp = self.at if timestamp is None else timestamp
        if passes:
            self.talk.deliver([(self.talk.now, rtp(self.sequence, stamp, payload, kind))])
        self.sequence += 1
        self.at += 160
        self.heard = np.concatenate([self.heard, self.talk.run(0.02)])

    def speak(self, packets: int) -> None:
        for _ in range(packets):
            self.packet(b"\x2a" * 160)

    def press(self, key: str, packets: int, lost: tuple[int, ...] = (), ends: int = 3) -> None:
        start = self.at
        for number in range(packets + ends):
            duration = 160 * min(number + 1, packets)
            self.packet(Event(NAMES.index(key), number >= packets - 1, duration).encode(), 101, start,
                        number not in lost)

    @property
    def digits(self) -> str:
        return "".join(one.what for one in self.talk.heard if one.kind == "rtp-event")


@pytest.mark.parametrize("lost", [(), (0,), (1, 2), (0, 1, 2, 3), (4, 5), (0, 1, 2, 3, 4, 5)])
def test_a_key_is_said_once_whatever_packet_of_it_is_lost(lost: tuple[int, ...]) -> None:
    phone = Phone()
    phone.speak(20)
    phone.press("7", 5, lost)
    phone.speak(20)
    phone.press("7", 5, lost)
    phone.speak(20)
    assert phone.digits == "77"
    assert phone.talk.legs.figures(0).malformed == 0


def test_a_key_is_no_lost_audio_and_its_own_sound_is_not_heard() -> None:
    phone = Phone()
    phone.speak(50)
    phone.press("5", 8)
    phone.speak(50)
    assert phone.talk.legs.figures(0).concealed_ms == 0
    sound = phone.heard != IDLE
    assert not sound[50 * 160 + 400:57 * 160].any()
    assert sound[65 * 160:].all()


def test_who_sends_the_tone_beside_the_event_is_not_heard_twice() -> None:
    phone = Phone()
    phone.speak(20)
    start, tone = phone.at, tones.dtmf("5", on_ms=500).tobytes()
    for number in range(10):
        event = Event(5, number == 9, 160 * (number + 1)).encode()
        phone.talk.deliver([(phone.talk.now, rtp(phone.sequence, start, event, 101))])
        phone.sequence += 1
        phone.packet(tone[160 * number:160 * number + 160])
    assert (phone.heard[21 * 160:29 * 160] == IDLE).all()
    assert phone.digits == "5"


@pytest.mark.parametrize(("ahead", "duration"), [(1_000_000, 160), (0, 0xFFFF)])
def test_a_key_of_another_clock_or_at_once_at_full_length_mutes_nobody(ahead: int, duration: int) -> None:
    phone = Phone()
    phone.speak(5)
    phone.packet(Event(3, False, duration).encode(), 101, phone.at + ahead)
    phone.speak(30)
    assert phone.digits == "3"
    assert (phone.heard[-5 * 160:] != IDLE).all()


def test_a_long_event_in_segments_is_one_key() -> None:
    phone = Phone()
    phone.speak(5)
    start = phone.at
    phone.packet(Event(3, False, 0xFFFF).encode(), 101, start)
    phone.packet(Event(3, False, 160).encode(), 101, start + 0xFFFF)
    phone.packet(Event(3, True, 320).encode(), 101, start + 0xFFFF)
    assert phone.digits == "3"


def digits_in(heard: Octets) -> list[tuple[str, int]]:
    """Digits by the frequencies of 10 ms blocks, and of how many blocks each."""
    found: list[tuple[str, int]] = []
    samples = np.stack([tones.dtmf(name, on_ms=1000, off_ms=0) for name in NAMES])
    for block in heard.reshape(-1, BLOCK):
        same = [name for name, tone in zip(NAMES, samples, strict=True)
                if any((tone[at:at + BLOCK] == block).all() for at in range(0, 8000, BLOCK))]
        if same and found and found[-1][0] == same[0]:
            found[-1] = same[0], found[-1][1] + 1
        elif same or (found and found[-1][0]):
            found.append((same[0] if same else "", 1))
    return [one for one in found if one[0]]


def test_received_keys_sound_for_a_menu_at_the_far_end_of_a_trunk() -> None:
    """Short ones for 80 ms with a pause, as a receiver needs them; a held one as long as it is held."""
    phone = Phone(LegSettings(regenerate_digits=True))
    phone.speak(10)
    phone.press("1", 2, ends=1)
    phone.press("1", 2, ends=1)
    phone.press("2", 2, ends=1)
    phone.speak(30)
    phone.press("#", 40)
    phone.speak(20)
    found = digits_in(phone.heard)
    assert [name for name, _ in found] == ["1", "1", "2", "#"]
    assert [blocks for _, blocks in found[:3]] == [8, 8, 8]
    assert 78 <= found[3][1] <= 90
    assert phone.digits == "112#"


def sent(legs: Legs, seconds: float) -> list[tuple[int, int, int, bytes, bool]]:
    """(payload type, sequence, timestamp, payload, marker) of what leg 0 sends of a tone."""
    packets = []
    for _ in range(round(seconds * 100)):
        for row, size in zip(*legs.senders.take(np.full((1, BLOCK), 0x2A, np.uint8)), strict=True):
            data = legs.senders.packets[row, :size].tobytes()
            _, kind, sequence, timestamp, _ = HEADER.unpack_from(data)
            packets.append((kind & 127, sequence, timestamp, data[HEADER_OCTETS:], bool(kind & 128)))
    return packets


def leg(settings: LegSettings) -> Legs:
    legs = Legs(1)
    legs.open(0, settings, "x", (1, 65_530, 2 ** 32 - 4_000), 0.0)
    return legs


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40])
def test_keys_are_sent_by_the_rules(ptime_ms: int) -> None:
    legs, samples = leg(LegSettings(ptime_ms=ptime_ms)), 8 * ptime_ms
    sent(legs, 1.2)
    legs.senders.events(0, "5#", 800, 1600)
    packets = sent(legs, 2.4)
    assert [(one[1] - packets[0][1]) % 65536 for one in packets] == list(range(len(packets)))
    events: dict[int, list[tuple[Event, bool]]] = {}
    for kind, _, timestamp, payload, marker in packets:
        if kind == 101:
            event = Event.decode(payload)
            assert event is not None
            events.setdefault(timestamp, []).append((event, marker))
        else:
            assert kind == 8
    assert [one[0][0].number for one in events.values()] == [5, 11]
    for one in events.values():
        assert [marker for _, marker in one] == [True] + [False] * (len(one) - 1)
        ends = [event for event, _ in one if event.end]
        assert len(ends) == 3
        assert {event.duration for event in ends} == {800}
        growing = [event.duration for event, _ in one if not event.end]
        assert growing == list(range(samples, 800, samples))
    first, second = events
    assert 2400 <= second - first < 2400 + 2 * samples
    sound = [(timestamp, marker) for kind, _, timestamp, _, marker in packets if kind == 8]
    begins = [timestamp for timestamp, marker in sound if marker]
    assert len(begins) == 2                       # audio begins anew after each key
    assert all((timestamp - packets[0][2]) % samples == 0 for timestamp, _ in sound)


def test_keys_are_not_sent_where_they_were_not_agreed() -> None:
    legs = leg(LegSettings(event_payload=None))
    legs.senders.events(0, "5", 800, 800)
    assert {kind for kind, *_ in sent(legs, 0.5)} == {8}


def test_what_one_leg_sends_another_hears() -> None:
    legs = leg(LegSettings())
    far = Talk(np.empty(0, np.uint8))
    legs.senders.events(0, "0123456789*#ABCD", 480, 400)
    for _ in range(300):
        for row, size in zip(*legs.senders.take(np.full((1, BLOCK), 0x2A, np.uint8)), strict=True):
            far.deliver([(far.now, legs.senders.packets[row, :size].tobytes())])
        far.run(0.01)
    assert "".join(one.what for one in far.heard) == "0123456789*#ABCD"
    assert far.legs.figures(0).lost == 0
