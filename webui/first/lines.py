"""A line as the first run shows it: how it is, what its detection found, what its form begins with. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from appliance.bus.messages import LineTest, LineTestReply
from webui.first.settings import CRC4, PROFILES, SIDES, SpanSettings
from webui.mirror import Floor


@dataclass(frozen=True, slots=True)
class LineView:
    """How it is now. `link` None: not known. `going`: the detection that runs; `tested`: another test does.
    `calls` that are on it."""

    name: str
    up: bool
    alarms: tuple[str, ...]
    crc4: bool | None
    link: bool | None
    going: LineTest | None
    tested: bool
    calls: int


def line_view(floor: Floor, name: str) -> LineView:
    state, test, channels = floor.spans.get(name), floor.tests.get(name), floor.channels.get(name)
    runs = test if test is not None and test.state != "ended" else None
    detects = runs is not None and runs.order.kind == "detect"
    link = floor.links.get(name)
    return LineView(
        name=name, up=bool(state and state.up), crc4=state.crc4 if state else None,
        alarms=tuple(state.alarms) if state else (),
        link=channels.link_up if channels else link.up if link else None,
        going=runs if detects else None, tested=bool(runs and not detects),
        calls=sum(bool(one.leg) for one in channels.channels) if channels else 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """As e1_driver.testing.detection has it. `evidence`: keys with their figures."""

    what: str
    value: str
    sure: str
    evidence: tuple[tuple[str, Mapping[str, Any]], ...]


def findings(reply: LineTestReply | None) -> tuple[Finding, ...]:
    """Of a detection that has ended."""
    return found_in(reply.facts) if reply is not None else ()


def found_in(facts: Mapping[str, Any]) -> tuple[Finding, ...]:
    return tuple(Finding(
        str(one["what"]), str(one["value"]), str(one["sure"]),
        tuple((str(each["key"]), dict(each["figures"])) for each in one["evidence"]))
        for one in facts.get("findings", []))


def proposed(span: SpanSettings, found: tuple[Finding, ...]) -> SpanSettings:
    """What the form begins with: as it is, but in its place what was found. What is only usual changes no
    choice that somebody made before."""
    sure = {one.what: one.value for one in found if one.sure in ("seen", "tried")}
    usual = {one.what: one.value for one in found if one.sure == "usual"}
    profile = sure.get("profile") or (usual.get("profile", "") if span.profile == "etsi" else "")
    crc4 = sure.get("crc4", "")
    return replace(
        span,
        side=sure["side"] if sure.get("side") in SIDES else span.side,
        profile=profile if profile in PROFILES else span.profile,
        crc4=crc4 if span.crc4 and crc4 in CRC4 else span.crc4,
        overlap=sure["numbers"] == "overlap" if "numbers" in sure else span.overlap)
