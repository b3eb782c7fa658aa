"""One bundle, made from everything that can be had; what cannot is named with its reason."""

import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from appliance.box.support import sources
from appliance.box.support.bundle import writing
from appliance.bus.client import Bus, BusError
from appliance.errors import BranchlineError


def name(hostname: str, at: float) -> str:
    return f"branchline-support-{hostname}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(at))}.zip"


async def make(path: Path, places: sources.Places, bus: Bus | None, why_no_bus: str = "",
               say: Callable[[str], None] = lambda text: None) -> dict[str, str]:
    """What is missing in it, and why. OSError: it cannot be written."""
    about: dict[str, object] = {
        "made_by": f"branchline {version('branchline')}", "at": time.time(), "numbers": places.numbers}
    with writing(path, about) as bundle:
        if bus is None:
            bundle.lacks("asked, lines, traces", why_no_bus)
        for entry, give in sources.sources(places, bus):
            say(entry)
            try:
                bundle.add(entry, await sources.one(give))
            except (BranchlineError, BusError) as error:
                bundle.lacks(entry, str(error))
        return bundle.missing
