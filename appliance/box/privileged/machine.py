"""Verbs about the whole machine: off, on again, its name."""

from typing import Annotated

import msgspec

from appliance.box.privileged.verb import Nothing, Tell, Value
from appliance.box.programs import run

# RFC 1123 2.1, without dots: the DNS domain is the network's.
HostName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")]


class SetHostname(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: HostName


def reboot(asked: Nothing, tell: Tell) -> dict[str, Value]:
    """Asked for, not waited for: the daemons end in order, then the machine."""
    run(["systemctl", "--no-block", "reboot"])
    return {}


def power_off(asked: Nothing, tell: Tell) -> dict[str, Value]:
    run(["systemctl", "--no-block", "poweroff"])
    return {}


def set_hostname(asked: SetHostname, tell: Tell) -> dict[str, Value]:
    run(["hostnamectl", "--no-ask-password", "hostname", asked.name])
    return {}
