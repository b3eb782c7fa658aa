"""What is set, heard, sent, measured and listened to of a leg, asked of the engine itself; and RTP legs."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from appliance.bus import messages
from appliance.bus.client import Refused
from appliance.bus.messages import (
    REQUESTS,
    Digit,
    DigitsSent,
    Event,
    Levels,
    OpenRtp,
    Reply,
    RtpOpened,
    RtpSettings,
    RtpTrouble,
)
from appliance.media import tones
from appliance.media.g711 import Octets
from appliance.media.rtp.settings import LegSettings
from appliance.span.rtp import ChangeLeg, CloseLeg, OpenLeg, Ports, SendEvents
from appliance.span.switchboard_requests import Moment, answer
from e1_driver import BLOCK, IDLE, TIMESLOTS
from tests.span.board import PORTS, REC, SPANS, Box, voices


@pytest.fixture
def box() -> Box:
    box = Box()
    box.bind("ab")
    box.board.bridge("a", "b")
    return box


def say(box: Box, leg: str, octets: Octets, hearer: str = "") -> Octets:
    """Let the leg say that; what `hearer` hears meanwhile."""
    before, heard = box.rx[PORTS[leg]].copy(), []
    for block in np.append(octets, np.full(-len(octets) % BLOCK, IDLE, np.uint8)).reshape(-1, BLOCK):
        box.rx[PORTS[leg]] = block
        tick = box.tick()
        heard.append(tick.tx[PORTS[hearer or leg]].copy())
    box.rx[PORTS[leg]] = before
    return np.concatenate(heard)


def ask(box: Box, asked: dict[str, object]) -> Reply:
    """As it comes from the bus."""
    return answer(box.board, msgspec.convert(asked, REQUESTS[str(asked.pop("type"))]), Moment(0, 0.0))


def digits(said: list[Event]) -> str:
    return "".join(event.digit for event in said if isinstance(event, Digit))


def loudness(box: Box, leg: str) -> dict[str, float]:
    for _ in range(40):                           # a gain moves by a step a tick
        box.tick()
    return voices(box.tick().tx[PORTS[leg]])


def test_gains_of_what_is_received_and_sent(box: Box) -> None:
    box.board.set_gain("a", received_db=-6.0, sent_db=-12.0)
    assert loudness(box, "b") == {"a": pytest.approx(0.5, abs=0.03)}
    assert loudness(box, "a") == {"b": pytest.approx(0.25, abs=0.03)}
    box.board.bind("a", "telco", PORTS["c"])      # its gains go along
    box.rx[PORTS["c"]], box.rx[PORTS["a"]] = box.rx[PORTS["a"]].copy(), IDLE
    assert loudness(box, "b") == {"a": pytest.approx(0.5, abs=0.03)}
    box.board.set_gain("a", 0.0, 0.0)
    assert loudness(box, "b") == {"a": pytest.approx(1.0, abs=0.01)}
    with pytest.raises(Refused, match=r"gain of 24 dB: -40 to 23.75 are possible"):
        box.board.set_gain("a", 0.0, 24.0)


def test_digits_are_heard_on_every_bound_leg(box: Box) -> None:
    say(box, "a", tones.dtmf("12"))
    say(box, "b", tones.dtmf("#D"))
    say(box, "c", tones.dtmf("5"))                # bound to nobody
    assert [(event.leg, event.digit) for event in box.said if isinstance(event, Digit)] == [
        ("a", "1"), ("a", "2"), ("b", "#"), ("b", "D")]
    box.board.heard("dtmf", "c", "7", 0.0)        # a word of a leg that was unbound meanwhile
    box.tick()
    assert digits(box.said) == "12#D"


def test_masked_digits_are_told_but_neither_heard_nor_recorded(box: Box) -> None:
    heard = say(box, "a", tones.dtmf("19"), hearer="b")
    assert (heard != IDLE).any()
    box.board.mask_digits("a", True)
    box.board.start_recording(REC, "a", "b", 0)
    octets = tones.dtmf("4711")
    recorded = []
    for block in octets[:octets.size // BLOCK * BLOCK].reshape(-1, BLOCK):
        box.rx[PORTS["a"]] = block
        tick = box.tick()
        assert (tick.tx[PORTS["b"]] == tick.audio[0, 0]).all()
        recorded.append(tick.audio[0, 0].copy())
    assert digits(box.said) == "194711"
    assert (np.concatenate(recorded) == IDLE).mean() > 0.95


def test_what_is_detected_is_chosen_and_goes_with_the_leg(box: Box) -> None:
    with pytest.raises(Refused, match=r"nothing detects 'laughter', there are dtmf, "):
        box.board.detect("a", ["laughter"])
    box.board.detect("a", ["r2-forward"])
    box.tick()
    assert {watch.kind: [tag for tag in watch.tags if tag] for watch in box.engine.plan.watches} == {
        "dtmf": ["a", "b"], "r2-forward": ["a"]}
    box.board.bind("a", "telco", PORTS["c"])
    box.board.heard("r2-forward", "a", "7", 1.5)
    box.tick()
    assert [(watch.ports == PORTS["c"]).sum() for watch in box.engine.plan.watches] == [1, 1]
    assert box.said == [messages.Heard(leg="a", kind="r2-forward", what="7", at=1.5)]
    box.board.detect("a", [])
    box.tick()
    assert [watch.kind for watch in box.engine.plan.watches if any(watch.tags)] == ["dtmf"]


def test_digits_are_sent_over_what_the_leg_hears_once(box: Box) -> None:
    box.board.send_digits("a", "pin", "42#", on_ms=60, off_ms=60)
    heard = []
    for _ in range(50):
        box.board.send_digits("a", "pin", "42#")  # the same order is nothing new, nor is it after its end
        tick = box.tick()
        heard.append(tick.tx[PORTS["a"]].copy())
        assert voices(tick.tx[PORTS["b"]]).keys() == {"a"}
    assert np.concatenate(heard).tobytes().startswith(tones.dtmf("42#", 60, 60).tobytes())
    assert box.said == [DigitsSent(leg="a", order="pin", finished=True)]
    assert box.hears("a") == ["b"]


@pytest.mark.parametrize(("asked", "why"), [
    ({"leg": "x"}, "has no timeslot"), ({"digits": ""}, "1 to 64 of"), ({"digits": "12E"}, "1 to 64 of"),
    ({"digits": "1" * 65}, "1 to 64 of"), ({"on_ms": 39}, "on_ms 39: 40 to 1000"),
    ({"off_ms": 1001}, "off_ms 1001: 40 to 1000"), ({"order": ""}, "printable")])
def test_digits_that_cannot_be_sent_are_refused(box: Box, asked: dict[str, object], why: str) -> None:
    box.tick()
    with pytest.raises(Refused, match=why):
        ask(box, {"type": "SendDigits", "leg": "a", "order": "o", "digits": "1"} | asked)
    assert box.board.take_plan() is None


def test_one_order_of_digits_at_a_time(box: Box) -> None:
    box.board.send_digits("a", "one", "1")
    with pytest.raises(Refused, match="still sent those of 'one'"):
        box.board.send_digits("a", "two", "2")
    box.board.unbind("a")
    box.tick()
    assert box.said == [DigitsSent(leg="a", order="one", finished=False)]


def test_levels_are_measured_while_somebody_asks(box: Box) -> None:
    assert box.board.levels("a", now=0.0) == Levels(received=None, sent=None)
    for _ in range(26):
        box.tick()
    measured = box.board.levels("a", now=1.0)
    assert measured.received is not None and measured.sent is not None
    assert measured.received == measured.sent     # two voices, alike
    assert measured.received.peak_dbm0 == pytest.approx(-15.1, abs=0.2)            # 4032 of 22827
    assert measured.received.rms_dbm0 == pytest.approx(-15.1 - 13.0 + 3.0, abs=0.3)    # in 4 samples of 80
    box.board.expire(now=10.9)
    assert box.board.take_plan() is None
    box.board.expire(now=11.1)
    box.tick()
    assert not any(box.engine.plan.meters.tags)
    with pytest.raises(Refused, match="'x' has no timeslot and is no RTP leg"):
        box.board.levels("x", now=0.0)


def test_somebody_listens_to_a_leg_or_a_timeslot_and_the_log_says_so(box: Box) -> None:
    one, other = "1" * 32, "2" * 32
    row = box.board.listen(one, "ann", "a", "", 0, 60.0, now=0.0)
    assert box.board.listen(other, "ben", "", "pbx", PORTS["b"] - TIMESLOTS, 60.0, now=0.0) != row
    assert box.listened() == {one: ["a", "b"], other: ["b", "a"]}
    assert box.board.listen(one, "ann", "a", "", 0, 60.0, now=50.0) == row
    assert box.board.take_notes() == ["ann listens to leg a", "ben listens to timeslot 6 of pbx"]
    box.board.expire(now=60.0)
    assert box.listened() == {one: ["a", "b"]}
    box.board.unbind("a")
    assert box.listened() == {}
    box.board.listen(other, "ben", "", "pbx", PORTS["b"] - TIMESLOTS, 60.0, now=60.0)
    box.board.unbind("b")                         # a timeslot is listened to from call to call
    assert box.listened() == {other: ["b", ""]}
    box.bind("ab")
    box.board.bridge("a", "b")
    assert box.listened() == {other: ["b", "a"]}
    box.board.stop_listening(other)
    assert box.board.take_notes() == [
        "ben listens to timeslot 6 of pbx no more", "ann listens to leg a no more",
        "ben listens to timeslot 6 of pbx", "ben listens to timeslot 6 of pbx no more"]


@pytest.mark.parametrize(("asked", "why"), [
    ({"listener": "x"}, "listener 'x': its id is 32"), ({"who": ""}, "who '': a name has 1 to 64"),
    ({"for_s": 61.0}, "for_s 61: up to 60"), ({"for_s": 0.0}, "for_s 0"), ({"leg": "x"}, "has no timeslot"),
    ({"span": "telco", "timeslot": 1}, "a leg, or a span"), ({"leg": ""}, "a leg, or a span"),
    ({"leg": "", "span": "isdn", "timeslot": 1}, "no span 'isdn'"),
    ({"leg": "", "span": "telco", "timeslot": 16}, "carries no speech")])
def test_what_cannot_be_listened_to_is_refused(box: Box, asked: dict[str, object], why: str) -> None:
    box.tick()
    with pytest.raises(Refused, match=why):
        ask(box, {"type": "Listen", "listener": "1" * 32, "who": "ann", "for_s": 10.0, "leg": "a"} | asked)
    assert box.board.take_plan() is None
    assert box.board.take_notes() == []


def test_so_many_listen_and_no_more(box: Box) -> None:
    for number in range(1, 17):
        box.board.listen(f"{number:032x}", "ann", "a", "", 0, 60.0, now=0.0)
    with pytest.raises(Refused, match="16 listen already"):
        box.board.listen("f" * 32, "ann", "a", "", 0, 60.0, now=0.0)


# RTP legs, with real sockets on loopback

FIRST = len(SPANS) * TIMESLOTS
ANY = RtpSettings()


@pytest.fixture
def phones() -> Iterator[Box]:
    box = Box(rtp_legs=2, rtp_ports=Ports("127.0.0.1", 42000, 42999))
    yield box
    for order in box.orders:
        if isinstance(order, OpenLeg):
            order.sockets.close()


def open_rtp(box: Box, leg: str, settings: RtpSettings = ANY, local_port: int = 0) -> int:
    reply = answer(box.board, OpenRtp(leg=leg, settings=settings, local_port=local_port), Moment(0, 0.0))
    assert isinstance(reply, RtpOpened)
    box.tick()
    return reply.local_port


def test_an_rtp_leg_is_bridged_like_any_other(phones: Box) -> None:
    phones.bind("a")
    phones.board.bridge("a", "phone")
    port = open_rtp(phones, "phone")
    phones.rx[FIRST] = phones.rx[PORTS["b"]]
    tick = phones.tick()
    assert voices(tick.tx[PORTS["a"]]).keys() == {"b"}
    assert voices(tick.tx[FIRST]).keys() == {"a"}
    [opened] = phones.orders
    assert isinstance(opened, OpenLeg)
    assert (opened.row, opened.settings, opened.sockets.port) == (0, LegSettings(), port)
    phones.board.unbind("phone")
    phones.tick()
    assert phones.orders[1:] == [CloseLeg(0)]


def test_an_rtp_leg_changes_and_is_not_opened_twice(phones: Box) -> None:
    wanted = RtpSettings(remote=("127.0.0.1", 9), codec="pcmu", ptime_ms=40)
    port = open_rtp(phones, "phone")
    assert open_rtp(phones, "phone") == port
    assert open_rtp(phones, "phone", wanted) == port
    answer(phones.board, messages.ChangeRtp(leg="phone", settings=wanted, relatch=True), Moment(0, 0.0))
    phones.tick()
    settings = LegSettings(remote=("127.0.0.1", 9), codec="pcmu", ptime_ms=40)     # type: ignore[arg-type]
    assert phones.orders[1:] == [ChangeLeg(0, settings), ChangeLeg(0, settings, relatch=True)]


def test_a_leg_gets_the_port_that_it_had_before_a_restart(phones: Box) -> None:
    port = open_rtp(phones, "phone")
    with pytest.raises(Refused, match=f"port {port}: Address already in use"):
        open_rtp(phones, "other", local_port=port)
    phones.board.unbind("phone")
    for order in phones.orders:
        if isinstance(order, OpenLeg):
            order.sockets.close()
    assert open_rtp(phones, "phone", local_port=port) == port


@pytest.mark.parametrize(("asked", "why"), [
    ({"settings": {"ptime_ms": 25}}, "ptime_ms 25: one of"),
    ({"settings": {"send_key": "eA=="}}, "SRTP needs both"),
    ({"settings": {"remote": ["2001:db8::1", 4000]}}, "2001:db8::1: media.rtp has .* other IP version"),
    ({"local_port": 41999}, "port 41999: not an even port"), ({"leg": ""}, "printable")])
def test_rtp_legs_that_cannot_be_are_refused(phones: Box, asked: dict[str, object], why: str) -> None:
    with pytest.raises(Refused, match=why):
        ask(phones, {"type": "OpenRtp", "leg": "phone", "settings": {}} | asked)
    phones.tick()
    assert phones.orders == []
    assert phones.board.figures()["legs"] == 0


def test_so_many_rtp_legs_and_none_where_none_are_configured(phones: Box, box: Box) -> None:
    with pytest.raises(Refused, match="this box has no RTP legs"):
        open_rtp(box, "phone")
    for leg in ("one", "two"):
        open_rtp(phones, leg)
    with pytest.raises(Refused, match="all 2 RTP legs are in use"):
        open_rtp(phones, "three")
    phones.bind("a")
    with pytest.raises(Refused, match="no RTP leg"):
        ask(phones, {"type": "ChangeRtp", "leg": "a", "settings": {}})
    phones.board.bind("two", "telco", 20)         # a leg that moves to a timeslot
    open_rtp(phones, "three")
    assert phones.orders[2] == CloseLeg(1)


def test_a_telephone_that_tells_its_digits_is_not_listened_to_for_them(phones: Box) -> None:
    open_rtp(phones, "phone")
    phones.board.rtp_heard(0, "rtp-event", "5", 1.0)
    for block in tones.dtmf("5")[:BLOCK * 12].reshape(-1, BLOCK):
        phones.rx[FIRST] = block
        phones.tick()
    assert phones.said == [Digit(leg="phone", digit="5", at=1.0)]
    phones.rx[FIRST] = IDLE
    phones.tick()
    open_rtp(phones, "phone", RtpSettings(event_payload=None))
    for block in tones.dtmf("7")[:BLOCK * 12].reshape(-1, BLOCK):
        phones.rx[FIRST] = block
        phones.tick()
    assert digits(phones.said) == "57"
    phones.board.rtp_heard(0, "rtp-trouble", "silent for 5 s", 2.0)
    phones.board.rtp_heard(1, "rtp-event", "1", 2.0)                 # nobody's row
    phones.tick()
    assert phones.said[2:] == [RtpTrouble(leg="phone", what="silent for 5 s", at=2.0)]


def test_digits_go_to_a_telephone_as_it_wants_them(phones: Box) -> None:
    open_rtp(phones, "phone")
    phones.board.send_digits("phone", "one", "12", on_ms=60, off_ms=40)
    for _ in range(21):
        assert (phones.tick().tx[FIRST] == IDLE).all()
    assert phones.orders[1:] == [SendEvents(0, "12", 60, 40)]
    assert phones.said == [DigitsSent(leg="phone", order="one", finished=True)]
    open_rtp(phones, "phone", RtpSettings(event_payload=None))
    phones.board.send_digits("phone", "two", "12")
    assert (phones.tick().tx[FIRST] == tones.dtmf("1")[:BLOCK]).all()
