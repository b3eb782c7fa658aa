"""What a leg hears through a network that loses, delays and bends, stepped in virtual time."""

import numpy as np
import pytest

from appliance.media import g711
from appliance.media.g711 import Octets
from appliance.media.rtp.events import Event
from appliance.media.rtp.settings import Direction, LegSettings
from e1_driver import BLOCK, IDLE
from hil_tests.instruments import speech
from tests.media.rtp.network import SSRC, Network, Talk, rtp

MS = 8


@pytest.fixture(scope="module")
def words() -> Octets:
    said = np.concatenate([speech.said(text) for text in speech.texts("caller")])
    return np.resize(said, 90 * 8000)


def delay_of(heard: Octets, said: Octets, second: float = 0.0) -> int:
    """Samples by which `heard` is later than `said`, where a second of it fits octet for octet."""
    start = round(second * 8000)
    for delay in range(4000):
        if (heard[start + delay:start + delay + 8000] == said[start:start + 8000]).all():
            return delay
    raise AssertionError("not what was said")


@pytest.mark.parametrize("ptime_ms", [5, 10, 20, 30, 40, 60])
def test_a_good_network_changes_no_octet(words: Octets, ptime_ms: int) -> None:
    talk = Talk(words, ptime_ms=ptime_ms)
    heard = talk.run(10)
    delay = delay_of(heard, words)
    assert (heard[delay:] == words[:len(heard) - delay]).all()
    assert (heard[:delay] == IDLE).all()
    assert delay <= (ptime_ms + 20 + 30) * MS     # the packet, the way, the buffer
    figures = talk.legs.figures(0)
    assert (figures.lost, figures.late, figures.concealed_ms, figures.stretched_ms) == (0, 0, 0, 0)
    assert figures.jitter_ms < 0.1


def test_mu_law_is_heard_in_a_law(words: Octets) -> None:
    talk = Talk(g711.mu_law(words), kind=0)
    heard = talk.run(3)
    assert delay_of(heard, g711.a_law(g711.mu_law(words)))


def test_lost_packets_are_concealed_and_nothing_else_changes(words: Octets) -> None:
    talk = Talk(words, Network(loss=0.05))
    heard = talk.run(60)
    delay = delay_of(Talk(words).run(5), words)
    lost = np.zeros(len(heard) + 8000, bool)
    for number in talk.network.lost:
        lost[number * 160 + delay:number * 160 + delay + 160 + BLOCK] = True    # and 10 ms of the way back
    same = heard[delay:] == words[:len(heard) - delay]
    assert same[~lost[delay:len(heard)]].all()
    figures = talk.legs.figures(0)
    assert 0.9 * 20 * figures.lost <= figures.concealed_ms <= 20 * figures.lost
    assert figures.lost == pytest.approx(0.05 * 60 * 50, rel=0.4)
    linear = g711.decode(heard).astype(int)
    assert np.abs(np.diff(linear)).max() <= 1.25 * np.abs(np.diff(g711.decode(words).astype(int))).max()


@pytest.mark.parametrize(("jitter_ms", "most_late", "most_depth_ms"), [
    (5, 0.0001, 40), (20, 0.0005, 80), (40, 0.002, 150)])
def test_depth_follows_the_jitter(
    words: Octets, jitter_ms: int, most_late: float, most_depth_ms: int,
) -> None:
    talk = Talk(words, Network(jitter_s=jitter_ms / 1000))
    talk.run(5)
    before = talk.legs.figures(0)
    talk.run(50)
    figures = talk.legs.figures(0)
    assert (figures.concealed_ms - before.concealed_ms) / 50_000 <= most_late
    assert jitter_ms < figures.depth_ms <= most_depth_ms
    assert figures.depth_ms <= figures.most_depth_ms <= 200


def test_depth_comes_back_when_the_network_calms_down(words: Octets) -> None:
    talk = Talk(words, Network(jitter_s=0.04))
    talk.run(20)
    deep = talk.legs.figures(0).depth_ms
    talk.network.jitter_s = 0.0
    talk.run(30)
    assert deep > 60
    assert talk.legs.figures(0).depth_ms < 35
    assert talk.legs.figures(0).concealed_ms < 200


def test_depth_keeps_within_its_bound(words: Octets) -> None:
    talk = Talk(words, Network(jitter_s=0.1), settings=LegSettings(most_delay_ms=60))
    talk.run(30)
    assert talk.legs.figures(0).depth_ms <= 60


@pytest.mark.parametrize("drift_ppm", [-500, 500])
def test_another_clock_loses_nothing(words: Octets, drift_ppm: int) -> None:
    """What 100 ppm make in 8 minutes: 50 ms come out in steps of a pitch period, no sample is made up."""
    talk = Talk(np.resize(words, 110 * 8000), drift_ppm=drift_ppm)
    depths = []
    for _ in range(10):
        talk.run(10)
        depths.append(talk.legs.figures(0).depth_ms)
    figures = talk.legs.figures(0)
    assert figures.concealed_ms == 0
    assert 10 < min(depths) < max(depths) < 40
    assert 30 <= figures.stretched_ms <= 80


