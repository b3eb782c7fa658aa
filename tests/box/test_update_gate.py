"""What the new version has to show, and when an update may begin by itself."""

from datetime import datetime

import pytest

from appliance.box.update.gate import NO_TEST_CALL, STEADY_S, Seen, judge, lacking
from appliance.box.update.quiet import next_quiet
from appliance.box.update.state import Before
from appliance.bus.messages import CallTested
from appliance.config.update import QuietConfig

BEFORE = Before(daemons=["spand", "trunkd"], spans=["one", "two"], links=["one"], agents=3)
UP = {"spand": "up", "trunkd": "up", "webui": "down"}
HEARD = CallTested(trunk="telco", number="117", error="", answer_s=0.5, level_dbm0=-12.0)
MUTE = CallTested(trunk="telco", number="117", error="was not answered in 30 s")


@pytest.mark.need(19)
@pytest.mark.parametrize(("seen", "wrong"), [
    (Seen(daemons=UP, spans=["one", "two"], links=["one"]), []),
    (Seen(daemons=UP, spans=["one", "two", "three"], links=["one", "two"], agents=0), []),
    (Seen(daemons=UP | {"trunkd": "late"}, spans=["one", "two"], links=["one"]), ["trunkd is late"]),
    (Seen(daemons={"spand": "up"}, spans=["one", "two"], links=["one"]), ["trunkd did not come up"]),
    (Seen(daemons={"spand": "up"}, spans=["one", "two"], links=[], silent=["trunkd"]),
     ["trunkd did not come up"]),
    (Seen(daemons=UP, spans=[], links=["one"], silent=["spand"]), ["spand does not answer"]),
    (Seen(daemons=UP, spans=["one"], links=[]),
     ["the line of span two is down", "the D-channel of span one is down"]),
])
def test_what_worked_before_must_work(seen: Seen, wrong: list[str]) -> None:
    assert lacking(BEFORE, seen) == wrong


def test_what_was_before_is_not_known() -> None:
    assert lacking(None, Seen(daemons=UP, spans=[], links=[])) == ["webui is down"]


@pytest.mark.need(19)
@pytest.mark.parametrize(("wrong", "steady_s", "left_s", "tested", "call", "say", "why"), [
    ([], STEADY_S, 100, None, False, "good", NO_TEST_CALL),
    ([], STEADY_S, 100, None, True, "call", "all is as before"),
    ([], STEADY_S - 1, 100, HEARD, True, "wait", "all is as before"),
    ([], STEADY_S, 100, MUTE, True, "call", "all is as before"),
    ([], STEADY_S, -1, HEARD, True, "good",
     "the test call to 117 on trunk telco was answered after 0.5 s and heard at -12 dBm0"),
    ([], STEADY_S, 0, MUTE, True, "bad", "the test call to 117 on trunk telco: was not answered in 30 s"),
    (["trunkd is down"], 0, 1, HEARD, True, "wait", "trunkd is down"),
    (["trunkd is down", "x"], 0, 0, HEARD, True, "bad", "trunkd is down; x"),
    ([], 1, 0, None, True, "bad", "it was not as before for long enough to call"),
])
def test_the_verdict(wrong: list[str], steady_s: float, left_s: float, tested: CallTested | None, call: bool,
                     say: str, why: str) -> None:
    verdict = judge(wrong, steady_s, left_s, tested, call=call)
    assert (verdict.say, verdict.why) == (say, why)


@pytest.mark.parametrize(("begins", "ends", "now", "then"), [
    ("01:00", "05:00", "10 00:30", "10 01:00"), ("01:00", "05:00", "10 01:00", "10 01:00"),
    ("01:00", "05:00", "10 04:59", "10 04:59"), ("01:00", "05:00", "10 05:00", "11 01:00"),
    ("22:00", "04:00", "10 03:00", "10 03:00"), ("22:00", "04:00", "10 04:00", "10 22:00"),
    ("22:00", "04:00", "10 23:10", "10 23:10"),
])
def test_a_quiet_hour(begins: str, ends: str, now: str, then: str) -> None:
    quiet = QuietConfig(begins=begins, ends=ends)
    at = datetime.strptime(f"2026-11-{now}", "%Y-%m-%d %H:%M")
    assert next_quiet(quiet, at).strftime("%d %H:%M") == then
