"""Does effects beside the loop, each in its time, and gives back what came of it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from appliance.centre.effects import Effect, EffectDone, Lookup, Say
from appliance.centre.lookups import LookupFailed, Lookups
from appliance.centre.spoken import Spoken
from appliance.config.schema import Config
from appliance.errors import BranchlineError
from appliance.media.fragments import FOLDER

log = logging.getLogger(__name__)


# Effects that another part of acdd carries out; a BranchlineError is why not.
Elsewhere = Mapping[type[Effect], Callable[[Any], Awaitable[Mapping[str, Any]]]]


class Worker:
    """`done` hears of each effect once, in its time; of what it was asked nothing is logged."""

    def __init__(self, config: Config, state_dir: Path, done: Callable[[EffectDone], None],
                 elsewhere: Elsewhere | None = None) -> None:
        self._folder, self._done, self._elsewhere = state_dir / FOLDER, done, elsewhere or {}
        self._lookups = Lookups()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: Counter[str] = Counter()
        self.configure(config)

    def configure(self, config: Config) -> None:
        """From the next effect on."""
        self._sources = {source.name: source for source in config.centre.sources}
        self._spoken = Spoken(self._folder, config.media.speech)

    async def say(self, text: str, language: str) -> str:
        """What plays the text. CannotSpeak."""
        return await self._spoken.fragment(text, language)

    def put(self, effect: Effect) -> None:
        task = asyncio.get_running_loop().create_task(self._run(effect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lookups.close()

    async def _run(self, effect: Effect) -> None:
        try:
            async with asyncio.timeout(effect.timeout_s):
                done = await self._do(effect)
        except TimeoutError:
            done = EffectDone(order=effect.order, error=f"no answer in {effect.timeout_s:g} s")
        except BranchlineError as error:
            done = EffectDone(order=effect.order, error=str(error))
        except Exception as error:                # a caller goes on all the same
            log.exception("%s", type(effect).__name__)
            done = EffectDone(order=effect.order, error=type(error).__name__)
        if done.error:
            what = effect.source if isinstance(effect, Lookup) else type(effect).__name__
            log.warning("%s: %s", what, done.error)
        self._done(done)

    async def _do(self, effect: Effect) -> EffectDone:
        if isinstance(effect, Say):
            return EffectDone(order=effect.order,
                              fragment=await self._spoken.fragment(effect.text, effect.language))
        if (do := self._elsewhere.get(type(effect))) is not None:
            return EffectDone(order=effect.order, answer=await do(effect))
        if not isinstance(effect, Lookup):
            raise LookupFailed(f"{type(effect).__name__}: nobody does that")
        source = self._sources.get(effect.source)
        if source is None:
            raise LookupFailed("there is no such source any more")
        if self._asking[source.name] >= source.at_once:
            raise LookupFailed(f"{source.at_once} requests wait for an answer already")
        self._asking[source.name] += 1
        try:
            answer = await self._lookups.ask(source, effect.send, effect.timeout_s)
            return EffectDone(order=effect.order, answer=answer)
        finally:
            self._asking[source.name] -= 1