def test_steps_of_the_delay_do_not_click(words: Octets) -> None:
    """A clock 2 % off: the steepest step of two samples is not above that of the speech."""
    talk = Talk(words, drift_ppm=20_000)
    linear = g711.decode(talk.run(60)).astype(int)
    assert talk.legs.figures(0).stretched_ms > 800
    assert np.abs(np.diff(linear)).max() <= 1.25 * np.abs(np.diff(g711.decode(words).astype(int))).max()


def test_a_stall_costs_what_it_lasted_and_leaves_no_delay(words: Octets) -> None:
    """Half a second of packets comes at once."""
    talk = Talk(words, Network(delay_s=lambda number: 0.02 + 0.02 * max(0, 525 - number) * (number >= 500)))
    heard = talk.run(20)
    assert delay_of(heard, words, 2) == delay_of(heard, words, 12)
    assert talk.legs.figures(0).restarts == 0


@pytest.mark.parametrize(("before_s", "after_s"), [(0.02, 0.3), (0.3, 0.02)])
def test_a_new_route_is_followed(words: Octets, before_s: float, after_s: float) -> None:
    talk = Talk(words, Network(delay_s=lambda number: before_s if number < 500 else after_s))
    heard = talk.run(40)
    end = len(heard) - 8000 - 4000
    delays = [delay for delay in range(4000)
              if (heard[end + delay:end + delay + 4000] == words[end:end + 4000]).all()]
    assert len(delays) == 1
    assert delays[0] / MS < 1000 * after_s + 20 + 40


def test_this_box_stood_still_and_catches_up_without_a_gap(words: Octets) -> None:
    """For 0.8 s no tick ran; the packets waited, and the ticks are made up for at once."""
    talk = Talk(words)
    heard = [talk.run(5)]
    talk.now += 0.8
    talk.talk()
    packets = talk.network.arrive(talk.now)
    rx = np.empty((1, BLOCK), np.uint8)
    talk.deliver(packets)
    for _ in range(80):
        talk.heard += talk.legs.fill(rx, talk.now)
        heard.append(rx[0].copy())
    heard.append(talk.run(5))
    whole = np.concatenate(heard)
    delay = delay_of(whole, words)
    assert (whole[delay:] == words[:len(whole) - delay]).all()


def test_a_stream_that_begins_anew_is_heard_again_at_once(words: Octets) -> None:
    """Another SSRC, and time stamps that jump in the same one: music on hold, a call that was forwarded."""
    talk = Talk(words)
    talk.run(3)
    rx = np.empty((1, BLOCK), np.uint8)
    for first, leap in ((500, 5_000_000), (600, 9_000_000)):
        for number in range(100):
            begun = rtp(first + number, leap + 160 * number, bytes([0x2A]) * 160, ssrc=99)
            talk.deliver([(talk.now, begun)])
            heard = []
            for _ in range(2):
                talk.now += 0.01
                talk.legs.fill(rx, talk.now)
                heard.append(rx[0].copy())
            if number == 8:                       # 180 ms on
                assert (np.concatenate(heard) == 0x2A).all()
        assert (rx == 0x2A).all()
    assert talk.legs.figures(0).restarts == 2


def test_silence_suppression_is_no_loss_and_comfort_noise_is_heard(words: Octets) -> None:
    talk = Talk(words, Network(delay_s=lambda number: 0.0 if number < 50 else 100.0))
    talk.run(1.01)
    talk.deliver([(talk.now, rtp(65_050, 2 ** 32 - 40_000 + 50 * 160, bytes([50]), kind=13))])
    noise = g711.decode(talk.run(3)[8000:]).astype(float)
    level_dbm0 = 20 * np.log10(np.sqrt((noise ** 2).mean()) * 2 ** 0.5 / g711.PEAK_0DBM0)
    assert level_dbm0 == pytest.approx(-50 + 6.15, abs=1.5)
    assert talk.legs.figures(0).concealed_ms == 0


def test_a_leg_on_hold_hears_nothing_and_goes_on_afterwards(words: Octets) -> None:
    talk = Talk(words)
    talk.run(3)
    talk.legs.change(0, LegSettings(direction=Direction.SENDONLY))
    held = talk.run(3)
    assert (held[1000:] == IDLE).all()
    talk.legs.change(0, LegSettings())
    again = talk.run(3)
    assert (again[2000:] != IDLE).mean() > 0.3
    figures = talk.legs.figures(0)
    assert (figures.concealed_ms, figures.lost) == (0, 0)


