"""Daemons that were killed, and their next life."""

from collections.abc import Callable

from appliance.bus.messages import DAEMONS, Heartbeat
from tests.e2e.rig import Rig
from tests.e2e.talk import SOON_S


def revive(rig: Rig, name: str) -> None:
    """Start it again; returns when it can be asked, for the bus: when the daemons are there again."""
    if name == "bus":
        mark = rig.bus.mark()
        rig.start_bus()
        for daemon in DAEMONS:
            rig.bus.wait_event(Heartbeat, _of(daemon), SOON_S, mark)
    else:
        rig.start(name)
    rig.wait_links_up()


def _of(daemon: str) -> Callable[[Heartbeat], bool]:
    return lambda beat: beat.daemon == daemon
