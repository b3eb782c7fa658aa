"""The subjects that boxd has: each answers its requests, hears the bus, and has work of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from appliance.bus.messages import Event, Reply, Request

Answers = Mapping[type[Request[Any]], Callable[[Any], Awaitable[Reply]]]


class Area:
    """A subject with nothing to do."""

    answers: Answers = MappingProxyType({})       # its requests, and what answers each
    beside: Sequence[type[Request[Any]]] = ()     # those of them that take long: no other one waits for them

    async def hear(self, event: Event) -> None:
        """Any event of the bus, in order; one at a time for all subjects: be quick."""

    async def run(self, stop: asyncio.Event) -> None:
        """The subject's own work; ends soon after `stop`. An error ends boxd, which is then started anew."""
        await stop.wait()
