"""Tells spand which timeslot is whose leg, until spand says yes, and all of it again when spand is new."""
import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from appliance.bus.client import BusError
from appliance.bus.messages import BindLeg, Done, Request, UnbindLeg

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0        # between two tries of one leg; each is twice the last

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Wish:
    request: BindLeg | UnbindLeg
    due: float = float("-inf")
    tries: int = 0


class Bindings:
    """bind() and unbind() return at once; run() asks spand one by one. A call goes on whatever spand says.

    No answer need not be spand's fault: while the bus is away a request waits in vain, and spand, which was
    there all the time, has no reason to say that it is up.
    """

    def __init__(self, ask: Callable[[Request[Done]], Awaitable[Done]]) -> None:
        self._ask = ask
        self._wishes: dict[str, _Wish] = {}       # by leg, in the order in which they came
        self._open: dict[str, _Wish] = {}         # those of them that are not done
        self._wake = asyncio.Event()
        self._patience: asyncio.Timeout | None = None            # with what is asked now

    def bind(self, leg: str, span: str, timeslot: int) -> None:
        self._wish(leg, BindLeg(leg=leg, span=span, timeslot=timeslot))

    def unbind(self, leg: str) -> None:
        """A leg that was never bound needs none."""
        if leg in self._wishes:
            self._wish(leg, UnbindLeg(leg=leg))

    def again(self) -> None:
        """spand may be new: then it knows of nothing, and what is asked now is not answered any more."""
        self._wishes = {leg: _Wish(wish.request) for leg, wish in self._wishes.items()}
        self._open = self._wishes.copy()
        self._wake.set()
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())

    def take(self, now: float) -> BindLeg | UnbindLeg | None:
        """What to ask spand now; tell with done() or failed() what came of it."""
        due = (wish for wish in self._open.values() if wish.due <= now)
        return next((wish.request for wish in due), None)

    def done(self, request: BindLeg | UnbindLeg) -> None:
        wish = self._wishes.get(request.leg)
        if wish is None or wish.request is not request:
            return                                # there is another wish by now
        if wish.tries:
            log.info("%s: done after %d tries", _words(request), wish.tries + 1)
        del self._open[request.leg]
        if isinstance(request, UnbindLeg):
            del self._wishes[request.leg]

    def failed(self, request: BindLeg | UnbindLeg, error: BusError, now: float) -> None:
        wish = self._wishes.get(request.leg)
        if wish is None or wish.request is not request:
            return
        if not wish.tries:
            log.warning("%s: not done, trying again: %s", _words(request), error)
        wish.due = now + min(FIRST_PAUSE_S * 2 ** wish.tries, LONGEST_PAUSE_S)
        wish.tries += 1

    def next_deadline(self) -> float | None:
        return min((wish.due for wish in self._open.values()), default=None)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            request = self.take(loop.time())
            if request is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(self.next_deadline()):
                        await self._wake.wait()
                self._wake.clear()
                continue
            try:
                async with asyncio.timeout(None) as self._patience:
                    await self._ask(request)
            except BusError as error:
                self.failed(request, error, loop.time())
            except TimeoutError:                  # it is a wish again
                pass
            else:
                self.done(request)
            finally:
                self._patience = None

    def _wish(self, leg: str, request: BindLeg | UnbindLeg) -> None:
        for wishes in (self._wishes, self._open):
            wishes.pop(leg, None)                 # last in order, too
        self._wishes[leg] = self._open[leg] = _Wish(request)
        self._wake.set()


def _words(request: BindLeg | UnbindLeg) -> str:
    if isinstance(request, BindLeg):
        return f"leg {request.leg} at {request.span} timeslot {request.timeslot}"
    return f"end of leg {request.leg}"
