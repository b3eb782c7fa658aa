"""All that is done as root for boxd: a verb a row, in the order of its name."""

import os

from appliance.box.document import place as document
from appliance.box.flows import place as flows
from appliance.box.privileged import machine, update
from appliance.box.privileged.verb import Nothing, Verb
from appliance.box.provision.verbs import Verbs as Provision

VERBS: dict[str, Verb] = {
    **Provision().rows,
    **update.VERBS,
    "power-off": Verb(Nothing, machine.power_off, beside=True),
    "reboot": Verb(Nothing, machine.reboot, beside=True),
    "set-hostname": Verb(machine.SetHostname, machine.set_hostname),
    "write-document": document.verb(os.environ),
    "write-flow": flows.verb(os.environ),
}
