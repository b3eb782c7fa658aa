"""The B-channel audit in virtual time: idle is proved, talk is asked about, what is stuck is restarted."""
import itertools
import logging
from collections import Counter

import pytest

from appliance.isdn.audit import Audit
from appliance.isdn.call.states import Timers
from appliance.isdn.channels import Channels
from appliance.isdn.elements import CallState, Cause, ChannelId, RestartIndicator
from appliance.isdn.events import By, ChannelState, Incoming, Released
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import Message, MessageType
from appliance.isdn.restart import Restarts
from tests.isdn.line import CALLED, Bench, Line, not_idle

M = MessageType
HOUR_S = 3600.0


def audited(**options: object) -> Bench:
    return Bench(Side.USER, **({"audit_s": HOUR_S, "timeslots": (1, 2, 3), "name": "telco1"} | options))


def said(bench: Bench, for_s: float) -> list[tuple[float, Message]]:
    """What we said and when; RESTART is acknowledged within 10 s."""
    heard = []
    end = bench.now + for_s
    while bench.now < end:
        messages = bench.run(min(10.0, end - bench.now))
        while messages:
            heard += [(bench.now, message) for message in messages]
            messages = acknowledge(bench) if messages[-1].type is M.RESTART else []
    return heard


def acknowledge(bench: Bench) -> list[Message]:
    return bench.send(M.RESTART_ACKNOWLEDGE, RestartIndicator(), call_ref=0, to_originator=True)


def timeslots(messages: list[tuple[float, Message]]) -> list[int]:
    """Of our RESTARTs."""
    return [channel.timeslot or 0 if (channel := message.first(ChannelId)) else 0 for _, message in messages
            if message.type is M.RESTART]


def test_each_idle_channel_is_restarted_once_a_period_one_at_a_time() -> None:
    bench = audited()
    assert timeslots(said(bench, HOUR_S - 10)) == []
    restarts = said(bench, 3 * HOUR_S)
    assert sorted(timeslots(restarts)) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    times = [at for at, _ in restarts]
    assert all(later - earlier >= HOUR_S / 3 - 10 for earlier, later in itertools.pairwise(times))
    assert bench.ours.figures()["audits"] == 9
    assert not_idle(bench.ours) == []


@pytest.mark.parametrize("set_up_at", [123.0740565, 123.4444266, 125.9135606])
def test_waiting_for_quiet_always_goes_forward(set_up_at: float) -> None:
    """Times are rounded: 5 s added to one of these, taken away again, are less than 5 s."""
    channels, counts = Channels((1, 2), "up", lambda channel: None), Counter[str]()
    restarts = Restarts("telco1", channels, Timers(), counts, lambda *sent: None, lambda *done: None)
    audit = Audit(channels, restarts, 100.0, counts, lambda key, now: True)
    audit.link_established(0.0)
    audit.set_up(set_up_at)
    now = set_up_at + 1.0
    audit.expire(now)
    while restarts.is_under_way(1) is False and (deadline := audit.next_deadline()) is not None:
        assert deadline > now
        now = deadline
        audit.expire(now)


def test_without_a_period_nothing_is_proved_and_change_begins_it() -> None:
    bench = audited(audit_s=0.0)
    assert said(bench, 5 * HOUR_S) == []
    bench.ours.change(audit_s=HOUR_S)
    assert sorted(timeslots(said(bench, HOUR_S - 10))) == [1, 2, 3]


def test_calls_prove_their_channels() -> None:
    line = Line(user={"audit_s": HOUR_S, "hunt": "round-robin"}, network={"audit_s": HOUR_S})
    for number in range(100):
        line.user.setup(str(number), CALLED, line.now)
        line.run(60.0)
        line.user.hang_up(str(number), 16, line.now)
        line.run(60.0)
    assert line.user.figures()["audits"] == line.network.figures()["audits"] == 0


def test_no_restart_while_calls_are_being_set_up_and_none_of_the_last_idle_channel() -> None:
    bench = audited()
    for number in range(1, 4 * 900):              # a call every 4 s for four hours
        bench.offer(number, 1)
        bench.send(M.RELEASE_COMPLETE, Cause(16), call_ref=number, to_originator=False)
        assert bench.run(4.0) == []
    bench.offer(9000, 1), bench.offer(9001, 2)    # 3 is the last one
    bench.hear()
    assert timeslots(said(bench, 3 * HOUR_S)) == []


@pytest.mark.need(1)
@pytest.mark.parametrize("answer", ["none", "status"])
def test_a_far_end_that_does_no_restart_is_left_alone_and_loses_no_channel(
        answer: str, caplog: pytest.LogCaptureFixture) -> None:
    bench = audited()
    messages = bench.run(HOUR_S + 1)
    assert [message.type for message in messages] == [M.RESTART]
    assert not_idle(bench.ours) == [1]
    if answer == "status":
        bench.send(M.STATUS, Cause(97), CallState(0), call_ref=0, to_originator=True)
    else:
        bench.run(10.0)
    assert not_idle(bench.ours) == []
    assert bench.run(10 * HOUR_S) == []
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        {"none": "telco1: no answer in 10 s to RESTART of timeslot 1: it is used even so",
         "status": "telco1: cause 97 is the answer to RESTART of timeslot 1: it is used even so"}[answer]]
    assert bench.ours.figures()["channels_out_of_service"] == 0


