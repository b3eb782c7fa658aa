"""The software exchange alone: one at each end of a line."""

import subprocess
import threading
from pathlib import Path

import pytest

from hil_tests.instruments import audio
from hil_tests.instruments.answering import after, always, busy, never
from hil_tests.instruments.call import Call, NotSeen
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.instruments.line import InstrumentError
from tests.hil_tests.conftest import Pair


def connected(
        caller: SoftwareExchange, callee: SoftwareExchange, timeslot: int | None = None) -> tuple[Call, Call]:
    call = caller.place_call(called="5001", calling="13800138000", timeslot=timeslot)
    other = callee.wait_for_call()
    other.answer()
    return call.answered(), other


@pytest.mark.parametrize("timeslot", [1, 15, 17, 31])
def test_a_call_goes_through_all_its_states(pair: Pair, timeslot: int) -> None:
    call = pair.telco.place_call(called="5001", calling="13800138000", name="Li Lei", timeslot=timeslot)
    other = pair.pbx.wait_for_call()
    assert (other.called, other.calling, other.calling_name) == ("5001", "13800138000", "Li Lei")
    assert (other.timeslot, other.complete, call.state) == (timeslot, True, "setup")
    other.proceed()
    assert call.wait_for("PROCEEDING").timeslot == timeslot
    other.alert()
    call.wait_for("ALERTING")
    assert call.state == "alerting"
    other.answer()
    call.wait_for("CONNECT")
    call.hang_up()
    assert other.wait_for("DISCONNECT").cause == 16
    assert call.wait_for("RELEASED").cause == other.wait_for("RELEASED").cause == 16
    assert (call.released, call.cleared_by, other.released, other.cleared_by) == (16, "near", 16, "far")
    assert pair.telco.calls == pair.pbx.calls == []
    times = [call.setup_at, *(event.at for event in call.events)]
    assert times == sorted(times)


def test_the_called_side_hangs_up_and_the_user_side_calls(pair: Pair) -> None:
    call, other = connected(pair.pbx, pair.telco)
    assert call.timeslot == other.timeslot == 1   # the pbx hunts upward
    other.hang_up(cause=31)
    assert call.wait_for("DISCONNECT").cause == 31
    assert (call.wait_for("RELEASED").cause, call.cleared_by, other.cleared_by) == (31, "far", "near")
    other.wait_for("RELEASED")


def test_a_telephone_rings_in_vain_for_a_caller_who_gives_up_in_the_same_block(pair: Pair) -> None:
    pair.pbx.answering(never())

    def ring_and_give_up() -> Call:
        call = pair.telco.place_call(called="5001")
        call.hang_up()
        return call

    for _ in range(3):
        pair.telco.line.ask(ring_and_give_up).wait_for("RELEASED")
    pair.pbx.wait_idle()


@pytest.mark.parametrize("cause", [1, 16, 17, 21, 44])
def test_a_refusal_carries_its_cause(pair: Pair, cause: int) -> None:
    call = pair.telco.place_call(called="5001")
    other = pair.pbx.wait_for_call()
    other.reject(cause)
    call.wait_for("RELEASED")
    other.wait_for("RELEASED")
    assert (call.released, call.cleared_by, other.released) == (cause, "far", cause)
    with pytest.raises(NotSeen, match=r"no CONNECT .*RELEASED"):
        call.wait_for("CONNECT", within_s=60)     # at once: it cannot come any more


@pytest.mark.parametrize("answer", ["nothing", "proceed", "alert"])
def test_the_caller_gives_up(pair: Pair, answer: str) -> None:
    call = pair.telco.place_call(called="5001")
    other = pair.pbx.wait_for_call()
    if answer == "proceed":
        other.proceed()
        call.wait_for("PROCEEDING")
    elif answer == "alert":
        other.alert()
        call.wait_for("ALERTING")
    call.hang_up()
    call.wait_for("RELEASED")
    assert other.wait_for("RELEASED").cause == 16
    assert (other.released, other.cleared_by) == (16, "far")
    assert pair.pbx.calls == []


def test_digits_one_by_one(pair: Pair) -> None:
    call = pair.telco.place_call(called="50", complete=False)
    other = pair.pbx.wait_for_call()
    assert (other.called, other.complete) == ("50", False)
    other.ask_digits()
    call.wait_for("SETUP ACK")
    call.send_digits("01")
    assert other.wait_for_digits(4) == "5001"
    other.proceed()
    call.wait_for("PROCEEDING")
    other.answer()
    assert call.answered().called == "5001"


