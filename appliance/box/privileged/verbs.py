"""All that is done as root for boxd: a verb a row, in the order of its name."""

import os
from pathlib import Path

from appliance.box.backup import wishing
from appliance.box.document import place as document
from appliance.box.flows import place as flows
from appliance.box.privileged import machine, update
from appliance.box.privileged.verb import Nothing, Tell, Value, Verb, VerbError
from appliance.box.provision.verbs import Verbs as Provision


def forget_replaced(asked: Nothing, tell: Tell) -> dict[str, Value]:
    """What the last restore put aside, which is of all daemons, is removed."""
    try:
        wishing.forget(Path(os.environ["BRANCHLINE_STATE_DIR"]))
    except KeyError as missing:
        raise VerbError(f"{missing} is not in /etc/branchline/defaults") from None
    except OSError as error:
        raise VerbError(f"{error.filename or 'disk'}: {error.strerror}") from None
    return {}


VERBS: dict[str, Verb] = {
    **Provision().rows,
    **update.VERBS,
    "forget-replaced": Verb(Nothing, forget_replaced),
    "power-off": Verb(Nothing, machine.power_off, beside=True),
    "reboot": Verb(Nothing, machine.reboot, beside=True),
    "set-hostname": Verb(machine.SetHostname, machine.set_hostname),
    "write-document": document.verb(os.environ),
    "write-flow": flows.verb(os.environ),
}
