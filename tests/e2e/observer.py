"""The bus for a test, without a coroutine in sight: what was said so far, in order; questions and answers."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import Event, Reply, Request
from hil_tests.instruments.line import keep_time

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Reply)

ASK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Heard:
    at: float                                     # time.monotonic()
    event: Event


class NotSaid(AssertionError):
    """What was waited for was not said. The text has what was."""


class Observer:
    """Connected as `user`, whose questions it may ask. Use as a context manager."""

    def __init__(self, run_dir: Path, user: str = "webui") -> None:
        self._run_dir, self._user = run_dir, user
        self._heard: list[Heard] = []
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._observe, name="observer", daemon=True)

    def __enter__(self) -> "Observer":
        self._thread.start()
        self._bus = self._run(self._connect()).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._bus.close()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        """The owner's reply; Refused or BusError like Bus.ask()."""
        reply: R = self._run(self._bus.ask(request, timeout_s)).result(timeout_s + 5)
        return reply

    def ask_until(self, request: Request[R], there: Callable[[R], object], within_s: float = 5.0) -> R:
        """Ask until the reply is as wanted. For what nobody says: a file that grows, a table."""
        deadline = time.monotonic() + within_s
        last: R | BusError | None = None
        while time.monotonic() < deadline:
            try:
                last = self.ask(request)
            except BusError as error:
                last = error
            else:
                if there(last):
                    return last
            with self._changed:
                self._changed.wait(ASK_AGAIN_S)
        raise NotSaid(f"{request}: not within {within_s:g} s, the last answer was {last}")

    def mark(self) -> int:
        """This place in what was said: wait_event(since=mark) hears only what comes after."""
        with self._changed:
            return len(self._heard)

    def said(self, kind: type[E], since: int = 0) -> list[E]:
        """Every event of this kind, oldest first."""
        with self._changed:
            return [heard.event for heard in self._heard[since:] if isinstance(heard.event, kind)]

    def latest(self, kind: type[E], wanted: Callable[[E], object] = lambda _: True) -> E | None:
        return next((event for event in reversed(self.said(kind)) if wanted(event)), None)

    def wait_event(self, kind: type[E], wanted: Callable[[E], object] = lambda _: True, within_s: float = 5.0,
                   since: int = 0) -> E:
        """The first event of this kind for which `wanted` holds, maybe from before. NotSaid otherwise."""
        return self._wait(lambda: next((event for event in self.said(kind, since) if wanted(event)), None),
                          within_s, kind, since)

    def wait_latest(self, kind: type[E], wanted: Callable[[E], object], within_s: float = 5.0) -> E:
        """Wait until `wanted` holds for the newest event of this kind: for events that tell a state."""
        def newest() -> E | None:
            event = self.latest(kind)
            return event if event is not None and wanted(event) else None
        return self._wait(newest, within_s, kind, 0)

    def _wait(self, find: Callable[[], E | None], within_s: float, kind: type[E], since: int) -> E:
        with self._changed:
            if (found := self._changed.wait_for(find, within_s)) is not None:
                return found
            said = "\n".join(f"  {event}" for event in self.said(kind, since)[-10:]) or "  nothing"
            raise NotSaid(f"no such {kind.__name__} within {within_s:g} s; the last ones said:\n{said}")

    def _observe(self) -> None:
        keep_time()
        self._loop.run_forever()

    async def _connect(self) -> Bus:
        bus = await Bus.connect(self._run_dir, self._user)
        await bus.hear("*", self._hear)
        return bus

    async def _hear(self, event: Event) -> None:
        with self._changed:
            self._heard.append(Heard(time.monotonic(), event))
            self._changed.notify_all()

    def _run(self, coroutine: Any) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
