"""Wherever the power fails, an update ends alike: the new version confirmed, or the old one, with why."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.box.update import gate
from appliance.box.update.slots import MOST_TRIES
from appliance.box.update.state import NEVER_UP, UNDECIDED
from appliance.bus.messages import Drained
from appliance.config.update import UpdateConfig
from tests.box.updating import NEW, OLD, TEST_CALL, Box

ENDS = {                                          # how the new version is -> outcome, why begins, what runs
    "good": ("confirmed", "the test call to 12117 on trunk telco was answered", NEW),
    "no D-channel": ("rolled back", "the D-channel of span telco1 is down", OLD),
    "nothing heard": ("rolled back", "the test call to 12117 on trunk telco: was answered, but", OLD),
    "does not start": ("rolled back", NEVER_UP, OLD),
    "hangs": ("rolled back", UNDECIDED, OLD),
}


def check(box: Box) -> None:
    past = box.driving.book.history
    outcome, why, version = ENDS[box.new]
    if past[0].why == NEVER_UP and len(box.power.cuts) >= MOST_TRIES:
        outcome, why, version = ENDS["does not start"]               # nothing can tell this from cuts
    assert [(one.outcome, one.why[:len(why)]) for one in past] == [(outcome, why)]
    slots = box.files.slots()
    assert (box.booted, slots.trial, box.contents[box.booted]) == (slots.confirmed, "", version)
    assert past[0].version_to == NEW and past[0].version_from == OLD


@pytest.mark.need(19)
@pytest.mark.parametrize("new", ENDS)
def test_without_a_cut(tmp_path: Path, new: str) -> None:
    box = Box(tmp_path, new)
    box.live()
    check(box)
    assert box.done[:2] == ["drain", "drain"], "calls are drained before anything is started"


@pytest.mark.need(19)
@pytest.mark.parametrize("when", [0, 1, 2], ids=["before", "torn", "after"])
@pytest.mark.parametrize("new", ENDS)
def test_a_cut_at_every_write(tmp_path: Path, new: str, when: int) -> None:
    whole = Box(tmp_path / "whole", new)
    whole.live()
    for number in range(1, whole.power.writes + 1):
        box = Box(tmp_path / str(number), new, {number: when})
        box.live()
        check(box)


@pytest.mark.need(19)
@pytest.mark.parametrize("when", [0, 2], ids=["before", "after"])
@pytest.mark.parametrize("new", ["good", "no D-channel"])
def test_boxd_killed_at_every_write(tmp_path: Path, new: str, when: int) -> None:
    whole = Box(tmp_path / "whole", new)
    whole.live()
    for number in range(1, whole.power.writes + 1):
        box = Box(tmp_path / str(number), new, {number: when}, only_boxd=True)
        box.live()
        check(box)
        assert box.driving.book.history[0].trials == 1


@pytest.mark.need(19)
def test_a_good_version_is_tried_again_when_only_the_power_was_the_matter(tmp_path: Path) -> None:
    """Three starts on trial are cut: the fourth is the old version's, which tries the new one anew."""
    whole = Box(tmp_path / "whole")
    whole.live()
    up = next(number for number, phase in whole.phases.items() if phase == "on trial")
    box = Box(tmp_path / "cut", cuts={up: 2, up + 2: 2, up + 4: 2})     # between them GRUB counts
    box.live()
    check(box)
    assert "trying again" in box.phases.values()
    assert box.driving.book.history[0].trials == 2


@pytest.mark.need(19)
def test_later_tries_come_ever_more_seldom_and_in_quiet_hours(tmp_path: Path) -> None:
    whole = Box(tmp_path / "whole")
    whole.live()
    up = next(number for number, phase in whole.phases.items() if phase == "on trial")
    box = Box(tmp_path / "cut")
    for _ in range(3):                            # each try ends by cuts of its three starts
        box.power.cuts |= dict.fromkeys((up, up + 2, up + 4), 2)
        again = Box(tmp_path / f"seen{up}", cuts=box.power.cuts)
        again.live()
        up = next(number for number, phase in again.phases.items() if number > up + 4 and phase == "on trial")
    box.live()
    check(box)
    tried = box.tried_at
    assert len(tried) == 4
    assert tried[1] - tried[0] < 1200 <= 3600 <= tried[2] - tried[1] < tried[3] - tried[2]
    hours = [datetime.fromtimestamp(at).hour for at in tried[2:]]
    assert all(1 <= hour < 5 for hour in hours), hours


