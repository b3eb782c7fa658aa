"""How the work on a box gets to it: by name, and to what the inventory says now."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from appliance.errors import ConfigError
from appliance.fleet.inventory import Inventory
from appliance.fleet.link import Limits, Link, Operator, linked

Reach = Callable[[str], AbstractAsyncContextManager[Link]]           # each time a connection of its own


def reaching(inventory: Inventory, operator: Operator, limits: Limits) -> Reach:
    """LinkError when the box is not reached; ConfigError: it is no more in the inventory."""
    boxes = {box.name: box for box in inventory.boxes}

    @asynccontextmanager
    async def reach(name: str) -> AsyncIterator[Link]:
        if name not in boxes:
            raise ConfigError(f"there is no box {name!r} any more")
        async with linked(boxes[name], operator, limits) as link:
            yield link
    return reach
