"""Profiles: their facts, and what a call does differently where both ends are alike."""
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from appliance.isdn.call.states import NUMBERS, State
from appliance.isdn.elements import CallState, Cause, ProgressIndicator
from appliance.isdn.events import Answered, Incoming
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES, Profile, Transfer, override
from appliance.isdn.q931 import MessageType
from appliance.isdn.supplementary.operations import operations
from tests.isdn.heard import kinds, say, short
from tests.isdn.line import CALLED, Line, reach

M, S = MessageType, State
U, N = Side.USER, Side.NETWORK
PRIVATE = ("qsig", "ecma")


def test_profiles_are_those_of_the_configuration() -> None:
    assert set(PROFILES) == {"etsi", "china", *PRIVATE}
    assert all(profile.name == name and profile.title for name, profile in PROFILES.items())
    assert all(set(profile.timers) == set(profile.locations) == set(profile.screening) == set(Side)
               for profile in PROFILES.values())


def test_where_both_ends_are_alike_nothing_depends_on_the_side() -> None:
    for name in PRIVATE:
        profile = PROFILES[name]
        assert profile.symmetric and profile.transfer is Transfer.PATH_REPLACEMENT
        for facts in (profile.timers, profile.locations, profile.screening):
            assert facts[U] == facts[N]


# --- timers


def test_single_timers_are_changed_by_name() -> None:
    etsi = PROFILES["etsi"].timers[N]
    changed = override(etsi, {"t310_s": 40, "n303": 2})
    assert (changed.t310_s, changed.n303, changed.t304_s) == (40.0, 2, etsi.t304_s)
    assert override(etsi, {}) == etsi


@pytest.mark.parametrize(("values", "said"), [
    ({"t399_s": 1}, "t301_s, t302_s"), ({"t310": 1}, "t310"), ({"t310_s": 0}, "more than 0"),
    ({"t310_s": 3601}, "3600"), ({"t310_s": float("nan")}, "more than 0"), ({"n303": 1.5}, "whole number"),
    ({"n303": -1}, "whole number"), ({"n316": 101}, "100")])
def test_a_timer_that_cannot_be_is_refused_by_name(values: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        override(PROFILES["etsi"].timers[U], values)
    assert next(iter(values)) in str(refused.value)


def test_a_setup_and_a_release_are_repeated_as_often_as_the_span_says() -> None:
    timers = override(PROFILES["etsi"].timers[U], {"n303": 3, "n308": 0})
    bench, _ = reach(U, S.INITIATED, timers=timers)
    assert kinds(bench.run(60.0)) == [M.SETUP, M.SETUP, M.SETUP, M.RELEASE_COMPLETE]
    bench, _ = reach(U, S.DISCONNECTING, timers=timers)
    assert kinds(bench.run(60.0)) == [M.RELEASE, M.RESTART]


# --- Annex D


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("side", list(Side))
def test_either_end_of_a_private_network_waits_for_connect_acknowledge(side: Side, name: str) -> None:
    bench, ours = reach(side, S.PROCEEDING_IN, profile=PROFILES[name])
    bench.ours.answer("k1", bench.now)
    assert kinds(bench.hear()) == [M.CONNECT] and bench.events(Answered) == []
    [status] = say(bench, M.STATUS_ENQUIRY, ours)
    assert status.first(CallState) == CallState(8)
    assert say(bench, M.CONNECT_ACKNOWLEDGE, ours) == []
    assert bench.events(Answered) == [Answered("k1")]
    bench, _ = reach(side, S.PROCEEDING_IN, profile=PROFILES[name])
    bench.ours.answer("k1", bench.now)
    assert short(bench.run(4.1)) == [(M.CONNECT, None), (M.DISCONNECT, 102)]         # T313


def test_a_private_network_waits_on_unless_something_is_heard() -> None:
    for progress, t310_runs in ((ProgressIndicator(2), True), (ProgressIndicator(1), False)):
        bench, ours = reach(U, S.PROCEEDING_OUT, profile=PROFILES["qsig"])
        say(bench, M.PROGRESS, ours, progress)
        assert short(bench.run(121.0)) == ([(M.DISCONNECT, 102)] if t310_runs else [])


@pytest.mark.parametrize("state", [state for state in State if state not in (S.NULL, S.CONNECT_REQUEST)])
def test_either_end_of_a_private_network_has_the_states_of_a_user(state: State) -> None:
    bench, ours = reach(N, state, profile=PROFILES["qsig"])
    [status] = say(bench, M.STATUS_ENQUIRY, ours)
    assert status.first(CallState) == CallState(NUMBERS[state][U])
    assert status.first(Cause) == Cause(30, 1)


@pytest.mark.parametrize("name", list(PROFILES))
@pytest.mark.parametrize("caller", list(Side))
def test_a_call_goes_through_between_two_ends_of_each_profile(name: str, caller: Side) -> None:
    line = Line(user={"profile": PROFILES[name]}, network={"profile": PROFILES[name]})
    side, other = (line.user, line.network) if caller is U else (line.network, line.user)
    side.setup("c", CALLED, line.now, calling="600", name="Wang")
    line.run(0.1)
    key = next(event.key for event in line.take(other) if isinstance(event, Incoming))
    other.alert(key, line.now, in_band=True)
    other.answer(key, line.now)
    line.run(0.1)
    assert [type(event).__name__ for event in line.take(side)] == [
        "ChannelChosen", "Proceeding", "Alerting", "Answered"]
    assert [type(event).__name__ for event in line.take(other)] == ["Answered"]
    side.hang_up("c", 16, line.now)
    line.run(1.0)
    assert line.busy() == ([], [])
    assert side.counts == other.counts


# --- what the page says


def test_the_page_of_profiles_says_what_the_table_has() -> None:
    page = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text()
    rows = {cells[0]: cells[1:] for line in page.splitlines() if line.startswith("|")
            for cells in [[cell.strip() for cell in line.strip("|").split("|")]]}
    assert rows["fact"] == list(PROFILES)
    plans = {0: "unknown", 1: "E.164"}
    facts: dict[str, Callable[[Profile], str]] = {
        "called number, type and plan": lambda profile: f"unknown, {plans[profile.called.plan]}",
        "Display may be sent by": lambda profile: ", ".join(
            side.value for side in profile.display_from) or "nobody",
        "RESTART of the interface at a cold start": lambda profile: yes(profile.restart_at_start),
        "octets of user-user text": lambda profile: str(profile.user_user_octets or "none"),
        "Facility's protocol profile": lambda profile: f"0x{0x80 | profile.facility_profile:X}",
        "operations are named by": lambda profile: (
            "object identifier" if profile.global_operations else "number"),
        "deflection": lambda profile: yes(profile.deflection),
        "channels given back by": lambda profile: profile.transfer.value.replace("call transfer", "transfer"),
        "malicious call identification": lambda profile: yes(
            any(operation.name == "maliciousCall" for operation in operations(profile)))}
    for side in Side:
        facts[f"T302, T304, T310 of the {side.value} side (s)"] = partial(seconds, side)
    for row, fact in facts.items():
        assert rows[row] == [fact(profile) for profile in PROFILES.values()], row


def seconds(side: Side, profile: Profile) -> str:
    timers = profile.timers[side]
    return f"{timers.t302_s:g}, {timers.t304_s:g}, {timers.t310_s:g}"


def yes(fact: bool) -> str:
    return "yes" if fact else "no"