@pytest.mark.need(19)
def test_a_version_that_is_cut_before_it_says_anything_is_not_called_bad(tmp_path: Path) -> None:
    whole = Box(tmp_path / "whole")
    whole.live()
    count = next(number for number, phase in whole.phases.items() if phase == "on trial") - 1
    box = Box(tmp_path / "cut", cuts=dict.fromkeys((count, count + 1, count + 2), 2))
    box.live()
    past = box.driving.book.history[0]
    assert (past.outcome, past.why, box.contents[box.booted]) == ("rolled back", NEVER_UP, OLD)
    assert "or the power failed each time" in past.why


@pytest.mark.need(19)
def test_a_cut_between_the_last_call_and_the_restart_drains_anew(tmp_path: Path) -> None:
    """Calls have come in since the box is up again: none of them is ended by the restart."""
    whole = Box(tmp_path / "whole")
    whole.live()
    drained = next(number for number, phase in whole.phases.items() if phase == "rebooting")
    box = Box(tmp_path / "cut", cuts={drained: 2})
    box.live()
    check(box)
    phases = list(box.phases.values())
    assert phases[phases.index("rebooting") + 1] == "draining"
    assert box.driving.book.history[0].trials == 1


class Odd(Box):
    """Emergency calls begin after the last call ended; the daemons are slow to answer; the clock is set."""

    emergency, slow, silent, ahead_s = 0, 0, 0, 0.0

    async def drain(self, for_s: float, *, end: bool) -> Drained | None:
        if end and self.silent:
            self.silent -= 1
            return None
        left = await super().drain(for_s, end=end)
        if self.ahead_s and self.done.count("drain") == 2:
            self._set_clock()
        if end and self.emergency:
            self.emergency -= 1
            return Drained(calls=1, emergency=1)
        return left

    async def look(self) -> gate.Seen:
        if self.slow and self.booted == "A":
            self.slow -= 1
            return gate.Seen(daemons={}, spans=[], links=[], silent=["trunkd"])
        seen = await super().look()
        if self.booted == "B" and self.ahead_s:
            self._set_clock()
            return gate.Seen(daemons={}, spans=[], links=[])         # not everything is up yet
        return seen

    def _set_clock(self) -> None:
        self.unix_s, self.set_by_s = self.unix_s + self.ahead_s, self.set_by_s + self.ahead_s
        self.ahead_s = 0.0 if self.booted == "B" else self.ahead_s


@pytest.mark.need(19)
def test_an_emergency_call_that_began_last_is_waited_for(tmp_path: Path) -> None:
    box = Odd(tmp_path)
    box.emergency = 5
    box.live()
    check(box)
    assert box.done.count("end") == 6 and not box.emergency


@pytest.mark.need(19)
@pytest.mark.parametrize(("silent", "emergency"), [(10, 0), (100, 1)])
def test_a_daemon_that_is_late_may_have_an_emergency_call(tmp_path: Path, silent: int,
                                                          emergency: int) -> None:
    """One that never answers has none: the update may be what mends it."""
    box = Odd(tmp_path, config=UpdateConfig(test_call=TEST_CALL, drain_wait_s=0))
    box.silent, box.emergency = silent, 1
    box.live()
    check(box)
    assert box.emergency == emergency


@pytest.mark.need(19)
def test_a_clock_that_is_set_ends_neither_calls_nor_a_trial(tmp_path: Path) -> None:
    box = Odd(tmp_path)
    box.ahead_s, box.calls = 7200.0, 9
    box.live()
    check(box)
    assert box.done.index("end") == 9, "all calls ended by themselves"


@pytest.mark.need(19)
def test_what_a_trial_has_to_come_up_to_is_asked_until_it_is_answered(tmp_path: Path) -> None:
    box = Odd(tmp_path, "no D-channel")
    box.slow = 3
    box.live()
    check(box)


@pytest.mark.need(19)
@pytest.mark.parametrize(("source", "why", "unusable"), [
    ("foreign.raucb", "signature verification failed", []), ("changed.raucb", "Input/output error", ["B"])])
def test_a_bundle_that_is_refused_costs_no_call(tmp_path: Path, source: str, why: str,
                                                unusable: list[str]) -> None:
    box = Box(tmp_path)
    box.live(source)
    past = box.driving.book.history[0]
    assert (past.outcome, past.why, box.booted, box.starts) == ("failed", why, "A", 0)
    assert "drain" not in box.done
    assert box.driving.standing.unusable == unusable


@pytest.mark.need(19)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(sorted(ENDS)), st.dictionaries(st.integers(1, 60), st.integers(0, 2), max_size=12))
def test_any_cuts(tmp_path_factory: pytest.TempPathFactory, new: str, cuts: dict[int, int]) -> None:
    box = Box(tmp_path_factory.mktemp("box"), new, cuts)
    box.live()
    check(box)
