"""The disk on the bus: looked at when it is asked for, at most once in a while."""

import asyncio
import time
from collections.abc import Callable, Sequence

from appliance.box.area import Answers, Area
from appliance.box.storage.devices import devices
from appliance.box.storage.forecast import forecast
from appliance.box.storage.used import Disk, look
from appliance.bus.client import Refused
from appliance.bus.messages import Event, Fitness, GetStorage, StorageState
from appliance.bus.runner import Context

FRESH_S = 10.0

Seen = Callable[[], Sequence[tuple[float, int, int]]]                # unix time, total, free


class Storage(Area):
    def __init__(self, context: Context, seen: Seen) -> None:
        """`seen`: what the daily records have of the disk."""
        self._state_dir, self._seen = context.state_dir, seen
        self._found: StorageState | None = None
        self._trouble = ""
        self._one = asyncio.Lock()
        self.answers: Answers = {GetStorage: self._get}
        self.beside = (GetStorage,)

    async def hear(self, event: Event) -> None:
        if isinstance(event, Fitness):            # whoever judges the box tries the disk out already
            self._trouble = next((one.detail for one in event.reasons if one.code == "disk"), "")

    async def state(self) -> StorageState:
        """At most FRESH_S old. OSError: the disk does not answer."""
        async with self._one:
            if self._found is None or not 0 <= time.time() - self._found.at < FRESH_S:
                self._found = await asyncio.to_thread(
                    lambda: state(time.time(), look(self._state_dir), self._trouble, self._seen()))
            return self._found

    async def _get(self, request: GetStorage) -> StorageState:
        try:
            return await self.state()
        except OSError as error:
            raise Refused(f"{self._state_dir}: {error.strerror}") from None


def state(now: float, disk: Disk, trouble: str, seen: Sequence[tuple[float, int, int]]) -> StorageState:
    found = forecast([*seen, (now, disk.total, disk.free)], now)
    return StorageState(
        at=now, total=disk.total, free=disk.free, uses=disk.uses, read_only=disk.read_only, trouble=trouble,
        errors=disk.errors, written_octets=disk.written_octets, devices=devices(),
        growth_octets_day=found.growth_octets_day if found else None, days=found.days if found else 0,
        full_at=found.full_at if found else 0.0)
