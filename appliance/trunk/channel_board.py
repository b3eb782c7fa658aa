"""Channels as people see them and take them in and out of use."""
import logging
import time
from collections.abc import Callable, Mapping

from appliance.bus.client import Refused
from appliance.bus.messages import ChannelInfo, ChannelStates
from appliance.config.timeslots import in_words
from appliance.isdn.causes import TEMPORARY_FAILURE
from appliance.trunk.busy_out import BusyOutFile
from appliance.trunk.calls import Calls
from appliance.trunk.legs import Leg
from appliance.trunk.span import TrunkSpan

log = logging.getLogger(__name__)


class ChannelBoard:
    """`hang_up(leg, cause)` ends a call; no leg of which `spared` is true is ended."""

    def __init__(self, spans: Mapping[str, TrunkSpan], file: BusyOutFile, calls: Calls,
                 hang_up: Callable[[Leg, int], None], spared: Callable[[Leg], bool]) -> None:
        self._spans, self._file, self._calls = spans, file, calls
        self._hang_up, self._spared = hang_up, spared
        self._since: dict[tuple[str, int], float] = {}           # when a channel came to its state

    def changed(self, span: TrunkSpan, timeslot: int) -> None:
        self._since[span.config.name, timeslot] = time.time()

    def begin(self, span: TrunkSpan) -> None:
        """What is out of use on a span that starts stays so."""
        timeslots = self._file.timeslots(span.config.name) & set(span.config.bearers)
        if timeslots:
            log.warning("%s: timeslots %s are out of use, until brought back",
                        span.config.name, in_words(timeslots))
            span.signalling.block(timeslots, span.now())

    def states(self, span: TrunkSpan) -> ChannelStates:
        name = span.config.name
        return ChannelStates(
            span=name, trunk=span.config.trunk, link_up=span.signalling.link_up, channels=[
                ChannelInfo(timeslot=channel.timeslot, state=channel.state.value, leg=channel.key,
                            blocked=channel.blocked, since=self._since.get((name, channel.timeslot), 0.0),
                            direction=channel.direction.value)
                for channel in span.signalling.channels.all()])

    def busy_out(self, name: str, timeslots: list[int], now: bool) -> None:
        """`name` "": all spans; no timeslots: all of them. Refused: there are no such."""
        for span in self._chosen(name, timeslots):
            chosen = set(timeslots or span.config.bearers)
            self._write(self._file.add, span, chosen)
            span.signalling.block(chosen, span.now())
            if now:
                for leg in [leg for leg in self._calls
                            if leg.info.span == span.config.name and leg.info.timeslot in chosen]:
                    if not self._spared(leg):
                        self._hang_up(leg, TEMPORARY_FAILURE)
            log.warning("%s: timeslots %s are taken out of use%s", span.config.name, in_words(chosen),
                        " and their calls ended, but emergency calls" if now
                        else ", those with a call when it ends")
            span.flush()

    def bring_back(self, name: str, timeslots: list[int]) -> None:
        for span in self._chosen(name, timeslots):
            chosen = set(timeslots or span.config.bearers)
            self._write(self._file.remove, span, chosen)
            span.signalling.unblock(chosen, span.now())
            log.info("%s: timeslots %s are in use", span.config.name, in_words(chosen))
            span.flush()

    def _chosen(self, name: str, timeslots: list[int]) -> list[TrunkSpan]:
        if name and name not in self._spans:
            raise Refused(f"no span {name!r}, there are {', '.join(self._spans)}")
        chosen = [self._spans[name]] if name else list(self._spans.values())
        for span in chosen:
            if wrong := sorted(set(timeslots) - set(span.config.bearers)):
                raise Refused(f"timeslots {wrong}: the B-channels of {span.config.name} are "
                              f"{in_words(span.config.bearers)}")
        return chosen

    def _write(self, change: Callable[[str, set[int]], None], span: TrunkSpan, timeslots: set[int]) -> None:
        try:
            change(span.config.name, timeslots)
        except OSError as error:
            raise Refused(f"{span.config.name}: not done, a restart would forget it: {error}") from None
