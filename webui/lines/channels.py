"""The 32 timeslots of a span, each with what it does. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.bus.messages import ChannelInfo, ContactInfo
from appliance.config.timeslots import BEARERS, in_words, timeslots
from webui.access.audit import Entry
from webui.mirror import Floor, Numbers

FRAMING, SIGNALLING, TIMESLOTS = 0, 16, 32
BUSY_OUT, BRING_BACK = "busy_out", "bring_back"   # words of WORDS["act"]


@dataclass(frozen=True, slots=True)
class Slot:
    """`what`: framing, signalling, unused (not rented), or of a channel idle, busy, restarting,
    out-of-service, blocked; `contact` None: nobody's, or not known."""

    timeslot: int
    what: str
    since: float = 0.0
    direction: str = "both"
    draining: bool = False                        # taken out of use when its call ends
    numbers: Numbers | None = None
    contact: ContactInfo | None = None
    by: Entry | None = None                         # who took it out of use

    @property
    def channel(self) -> bool:
        return self.what not in ("framing", "signalling", "unused")


@dataclass(frozen=True, slots=True)
class MapView:
    span: str
    trunk: str
    slots: tuple[Slot, ...]
    link_up: bool | None
    tested: bool                                  # lent: no channel carries anything
    stale: bool

    def count(self, what: str) -> int:
        return sum(slot.what == what for slot in self.slots)

    @property
    def draining(self) -> int:
        """Calls that go on, on channels that are going out of use."""
        return sum(slot.draining for slot in self.slots)

    @property
    def channels(self) -> int:
        return sum(slot.channel for slot in self.slots)

    @property
    def out(self) -> int:
        return sum(slot.what == "blocked" or slot.draining for slot in self.slots)


def map_view(floor: Floor, span: str, contacts: Mapping[str, str], acts: Iterable[Entry]) -> MapView:
    """`contacts`: by leg. `acts`: newest first."""
    states, line = floor.channels.get(span), floor.spans.get(span)
    by_timeslot = {one.timeslot: one for one in states.channels} if states else {}
    live = {one.contact: one for one in floor.board.contacts} if floor.board else {}
    takers = out_by(acts, span)
    slots = tuple(_slot(number, by_timeslot.get(number), floor, live, contacts, takers)
                  for number in range(TIMESLOTS))
    return MapView(
        span=span, trunk=states.trunk if states else "", slots=slots,
        link_up=states.link_up if states else None, tested=bool(line and line.lent),
        stale=bool(floor.away & {"spand", "trunkd"}))


def _slot(number: int, channel: ChannelInfo | None, floor: Floor, live: Mapping[str, ContactInfo],
          contacts: Mapping[str, str], takers: Mapping[int, Entry]) -> Slot:
    if number == FRAMING:
        return Slot(number, "framing")
    if channel is None:
        return Slot(number, "signalling" if number == SIGNALLING else "unused")
    blocked = channel.blocked or channel.state == "blocked"
    return Slot(
        number, channel.state, channel.since, channel.direction, channel.blocked and channel.state == "busy",
        floor.numbers.get(channel.leg) if channel.leg else None, live.get(contacts.get(channel.leg, "")),
        takers.get(number) if blocked else None)


def out_by(acts: Iterable[Entry], span: str) -> dict[int, Entry]:
    """Who took each channel out of use last, as far as these acts know."""
    decided: dict[int, Entry | None] = {}
    for act in acts:
        if act.act not in (BUSY_OUT, BRING_BACK) or act.outcome != "":
            continue
        name, _, part = act.what.partition(":")
        if name != span:
            continue
        try:
            chosen = timeslots(part) or BEARERS
        except ValueError:
            continue
        for number in chosen:
            decided.setdefault(number, act if act.act == BUSY_OUT else None)
    return {number: act for number, act in decided.items() if act is not None}


def place(span: str, chosen: Iterable[int]) -> str:
    """As the acts have it: telco1, telco1:1-5."""
    words = in_words(sorted(chosen))
    return f"{span}:{words}" if words else span