def test_tones_keys_and_octets_arrive_as_they_were_sent(pair: Pair) -> None:
    call, other = connected(pair.telco, pair.pbx, timeslot=17)
    call.tone(hz=1004, level_dbm0=-12)
    other.tone(hz=425, level_dbm0=-20)
    other.wait_to_hear(hz=1004, level_dbm0=-12, tolerance_db=0.3)
    call.wait_to_hear(hz=425)
    assert call.level_dbm0(425, over_s=0.3) == pytest.approx(-20, abs=0.2)
    assert other.level_dbm0(425, over_s=0.3) < -50                   # nobody hears himself
    call.dtmf("12#")
    said = audio.sequence(5, 1.0)
    other.play(said)
    other.wait_said()
    at_s = call.wait_to_hear_octets(said)
    assert (call.heard(at_s)[:len(said)] == said).all()
    assert other.heard_keys() == "12#"
    with pytest.raises(NotSeen, match="1700 Hz not heard"):
        call.wait_to_hear(hz=1700, within_s=0.3)


def test_a_channel_is_silent_again_after_its_call(pair: Pair) -> None:
    call, other = connected(pair.telco, pair.pbx, timeslot=5)
    call.play(audio.sequence(1, 1.0), repeat=True)
    other.wait_to_hear_octets(audio.sequence(1, 1.0)[:800])
    call.hang_up()
    other.wait_for("RELEASED")
    call.wait_for("RELEASED")
    _, other = connected(pair.telco, pair.pbx, timeslot=5)
    other.wait_to_have_heard(0.5, within_s=3)
    assert (other.heard()[-800:] == audio.IDLE).all()


def test_a_call_that_came_before_the_rule_follows_it(pair: Pair) -> None:
    call = pair.telco.place_call(called="5001")
    with pair.pbx.condition:
        assert pair.pbx.condition.wait_for(lambda: pair.pbx.calls, 5)
    pair.pbx.answering(always())
    assert call.answered().state == "connected"


def test_a_second_setup_on_a_busy_channel_is_refused(pair: Pair) -> None:
    call, other = connected(pair.telco, pair.pbx, timeslot=9)
    second = pair.telco.place_call(called="5002", timeslot=9)
    assert second.wait_for("RELEASED").cause == 44
    assert (call.state, other.state) == ("connected", "connected")
    third = pair.telco.place_call(called="5003", timeslot=9, exclusive=False)
    another = pair.pbx.wait_for_call(called="5003")
    another.answer()
    assert third.answered().timeslot == another.timeslot != 9


def test_restart_of_a_channel_drops_its_call_and_no_other(pair: Pair) -> None:
    call, other = connected(pair.telco, pair.pbx, timeslot=9)
    kept, _ = connected(pair.telco, pair.pbx, timeslot=10)
    pair.telco.restart(9)
    assert other.wait_for("RELEASED").cause == 41
    assert (other.cleared_by, call.state, kept.state) == ("line", "released", "connected")
    pair.telco.restart()
    assert pair.pbx.statistics.restarts == 31
    assert kept.state == "released"
    connected(pair.telco, pair.pbx, timeslot=9)


def test_telephones_follow_their_rule(pair: Pair) -> None:
    pair.pbx.answering({"6001": always(), "6002": busy(), "6003": never(), "6004": after(0.3)})
    assert pair.telco.place_call("6001").answered()
    assert pair.telco.place_call("6002").wait_for("RELEASED").cause == 17
    ringing = pair.telco.place_call("6003")
    late = pair.telco.place_call("6004").answered()
    assert late.event("CONNECT").at - late.event("ALERTING").at > 0.25    # type: ignore[union-attr]
    assert ringing.state == "alerting"
    assert pair.telco.place_call("7").wait_for("RELEASED").cause == 1
    overlap = pair.telco.place_call("60", complete=False)
    overlap.wait_for("SETUP ACK")
    overlap.send_digits("01")
    assert overlap.answered()
    pair.telco.hang_up_all()
    assert pair.telco.calls == []


def test_on_call_runs_beside_the_line(pair: Pair) -> None:
    threads: list[str] = []

    def greet(call: Call) -> None:
        threads.append(threading.current_thread().name)
        call.alert()
        call.answer()
        call.tone(hz=900, seconds=0.2)
        call.wait_said()
        call.hang_up()
    pair.pbx.on_call = greet
    call = pair.telco.place_call("5001").answered()
    call.wait_to_hear(hz=900)
    assert call.wait_for("RELEASED").cause == 16
    assert threads and not threads[0].startswith("line")


