"""Malicious call identification: the network registers who calls.

Ref: ETSI EN 300 130-1.
"""
from typing import Any

from appliance.isdn.supplementary.events import (
    MaliciousCallNoted,
    MaliciousCallRefused,
    MaliciousCallReported,
)
from appliance.isdn.supplementary.invocations import Invocations, Owed


def request(services: Invocations, key: str, now: float) -> None:
    services.ask(key, "maliciousCall", None,
                 lambda value, now: services.tell(MaliciousCallNoted(key)),
                 lambda why: services.tell(MaliciousCallRefused(key, why)), now)


def reported(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """By a PBX. Every call is registered here, so there is nothing to wait for."""
    services.tell(MaliciousCallReported(owed.key))
    services.grant(owed)
