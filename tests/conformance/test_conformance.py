"""Every purpose by its id and side; the page that tells of them; what the implementation declares.

Ref: ITU-T Q.931 (05/98), tables 9-1 and 9-2; ECMA-143, table of timers.
"""
import pytest

from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from tests.conformance.purposes import Purpose, load
from tests.conformance.report import PAGE, RUNNERS, Verdict, judge, render

Key = tuple[str, Side]
PURPOSES = [purpose for pattern in RUNNERS for purpose in load(pattern)]
RUNS = [pytest.param((purpose.id, side), id=f"{purpose.id}-{side.value}")
        for purpose in PURPOSES for side in purpose.sides]
USER, NETWORK = {Side.USER}, {Side.NETWORK}
BOTH = USER | NETWORK
# timer, sides, at least, at most; T310 of the network side is 10 s, or longer toward a private network by the
# note to table 9-1
LIMITS_S = (
    ("t301_s", BOTH, 180, 3600), ("t302_s", BOTH, 10, 15), ("t303_s", BOTH, 4, 4), ("t304_s", USER, 20, 30),
    ("t304_s", NETWORK, 20, 20), ("t305_s", BOTH, 30, 30), ("t306_s", BOTH, 30, 3600), ("t308_s", BOTH, 4, 4),
    ("t309_s", BOTH, 6, 90), ("t310_s", BOTH, 30, 120), ("t313_s", BOTH, 4, 4), ("t314_s", BOTH, 4, 4),
    ("t316_s", BOTH, 120, 120), ("t317_s", BOTH, 1, 119), ("t322_s", BOTH, 4, 4),
)


@pytest.fixture(scope="module")
def verdicts() -> dict[Key, Verdict]:
    return {(verdict.purpose.id, verdict.side): verdict for verdict in judge()}


@pytest.mark.parametrize("key", RUNS)
def test_purpose(key: Key, verdicts: dict[Key, Verdict]) -> None:
    verdict = verdicts[key]
    assert bool(verdict.failure) is bool(verdict.reason), (
        verdict.failure or f"{key[0]} passes: take it out of known.txt ({verdict.reason})")


def test_the_page_is_what_the_purposes_say(verdicts: dict[Key, Verdict]) -> None:
    assert PAGE.read_text(encoding="utf-8") == render(list(verdicts.values())), "make conformance writes it"


def test_there_are_purposes_enough() -> None:
    layer2 = [purpose for purpose in PURPOSES if purpose.id.startswith("L2_")]
    layer3 = [purpose for purpose in PURPOSES if purpose.id.startswith("L3_")]
    assert len(layer2) >= 120 and len(layer3) >= 350
    for purposes in (layer2, layer3):             # valid, inopportune, syntactically invalid, timer
        assert {purpose.id.split("_")[2] for purpose in purposes} >= set("VIST")


def test_no_purpose_is_there_twice() -> None:
    def what(purpose: Purpose) -> tuple[object, ...]:
        return purpose.state, purpose.sides, purpose.steps

    seen = [what(purpose) for purpose in PURPOSES]
    assert not [purpose.id for purpose in PURPOSES if seen.count(what(purpose)) > 1]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("side", Side)
def test_declared_timers_are_the_tables(name: str, side: Side) -> None:
    timers, symmetric = PROFILES[name].timers[side], PROFILES[name].symmetric
    for timer, sides, at_least_s, at_most_s in LIMITS_S:
        if side in sides or symmetric:
            assert at_least_s <= getattr(timers, timer) <= at_most_s, timer
    assert timers.t310_s >= 110 or not symmetric
    assert timers.t317_s < timers.t316_s and timers.n303 == timers.n308 == 1 and timers.n316 == 2
