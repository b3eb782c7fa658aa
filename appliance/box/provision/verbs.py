"""What root does of provisioning, the clock and a reset, for boxd and the console: verbs of the box."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from appliance.box.clock import kernel
from appliance.box.privileged.verb import Nothing, Tell, Value, Verb, VerbError
from appliance.box.programs import Run, run
from appliance.box.provision.applying import Applying
from appliance.box.provision.kept import Kept, since_boot_s
from appliance.box.provision.serial import serial
from appliance.box.reset import wish
from appliance.errors import BranchlineError

Source = Literal["web", "console", "command", "button"]
Document = Annotated[str, msgspec.Meta(max_length=48_000)]


class Provide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    document: Document
    source: Source
    check: bool = False                           # only say what is wrong with it


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: dict[str, Any]                          # of the document, and their new values
    source: Source


class TryNetwork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    network: list[dict[str, Any]]                 # the section `network`
    for_s: Annotated[float, msgspec.Meta(ge=0, le=86400)]


class Confirm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    through: Annotated[str, msgspec.Meta(max_length=64)]             # the box's address, or "console"
    source: Source


class SetTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: Annotated[float, msgspec.Meta(ge=1_700_000_000, le=4_102_444_800)]     # Unix time, to the year 2100


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(max_length=64)]


class Reset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: Source
    audit: bool = True


class Verbs:
    """What they do below `root`, which is / on a box, starting programs by `run`."""

    def __init__(self, root: Path = Path("/"), run: Run = run) -> None:
        self._kept, self._run = Kept(root), run
        self.rows: dict[str, Verb] = {
            "change-provision": Verb(Change, self.change),
            "check-claim": Verb(Claim, self.claim, beside=True),
            "confirm-network": Verb(Confirm, self.confirm, beside=True),
            "factory-reset": Verb(Reset, self.reset),
            "provision": Verb(Provide, self.provide),
            "revert-network": Verb(Nothing, self.revert, beside=True),
            "set-time": Verb(SetTime, self.set_time),
            "show-provision": Verb(Nothing, self.show, beside=True),
            "try-network": Verb(TryNetwork, self.try_network)}

    def show(self, asked: Nothing, tell: Tell) -> dict[str, Value]:
        """What the box is, and what was said of the last attempt to provision it."""
        kept = self._kept
        found, candidate = kept.provisioned(), kept.candidate()
        return {
            "provisioned": found is not None, "source": found.source if found else "",
            "at": found.at if found else 0.0, "document": self._applying().shown(), "told": kept.told(),
            "trial_left_s": 0.0 if candidate is None else max(0.0, candidate.until - since_boot_s()),
            "serial": serial()}

    def provide(self, asked: Provide, tell: Tell) -> dict[str, Value]:
        applying = self._applying(serial())
        return _done(lambda: applying.typed(asked.document, asked.source, time.time(), asked.check))

    def change(self, asked: Change, tell: Tell) -> dict[str, Value]:
        return _done(lambda: self._applying().change(asked.keys, asked.source, time.time()))

    def try_network(self, asked: TryNetwork, tell: Tell) -> dict[str, Value]:
        return _done(lambda: self._applying().try_network(asked.network, asked.for_s))

    def confirm(self, asked: Confirm, tell: Tell) -> dict[str, Value]:
        return _done(lambda: self._applying().confirm_network(asked.through, asked.source, time.time()))

    def revert(self, asked: Nothing, tell: Tell) -> dict[str, Value]:
        return _done(lambda: self._applying().revert_network())

    def set_time(self, asked: SetTime, tell: Tell) -> dict[str, Value]:
        return _done(lambda: self._applying().set_time(asked.at, kernel.look().synchronised))

    def claim(self, asked: Claim, tell: Tell) -> dict[str, Value]:
        """Whether it is the box's claim code; a wrong one takes a while, and one is tried at a time."""
        return {"right": self._kept.claims(asked.code)}

    def reset(self, asked: Reset, tell: Tell) -> dict[str, Value]:
        """Kept; the caller has the box started anew."""
        asks = wish.Wish(asked.source, time.time(), asked.audit)
        return _done(lambda: wish.ask(asks, self._kept.root / wish.DATA))

    def _applying(self, serial: str = "") -> Applying:
        return Applying(self._kept, self._run, serial)


def _done(act: Callable[[], object]) -> dict[str, Value]:
    try:
        act()
    except BranchlineError as error:
        raise VerbError(str(error)) from None
    except OSError as error:
        raise VerbError(f"{error.filename or 'disk'}: {error.strerror}") from None
    return {}
