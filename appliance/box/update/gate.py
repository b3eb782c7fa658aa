"""Whether the version on trial is as good as the one before. Pure."""

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from appliance.box.update.state import Before
from appliance.bus.messages import CallTested

STEADY_S = 10.0                                   # all must be well for so long

NO_TEST_CALL = "no test call was made: update.test_call is not set"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What works now."""

    daemons: Mapping[str, str]                    # state of each, as DaemonHealth has it
    spans: Collection[str]                        # whose line is up
    links: Collection[str]                        # spans whose D-channel is
    agents: int = 0                               # logged in
    silent: Collection[str] = ()                  # daemons that did not answer: what is theirs is not known


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`wait`: look again; `call`: all is as before, but for the test call; else it stands, and why."""

    say: Literal["wait", "call", "good", "bad"]
    why: str


def lacking(before: Before | None, seen: Seen) -> list[str]:
    """What is worse than before, in words. Without `before` all daemons must be up."""
    must = seen.daemons if before is None else before.daemons
    wrong = [_state(name, seen.daemons.get(name, "never")) for name in must if seen.daemons.get(name) != "up"]
    wrong += [f"{name} does not answer" for name in seen.silent if seen.daemons.get(name) == "up"]
    if before is not None and "spand" not in seen.silent:
        wrong += [f"the line of span {name} is down" for name in before.spans if name not in seen.spans]
    if before is not None and "trunkd" not in seen.silent:
        wrong += [f"the D-channel of span {name} is down" for name in before.links if name not in seen.links]
    return wrong


def _state(daemon: str, state: str) -> str:
    return f"{daemon} did not come up" if state == "never" else f"{daemon} is {state}"


def judge(wrong: list[str], steady_s: float, left_s: float, tested: CallTested | None, *,
          call: bool) -> Verdict:
    """`steady_s`: since when nothing was wrong; `left_s` until the limit; `tested`: the last test call made,
    if one was, of those that are to be made (`call`)."""
    well = not wrong and steady_s >= STEADY_S
    if well and not call:
        return Verdict(say="good", why=NO_TEST_CALL)
    if well and tested is not None and not tested.error:
        return Verdict(say="good", why=said(tested))
    if left_s <= 0:
        return Verdict(say="bad", why="; ".join(wrong) or (
            said(tested) if tested is not None else "it was not as before for long enough to call"))
    return Verdict(say="call" if well else "wait", why="; ".join(wrong) or "all is as before")


def said(tested: CallTested) -> str:
    """A test call in a sentence."""
    where = f"the test call to {tested.number} on trunk {tested.trunk}"
    if tested.error:
        return f"{where}: {tested.error}"
    return (f"{where} was answered after {tested.answer_s:.1f} s and heard at {tested.level_dbm0:.0f} dBm0")
