"""New firmware for a card, from its image to the end of its trial: CardControls and `now` in.

A connection that is lost is no failure: what is on the card stays there, and the card goes on where it was.
"""

from collections.abc import Callable
from typing import Literal

from appliance.box.card.control import CardControl
from firmware import control
from firmware.image import HEAD_OCTETS, Head, read_head

CHUNK_AGAIN_S, CHUNK_TIMES = 2.0, 5
SEND_S = 900.0                                    # in all
START_S = 120.0                                   # until the card is there again
TRIAL_S = 400.0                                   # the card itself waits 300 s

State = Literal["sending", "starting", "trial", "done", "failed"]


class Updating:
    """`state` and, when it failed, `error`. An ImageError in the making: this is no image."""

    def __init__(self, image: bytes, forced: bool, now: float) -> None:
        self.head: Head = read_head(image)
        self.state: State = "sending"
        self.error = ""
        self.offset = 0
        self._image, self._forced = image, forced
        self._until = now + SEND_S
        self._link: CardControl | None = None     # the connection that it is under way on
        self._from_slot: int | None = None        # that ran before
        self._asking = False
        self._sent, self._sent_times, self._again_at = -1, 0, 0.0

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed")

    def drive(self, link: CardControl | None, now: float) -> None:
        """Go on, as far as a ready `link` takes it; None: the card is away."""
        if self.over:
            return
        if now >= self._until:
            self._fail("the card does not take it in time" if self.state == "sending" else
                       "the card did not come back" if self.state == "starting" else
                       "its trial did not go well: the card goes back to the firmware before it")
        elif link is not None and link.ready:
            if self.state == "sending":
                self._send(link, now)
            else:
                self._judge(link, now)

    def next_deadline(self) -> float | None:
        if self.over:
            return None
        sending = self.state == "sending" and self._sent >= 0 and not self._asking
        return min(self._until, self._again_at) if sending else self._until

    def confirmed(self) -> None:
        """The card keeps it."""
        self.state = "done"

    def _send(self, link: CardControl, now: float) -> None:
        if link is not self._link:                # a new one: the card says where it goes on
            self._link, self._sent, link.chunk_refusal = link, -1, ""
            if self._from_slot is None:
                self._from_slot = link.facts.slot
            if link.facts.slot != self._from_slot:
                self._on_trial(now)               # it reset before its answer came
                return
            head = bytes((self._forced,)) + self._image[:HEAD_OCTETS]
            self._ask(link, control.UPDATE_BEGIN, head, lambda: self._begun(now), now)
        if self._asking:
            return
        if link.chunk_refusal:
            self._fail(link.chunk_refusal)
            return
        _, self.offset, octets = link.update
        if octets == self.head.octets == self.offset:
            self._ask(link, control.UPDATE_END, b"", lambda: self._staged(link, now), now)
        elif self.offset != self._sent or now >= self._again_at:
            self._chunk(link, now)

    def _chunk(self, link: CardControl, now: float) -> None:
        again = self.offset == self._sent
        self._sent_times = self._sent_times + 1 if again else 1
        if self._sent_times > CHUNK_TIMES:
            self._fail(f"the card does not take what is at {self.offset}")
            return
        self._sent, self._again_at = self.offset, now + CHUNK_AGAIN_S
        at = HEAD_OCTETS + self.offset
        link.send_chunk(self.offset, self._image[at:at + control.CHUNK_OCTETS])

    def _begun(self, now: float) -> None:
        self._sent, self._again_at = -1, now

    def _staged(self, link: CardControl, now: float) -> None:
        self._ask(link, control.UPDATE_ACTIVATE, b"", lambda: self._started(now), now)

    def _started(self, now: float) -> None:
        self.state, self._until = "starting", now + START_S

    def _judge(self, link: CardControl, now: float) -> None:
        if link is self._link and self.state == "starting":          # it is about to reset
            return
        facts = link.facts
        if facts.slot == self._from_slot:
            self._fail(f"the card went back to firmware {facts.version}: see its crash record")
        elif not facts.trial:
            self.confirmed()
        elif self.state == "starting":
            self._on_trial(now)

    def _on_trial(self, now: float) -> None:
        self.state, self._until, self.offset = "trial", now + TRIAL_S, self.head.octets

    def _ask(self, link: CardControl, kind: int, body: bytes, go_on: Callable[[], None], now: float) -> None:
        def done(refusal: str) -> None:
            if link is self._link:
                self._asking = False
                if not refusal:
                    go_on()
                elif not link.trouble:            # else it goes on with the next connection
                    self._fail(refusal)
        self._asking = True
        link.ask(kind, body, done, now)

    def _fail(self, why: str) -> None:
        self.state, self.error = "failed", why