def test_on_hold_neither_noise_nor_keys_are_heard_and_nothing_is_expected(words: Octets) -> None:
    talk = Talk(words, Network(delay_s=lambda number: 0.02 if number < 50 else 1e6))
    talk.run(1.1)
    talk.legs.change(0, LegSettings(direction=Direction.SENDONLY, regenerate_digits=True))
    for beside in (rtp(65_050, 2 ** 32 - 32_000, bytes([40]), kind=13),
                   rtp(65_051, 2 ** 32 - 31_840, Event(5, False, 160).encode(), kind=101)):
        talk.deliver([(talk.now, beside)])
    assert (talk.run(7)[800:] == IDLE).all()
    talk.legs.change(0, LegSettings())
    talk.run(4)
    assert talk.heard == []
    talk.run(3)
    assert [one.what for one in talk.heard] == ["nothing comes for 5 s"]


def test_every_far_end_of_a_leg_may_say_bye(words: Octets) -> None:
    talk = Talk(words)
    talk.run(1)
    for ssrc in (SSRC, 99, 98):
        for number in range(2):
            talk.deliver([(talk.now, rtp(number, 160 * number, bytes(160), ssrc=ssrc))])
        for kind in (0xC9, 0xCB, 0xC9):           # with BYE behind it the second, and again
            said = ssrc.to_bytes(4, "big")
            bye = b"\x81\xcb\x00\x01" + said if kind == 0xCB else b""
            talk.legs.receive_rtcp(0, b"\x80\xc9\x00\x01" + said + bye, 1e9, talk.now)
        if ssrc == 99:
            talk.legs.expect_another(0)
            talk.legs.receive_rtcp(0, b"\x80\xc9\x00\x01" + said, 1e9, talk.now)
    talk.run(0.1)
    assert [one.what for one in talk.heard] == 3 * ["the far end said BYE"]


def test_rows_hear_their_own(words: Octets) -> None:
    legs = Talk(words).legs.__class__(3)
    talks = [Talk(np.roll(words, 4000 * row), legs=legs, row=row) for row in (0, 2)]
    rx = np.empty((3, BLOCK), np.uint8)
    heard = []
    for tick in range(300):
        for talk in talks:
            talk.now = (tick + 1) / 100
            talk.talk()
            talk.deliver(talk.network.arrive(talk.now))
        legs.fill(rx, talks[0].now)
        heard.append(rx.copy())
    rows = np.concatenate(heard, axis=1)
    assert delay_of(rows[0], talks[0].audio) == delay_of(rows[2], talks[1].audio)
    assert (rows[1] == IDLE).all()


def test_that_nothing_comes_is_said_once_and_that_it_comes_again(words: Octets) -> None:
    talk = Talk(words, Network(delay_s=lambda number: 0.02 if number < 100 or number > 500 else 1e6))
    talk.run(15)
    said = [one.what for one in talk.heard if one.kind == "rtp-trouble"]
    assert said == ["nothing comes for 5 s", "the far end's packets come again"]


def test_the_score_falls_with_loss(words: Octets) -> None:
    scores = []
    for loss in (0.0, 0.05):
        talk = Talk(words, Network(loss=loss))
        talk.run(20)
        talk.legs.reports(talk.now, 0.0)
        scores.append(talk.legs.figures(0).mos)
    assert scores[0] is not None
    assert scores[1] is not None
    assert scores[0] > 4.3 > 4.1 > scores[1] > 3.0


def test_what_is_no_audio_counts_as_malformed_and_is_not_heard(words: Octets) -> None:
    talk = Talk(words)
    talk.run(1)
    for bad in (rtp(1, 1, bytes(160), kind=96), rtp(1, 1, b""), rtp(1, 1, bytes(1200)), b"\x00" * 50):
        talk.deliver([(talk.now, bad)])
    assert talk.legs.figures(0).malformed == 4
    assert talk.legs.figures(0).received > 0
    assert SSRC == talk.legs._streams.ssrc[0]


def test_copies_in_an_even_stream_are_known_and_its_number_begins_anew(words: Octets) -> None:
    talk, plain = Talk(words, first_sequence=65_500), Talk(words, first_sequence=65_500)
    talk.run(2)
    plain.run(2)
    received = talk.legs.figures(0).received
    for back in (1, 20, 60):
        number = received - back
        talk.deliver([(talk.now, rtp(65_500 + number, 2 ** 32 - 40_000 + 160 * number, bytes(160)))])
    heard = talk.run(2)
    figures = talk.legs.figures(0)
    assert (figures.duplicates, figures.lost, figures.reordered, figures.concealed_ms) == (3, 0, 0, 0)
    assert figures.received > received + 90
    assert (heard == plain.run(2)).all()          # nothing of the copies


def test_another_payload_type_where_the_number_begins_anew_is_not_taken_for_audio(words: Octets) -> None:
    talk = Talk(words)
    for number in range(65_530, 65_536):
        talk.deliver([(talk.now, rtp(number, 160 * number, bytes(160)))])
    talk.deliver([(talk.now, rtp(0, 160 * 65_536, bytes(160), kind=9))])
    assert talk.legs.figures(0).malformed == 1
