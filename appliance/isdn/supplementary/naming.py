"""Names of the parties between private exchanges.

Ref: ECMA-164.
"""
from typing import Any

from appliance.isdn.elements import Facility
from appliance.isdn.supplementary.events import Named, Role
from appliance.isdn.supplementary.invocations import Invocations, Owed
from appliance.isdn.supplementary.parties import name, to_name
from appliance.isdn.supplementary.presentation import ALLOWED

ROLES = {"callingName": Role.CALLING, "calledName": Role.CALLED, "connectedName": Role.CONNECTED,
         "busyName": Role.BUSY}
OPERATIONS = {role: operation for operation, role in ROLES.items()}


def named(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    kind, content = value
    text, presentation = name(content["name"] if kind == "sequence" else content)
    services.tell(Named(owed.key, ROLES[owed.operation.name], text, presentation))


def tell(services: Invocations, role: Role, text: str, presentation: int = ALLOWED) -> Facility:
    """An element for SETUP (calling), ALERTING (called), CONNECT (connected) or DISCONNECT (busy)."""
    return services.inform(OPERATIONS[role], ("name", to_name(text, presentation)))
