"""Channel hunting: which channel of a trunk's spans a call goes out on, and who may have one. Pure.

What is reserved is a promise of so many channels to some calls, not of certain channels: as long as fewer of
those calls are there, the rest of the promise is kept free of others.
"""
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from appliance.config.lines import ReservedConfig, SpanConfig, TrunkConfig
from appliance.isdn.causes import DESTINATION_OUT_OF_ORDER, NETWORK_OUT_OF_ORDER, NO_CHANNEL
from appliance.isdn.channels import Channel, Direction
from appliance.isdn.dss1 import Signalling
from appliance.isdn.events import ChannelState
from appliance.isdn.lapd import Side

TIMESLOTS = 32


class Unavailable(Exception):
    """The trunk takes no call now; `cause` is the Q.850 value that says why."""

    def __init__(self, cause: int) -> None:
        super().__init__(f"cause {cause}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Use:
    """A call, as far as reservations care."""

    inbound: bool
    called: str
    complete: bool = True                         # False: digits may follow


@dataclass(frozen=True, slots=True)
class Place:
    """A channel to call on. `blocked`: people took it out of use."""

    span: str
    timeslot: int
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    order: int                                    # of the span in the trunk
    span: str
    channel: Channel


class Group:
    """The channels of one trunk: its spans in the order of the configuration. `idle_since`: when a channel
    (span, timeslot) became idle; one that is not there has been so for ever."""

    def __init__(self, config: TrunkConfig, spans: Sequence[SpanConfig], signalling: Mapping[str, Signalling],
                 idle_since: Mapping[tuple[str, int], float]) -> None:
        self._config, self._spans, self._signalling = config, spans, signalling
        self._idle_since = idle_since
        self._last = -1                           # position in the trunk of the channel taken last

    def choose(self, use: Use, others: Iterable[Use], spare: int = 0) -> Place:
        """Where the call `use` goes out while `others` are on the trunk, if `spare` more channels are free;
        Unavailable without a channel."""
        idle = self._in_state(ChannelState.IDLE, self._up())
        usable = _outgoing(idle)
        if len(usable) <= spare or not self._admits(use, others, len(idle) - spare):
            raise Unavailable(NO_CHANNEL)
        return self._take(usable)

    def has_free(self, many: int) -> bool:
        """So many channels are idle on which calls may go out."""
        return self.is_up() and len(_outgoing(self._in_state(ChannelState.IDLE, self._up()))) >= many

    def choose_any(self, blocked: bool) -> Place | None:
        """For an emergency call: any idle channel, or with `blocked` one that people took out of use."""
        if not self.is_up():
            return None
        usable = self._in_state(ChannelState.BLOCKED if blocked else ChannelState.IDLE, self._up())
        usable = [one for one in usable if not one.channel.withdrawn]
        return self._take(usable) if usable else None

    def is_up(self) -> bool:
        """One of its links is."""
        return any(self._signalling[span.name].link_up for span in self._spans)

    def admits(self, use: Use, others: Iterable[Use]) -> bool:
        """Whether a call may stay that came in and has its channel already."""
        if not self._config.reserved:
            return True
        return self._admits(use, others, len(self._in_state(ChannelState.IDLE, range(len(self._spans)))) + 1)

    def _admits(self, use: Use, others: Iterable[Use], idle: int) -> bool:
        if not self._config.reserved:
            return True
        others, kept = list(others), 0
        for share in self._config.reserved:
            count = _count(other for other in others if is_for(share, other))
            if is_for(share, use):
                if share.most is not None and count >= share.most:
                    return False
            elif not _may_become(share, use):
                kept += max(0, share.channels - count)
        return idle > kept

    def _up(self) -> list[int]:
        """Places of the spans whose link is up."""
        up = [order for order, span in enumerate(self._spans) if self._signalling[span.name].link_up]
        if not up:
            toward_network = any(self._signalling[span.name].side is Side.USER for span in self._spans)
            raise Unavailable(NETWORK_OUT_OF_ORDER if toward_network else DESTINATION_OUT_OF_ORDER)
        return up

    def _in_state(self, state: ChannelState, orders: Iterable[int]) -> list[_Candidate]:
        return [_Candidate(order, self._spans[order].name, channel) for order in orders
                for channel in self._signalling[self._spans[order].name].channels.all()
                if channel.state is state]

    def _take(self, usable: list[_Candidate]) -> Place:
        """The one whose turn it is; one that the far end refused lately comes last."""
        if self._config.hunting == "balanced":
            most = max({one.order for one in usable}, key=lambda order: (
                _count(one for one in usable if one.order == order), -order))
            usable = [one for one in usable if one.order == most]
        taken = min(usable, key=lambda one: (one.channel.refusals, self._rank(one)))
        self._last = _position(taken)
        channel = taken.channel
        return Place(taken.span, channel.timeslot, channel.state is ChannelState.BLOCKED)

    def _rank(self, one: _Candidate) -> tuple[float, int]:
        position = _position(one)
        match self._config.hunting:
            case "descending":
                return 0.0, -position
            case "longest-idle":
                return self._idle_since.get((one.span, one.channel.timeslot), 0.0), position
            case "round-robin":
                return 0.0, (position - self._last - 1) % (len(self._spans) * TIMESLOTS)
            case "balanced" if self._spans[one.order].channels == "down":
                return 0.0, -position
        return 0.0, position


def _outgoing(idle: Iterable[_Candidate]) -> list[_Candidate]:
    return [one for one in idle if one.channel.direction is not Direction.IN]


def _position(one: _Candidate) -> int:
    return one.order * TIMESLOTS + one.channel.timeslot


def is_for(share: ReservedConfig, use: Use) -> bool:
    """Whether the call is one of those that the share is kept for."""
    return _is_of_its_way(share, use) and (not share.called or use.called in share.called)


def _may_become(share: ReservedConfig, use: Use) -> bool:
    """Its number comes digit by digit, and may be one of these in the end."""
    return _is_of_its_way(share, use) and not use.complete and any(
        number.startswith(use.called) for number in share.called)


def _is_of_its_way(share: ReservedConfig, use: Use) -> bool:
    return {"in": use.inbound, "out": not use.inbound, "both": True}[share.direction]


def _count(things: Iterable[object]) -> int:
    return sum(1 for _ in things)
