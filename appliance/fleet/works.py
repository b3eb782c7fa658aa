"""What each kind of run does on a box, made of what was asked: a run goes on from its record alone."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError
from appliance.fleet import collecting, health, naming, pushing, updating
from appliance.fleet.asking import asking
from appliance.fleet.driving import Doing
from appliance.fleet.reach import Reach


def doing(kind: str, asked: Mapping[str, Any], name: str, reach: Reach,
          clock: Callable[[], float] = time.time) -> Doing:
    """`name`: of the run, by which boxes know it again. ConfigError: this tool does not know the kind."""
    again_s = float(asked.get("every_s", pushing.AGAIN_S))
    well = health.looking(reach, again_s=again_s)
    match kind:
        case "run":
            return Doing(asking(asked["line"], reach, as_json=False), safe=False)
        case "push" | "replace":
            pushed = pushing.pushing(
                asked["texts"], asked["minutes"], reach, well,
                comment=f"{asked['comment']} (fleet {name})", clock=clock, again_s=again_s)
            return Doing(naming.naming(pushed, asked.get("hostnames", {}), reach),
                         safe=True, well=well, soak_s=asked["soak_s"])
        case "update":
            return Doing(updating.updating(
                asked["source"], asked["begin"], asked["version"], reach, well, clock=clock,
                again_s=again_s, within_s=asked["within_s"]),
                safe=True, well=well, soak_s=asked["soak_s"])
        case "collect":
            return Doing(collecting.collecting(asked["what"], Path(asked["folder"]), reach), safe=True)
    raise ConfigError(f"{name}: a run of the kind {kind!r}, which this version does not know")