@pytest.mark.need(1)
def test_a_channel_that_answers_no_longer_is_found_within_t316_times_n316() -> None:
    bench = audited(timers=Timers(t316_s=10.0, n316=2))
    assert len(said(bench, HOUR_S + 2)) == 1      # answered
    bench.run(HOUR_S / 3 + 20.0)
    assert ChannelState.OUT_OF_SERVICE in [channel.state for channel in bench.ours.channels.all()]
    acknowledge(bench)
    assert not_idle(bench.ours) == []


@pytest.mark.need(1)
def test_a_channel_that_stays_out_of_service_does_not_keep_others_from_being_proved() -> None:
    bench = audited(timers=Timers(t316_s=120.0, n316=2))
    bench.ours.restart(3, bench.now)
    bench.run(300.0)
    assert bench.ours.channels[3].state is ChannelState.OUT_OF_SERVICE
    proved: list[int] = []
    while bench.now < 3 * HOUR_S:
        for message in [one for one in bench.run(10.0) if one.type is M.RESTART]:
            channel = message.first(ChannelId)
            if channel is not None and channel.timeslots != (3,):
                proved += channel.timeslots
                bench.send(M.RESTART_ACKNOWLEDGE, channel, RestartIndicator(), call_ref=0, to_originator=True)
                bench.hear()
    assert sorted(set(proved)) == [1, 2]
    assert not_idle(bench.ours) == [3]


def talking(bench: Bench) -> None:
    bench.offer(1, 1)
    [incoming] = bench.events(Incoming)
    bench.ours.answer(incoming.key, bench.now)
    bench.send(M.CONNECT_ACKNOWLEDGE, call_ref=1, to_originator=False)
    bench.hear()


def test_a_call_that_talks_is_asked_about_half_as_often_and_goes_on_without_an_answer() -> None:
    bench = audited(timeslots=(1, 17))
    talking(bench)
    enquiries = []
    for number in range(20):
        messages = bench.run(HOUR_S / 2)
        enquiries += [message for message in messages if message.type is M.STATUS_ENQUIRY]
        assert {message.type for message in messages} <= {M.STATUS_ENQUIRY}
        if number > 10:
            bench.send(M.STATUS, Cause(30), CallState(10), call_ref=1, to_originator=False)
    assert len(enquiries) in (4, 5)
    assert bench.events(Released) == []
    assert 2 <= bench.ours.figures()["audits"] <= 3


@pytest.mark.need(1)
@pytest.mark.parametrize("answer", ["status", "release complete", "release"])
def test_a_call_that_the_far_end_does_not_know_ends_and_its_channel_is_restarted(
        answer: str, caplog: pytest.LogCaptureFixture) -> None:
    bench = audited(timeslots=(1, 17))
    talking(bench)
    assert [message.type for message in bench.run(3 * HOUR_S)] == [M.STATUS_ENQUIRY]
    if answer == "status":
        heard = bench.send(M.STATUS, Cause(30), CallState(0), call_ref=1, to_originator=False)
    else:
        kind = M.RELEASE if answer == "release" else M.RELEASE_COMPLETE
        heard = bench.send(kind, Cause(81), call_ref=1, to_originator=False)
    [released] = bench.events(Released)
    assert released.by is By.LINE
    assert heard[-1].type is M.RESTART
    assert not_idle(bench.ours) == [1]
    assert "telco1: timeslot 1 is stuck: the far end knows nothing of the call k1 on it; it is restarted" in [
        record.getMessage() for record in caplog.records]
    acknowledge(bench)
    figures = bench.ours.figures()
    assert (figures["channels_stuck"], figures["channels_cleared"], not_idle(bench.ours)) == (1, 1, [])


def test_two_ends_that_audit_each_other_for_a_day_lose_no_call() -> None:
    line = Line(user={"audit_s": HOUR_S}, network={"audit_s": HOUR_S})
    line.user.setup("long", CALLED, line.now)
    line.run(1.0)
    line.network.answer("n1", line.now)
    line.run(24 * HOUR_S)
    assert line.busy() == ([1], [1])
    assert [event for event in line.take(line.user) if isinstance(event, Released)] == []
    for side in (line.user, line.network):
        figures = side.figures()
        assert figures["audits"] >= 29 * 24 / 2 + 24 / 2 - 2
        assert figures["channels_stuck"] == figures["link_resets"] == 0


def test_a_channel_that_is_taken_by_no_call_is_found() -> None:
    bench = audited(timeslots=(1, 17))
    bench.ours.channels.take(1, "nobody")
    assert timeslots(said(bench, 3 * HOUR_S))[0] == 1
    assert not_idle(bench.ours) == []
    assert bench.ours.figures()["channels_cleared"] == 1


def test_the_link_is_away_and_the_audit_waits() -> None:
    bench = audited()
    bench.ours.line_up(False, bench.now)
    assert bench.ours.next_deadline() is None
    bench.run(5 * HOUR_S)
    bench.ours.line_up(True, bench.now)
    bench.reset_link()
    assert bench.hear() == []
    assert timeslots(said(bench, HOUR_S / 3 + 10)) == [1]
