"""python -m appliance.box.commands: the reference page of all commands."""

import sys

from appliance.box.commands.every import table
from appliance.box.commands.reference import reference

sys.stdout.write(reference(table()))