def test_thirty_at_once_sixty_in_all(pair: Pair) -> None:
    pair.pbx.answering(always())
    result = pair.telco.bulk(calls=60, at_once=30, per_s=40, called="5001", hold_s=0.5)
    assert (result.answered, result.failed, result.most_at_once <= 30) == (60, {}, True)
    assert 0 < result.setup_to_proceeding.p50_ms <= result.setup_to_connect.p50_ms
    assert result.setup_to_connect.p50_ms <= result.setup_to_connect.p90_ms <= result.setup_to_connect.p99_ms
    assert "answered 60, failed none" in result.table()


def test_bulk_counts_refusals_by_cause(pair: Pair) -> None:
    pair.pbx.answering(lambda call: busy() if call.number % 2 else always())
    result = pair.telco.bulk(calls=10, at_once=5, per_s=100, called="5001")
    assert (result.answered, result.failed) == (5, {17: 5})


def test_a_cut_of_the_d_channel_is_survived(pair: Pair) -> None:
    call, other = connected(pair.telco, pair.pbx)
    pair.telco.faults.d_cut = True
    pair.telco.place_call(called="1")             # makes layer 2 notice
    pair.telco.wait_down(within_s=20)
    assert call.state == "connected"
    pair.telco.faults.d_cut = False
    pair.telco.wait_up(within_s=15)
    pair.pbx.wait_up(within_s=15)
    call.hang_up()
    call.wait_for("RELEASED")
    assert other.wait_for("RELEASED").cause == 16


def test_five_percent_of_the_frames_lost(pair: Pair) -> None:
    pair.pbx.answering(always())
    pair.telco.faults.d_loss = 0.05
    result = pair.telco.bulk(calls=15, at_once=15, per_s=20, called="5001", hold_s=0.2)
    assert result.answered == 15
    assert pair.telco.line.span.counters().fcs_errors + pair.pbx.line.span.counters().fcs_errors > 0


def test_tshark_reads_the_capture(pair: Pair, tmp_path: Path) -> None:
    call, other = connected(pair.telco, pair.pbx)
    call.hang_up()
    other.wait_for("RELEASED")
    call.wait_for("RELEASED")
    fields = "-T", "fields", "-e", "lapd.direction", "-e", "q931.message_type"
    said = subprocess.run(
        ["tshark", "-r", tmp_path / "telco.pcap", "-Y", "q931", *fields],
        capture_output=True, text=True, check=True).stdout.split()
    telco, pbx = "1", "0"                         # network and user
    assert said == [telco, "0x05", pbx, "0x07", telco, "0x0f", telco, "0x45", pbx, "0x4d", telco, "0x5a"]


def test_what_cannot_be_done_says_so(pair: Pair) -> None:
    call, other = connected(pair.telco, pair.pbx)
    with pytest.raises(InstrumentError, match="cannot alert"):
        other.alert()
    call.hang_up()
    call.hang_up()                                # harmless
    other.wait_for("RELEASED")
    with pytest.raises(InstrumentError, match="cannot send digits"):
        call.wait_for("RELEASED")
        call.send_digits("1")
    with pytest.raises(ValueError, match="'both' is one of"):
        SoftwareExchange("virtual:x/a", side="both")     # type: ignore[arg-type]
    with pytest.raises(ValueError, match="T999"):
        SoftwareExchange("virtual:x/a", timers={"T999": 1})


def test_qsig_carries_the_calling_name_both_ways(tmp_path: Path) -> None:
    line = f"virtual:{tmp_path}/line"
    with (
        SoftwareExchange(f"{line}/a", side="network", switch="qsig") as one,
        SoftwareExchange(f"{line}/b", side="user", switch="qsig", hunt="up") as other,
    ):
        for near, far in ((one, other), (other, one)):
            near.wait_up()
            call = near.place_call("5001", "801", name="Han Meimei")
            taken = far.wait_for_call()
            taken.answer()
            call.answered().hang_up()
            taken.wait_for("RELEASED")
            assert (taken.called, taken.calling, taken.calling_name) == ("5001", "801", "Han Meimei")


def test_the_line_closed_under_a_waiting_call_is_told(pair: Pair) -> None:
    call = pair.telco.place_call(called="5001")
    pair.telco.close()
    with pytest.raises(InstrumentError, match="the line is gone"):
        call.hang_up()
