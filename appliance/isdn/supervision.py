"""Layer 2 of one span, wanted always: set up whenever the line carries frames, set up again after a pause
whenever it is lost, its troubles said once.

Ref: ITU-T Q.931 (05/98), 5.8.8 and 5.8.9; Q.921 (09/97), table II.1.
"""
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from typing import Protocol

from appliance.errors import StateError
from appliance.isdn.lapd import Side
from appliance.isdn.q921 import TROUBLES, Established, Link, Received, Released, Trouble

SETTLING_S = 5.0                                  # both ends set the link up; N200 + 1 SABMEs may come
SAY_AGAIN_S = 60.0                                # the same trouble of layer 2

log = logging.getLogger(__name__)


class Layer3(Protocol):
    """Who lives on the link."""

    def receive(self, info: bytes, now: float) -> None: ...

    def link_established(self, first: bool, lost: bool, now: float) -> None:
        """`first`: it was down. Else `lost` says that messages may not have arrived."""
        ...

    def link_lost(self, now: float) -> None: ...


class Supervision:
    """`make_link` makes a Link when the line comes up."""

    def __init__(self, name: str, side: Side, layer3: Layer3, counts: Counter[str], pause_s: float,
                 make_link: Callable[[Side], Link]) -> None:
        self.pause_s = pause_s                    # from the loss of layer 2 to our next attempt
        self.up = False
        self._name, self._side, self._layer3, self._counts = name, side, layer3, counts
        self._make_link = make_link
        self._link: Link | None = None            # None: the line is down
        self._up_at = 0.0                         # when the link came up
        self._establish_at: float | None = None
        self._said_at: dict[str, float] = {}      # troubles

    def line_up(self, up: bool, now: float) -> None:
        """The line carries frames, or does so no longer. Down is a data link failure (5.8.9)."""
        if up and self._link is None:
            self._link = self._make_link(self._side)
            self._link.establish(now)
        elif not up:
            self._counts.update(self.figures())
            self._link, self._establish_at = None, None
            self._lost(now)
        self.pump(now)

    def receive_frame(self, octets: bytes, now: float) -> None:
        if self._link is not None:
            self._link.receive(octets, now)
            self.pump(now)

    def send(self, message: bytes, now: float) -> None:
        """StateError: it went down in this turn, or the far end takes nothing."""
        if self._link is None:
            raise StateError("the line is down")
        self._link.send(message, now)

    def take_frames(self) -> list[bytes]:
        return [] if self._link is None else self._link.take_frames()

    def next_deadline(self) -> float | None:
        if self._link is None:
            return None
        deadline = self._link.next_deadline()
        if self._establish_at is None or deadline is None:
            return deadline if self._establish_at is None else self._establish_at
        return min(deadline, self._establish_at)

    def expire(self, now: float) -> None:
        if self._link is not None:
            if self._establish_at is not None and self._establish_at <= now:
                self._establish_at = None
                self._link.establish(now)
            self._link.expire(now)
        self.pump(now)

    def figures(self) -> dict[str, int]:
        """Totals of the link that is there; earlier ones' are in the counts."""
        if self._link is None:
            return {}
        counters = self._link.counters
        return {"frames_in": counters.frames_in, "frames_out": counters.frames_out,
                "frames_retransmitted": counters.retransmitted, "frames_invalid": counters.invalid,
                "layer2_troubles": counters.troubles.total()}

    def statistics(self) -> dict[str, int]:
        """All that layer 2 counts, frames by kind and troubles by letter, of the link that is there."""
        if self._link is None:
            return {}
        counters = self._link.counters
        plain = {f"layer2_{field.name}": value for field in fields(counters)
                 if isinstance(value := getattr(counters, field.name), int)}
        frames = {f"layer2_{way}_{kind.name.lower()}": count
                  for way, counted in (("received", counters.received), ("sent", counters.sent))
                  for kind, count in counted.items() if count}
        return plain | frames | {f"mdl_error_{letter}": count for letter, count in counters.troubles.items()}

    def pump(self, now: float) -> None:
        """Hand on what happened on the link."""
        while self._link is not None and (events := self._link.take_events()):
            for event in events:
                match event:
                    case Received(info):
                        self._layer3.receive(info, now)
                    case Established(by_peer=by_peer, lost=lost):
                        # a far end that sets it up anew may have lost its own messages, or all its calls
                        self._established(lost or by_peer, now)
                    case Released(reason):
                        level = logging.WARNING if self.up else logging.DEBUG        # not at every attempt
                        log.log(level, "%s: layer 2 is down: %s", self._name, reason)
                        self._establish_at = now + self.pause_s
                        self._lost(now)
                    case Trouble(letter):
                        self._say_trouble(letter, now)

    def _established(self, lost: bool, now: float) -> None:
        self._establish_at = None
        first = not self.up
        if first:
            self.up, self._up_at = True, now
            log.info("%s: layer 2 is up", self._name)
        else:
            self._counts["link_resets"] += 1
        self._layer3.link_established(first, lost, now)

    def _lost(self, now: float) -> None:
        if self.up:
            self.up = False
            self._layer3.link_lost(now)

    def _say_trouble(self, letter: str, now: float) -> None:
        """SABMEs that cross at the start are no news, nor is the same trouble within a minute."""
        said_at = self._said_at.get(letter)
        crossed = letter == "F" and now < self._up_at + SETTLING_S
        if crossed or (said_at is not None and now < said_at + SAY_AGAIN_S):
            level = logging.DEBUG
        else:
            level = logging.WARNING
            self._said_at[letter] = now
        log.log(level, "%s: layer 2: %s (MDL-ERROR %s)", self._name, TROUBLES[letter], letter)
