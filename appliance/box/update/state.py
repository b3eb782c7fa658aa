"""How an update stands, what is kept of it, and what a start makes of it. Pure: `now` is Unix time.

What is to be done is on the disk before it is done. A start looks at where the box came up and finds what is
true, whatever was cut off where: after_start() has the rules.
"""

from enum import StrEnum

import msgspec

from appliance.box.update.slots import MOST_TRIES
from appliance.bus.messages import Beginning, UpdatePast

KEPT = 50                                         # updates in the history
RETRY_AFTER_S = (0.0, 3600.0, 4 * 3600.0, 86_400.0)              # of a trial that power cuts ended; the last
                                                                 # holds for ever


class Phase(StrEnum):
    FETCHING = "fetching"
    CHECKING = "checking"
    WAITING = "waiting"                           # for a quiet hour
    INSTALLING = "installing"
    DRAINING = "draining"
    REBOOTING = "rebooting"
    TRIAL = "on trial"
    RETURNING = "returning"                       # to the confirmed slot
    AGAIN = "trying again"                        # later


class Outcome(StrEnum):
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"                             # before the new version was started
    CANCELLED = "cancelled"


STARTED = (Phase.REBOOTING, Phase.TRIAL, Phase.RETURNING)        # the new version may have run
PERCENT = {                                       # of the whole: at its beginning, at its end
    Phase.FETCHING: (0, 15), Phase.CHECKING: (15, 20), Phase.WAITING: (20, 20), Phase.INSTALLING: (20, 60),
    Phase.DRAINING: (60, 70), Phase.REBOOTING: (70, 80), Phase.TRIAL: (80, 100), Phase.RETURNING: (90, 100),
    Phase.AGAIN: (60, 60),
}

UNDECIDED = "the new version did not decide in time: its watchdog started the old one"
NEVER_UP = (f"the new version was started {MOST_TRIES} times and never came so far as to say so: "
            "it does not start, or the power failed each time")


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What worked before calls were drained."""

    daemons: list[str]                            # that were up
    spans: list[str]                              # whose line was
    links: list[str]                              # spans whose D-channel was
    agents: int = 0                               # that were logged in


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One that goes on."""

    phase: Phase
    since: float                                  # of the phase
    began_at: float
    source: str                                   # as InstallUpdate has it; BACK: the other slot as it is
    begin: Beginning
    by: str
    version_from: str
    version_to: str = ""
    bundle: str = ""                              # path of the file on the box
    slot: str = ""                                # that is written to and tried out
    before: Before | None = None
    boot: str = ""                                # of the kernel that was told to start the slot
    trials: list[float] = msgspec.field(default_factory=list)
    drained_at: float = 0.0
    next_at: float = 0.0
    why: str = ""                                 # RETURNING: what was the matter
    figures: dict[str, float] = msgspec.field(default_factory=dict)


BACK = "the other slot"


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept."""

    update: Update | None = None
    history: list[UpdatePast] = msgspec.field(default_factory=list)  # newest first


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the box came up, and what it starts next."""

    booted: str                                   # slot; "": this machine has none
    confirmed: str = ""
    trial: str = ""
    unusable: list[str] = msgspec.field(default_factory=list)
    boot: str = ""                                # the kernel's boot id: another one after each start
    undecided: bool = False                       # the trial's watchdog had to act


class Over(msgspec.Struct, frozen=True, kw_only=True):
    outcome: Outcome
    why: str = ""


def moved(update: Update, phase: Phase, now: float) -> Update:
    return msgspec.structs.replace(update, phase=phase, since=now)


def returning(update: Update, why: str, now: float) -> Update:
    """The new version is not good enough."""
    return msgspec.structs.replace(update, phase=Phase.RETURNING, since=now, why=why)


def finished(book: Book, over: Over, now: float) -> Book:
    """The update that went on is history."""
    update = book.update
    if update is None:
        return book
    past = UpdatePast(
        outcome=over.outcome, why=over.why, at=now, began_at=update.began_at,
        version_from=update.version_from, version_to=update.version_to, slot=update.slot,
        trials=len(update.trials), figures=update.figures)
    return Book(update=None, history=[past, *book.history][:KEPT])


def after_start(update: Update, where: Standing, now: float) -> Update | Over:
    """What boxd goes on with after a start, be it the box's or only its own."""
    if update.phase not in STARTED:
        return update                             # nothing was started: it is done again from its beginning
    if where.confirmed == update.slot:
        return Over(outcome=Outcome.CONFIRMED, why=update.why)
    if where.booted == update.slot:
        if update.phase is Phase.RETURNING:
            return update
        if where.undecided:
            return returning(update, UNDECIDED, now)
        return moved(update, Phase.TRIAL, now)
    if update.phase is Phase.RETURNING:
        return Over(outcome=Outcome.ROLLED_BACK, why=update.why)
    if where.undecided:
        return Over(outcome=Outcome.ROLLED_BACK, why=UNDECIDED)
    if update.phase is Phase.TRIAL:               # it was up and nothing was wrong with it: the power was
        return msgspec.structs.replace(update, phase=Phase.AGAIN, since=now, next_at=retry_at(update, now))
    if where.boot == update.boot:
        return update                             # it was not even started
    if where.trial != update.slot:                # nor put on trial, and calls have come in since this start
        return moved(msgspec.structs.replace(update, trials=update.trials[:-1]), Phase.DRAINING, now)
    return Over(outcome=Outcome.ROLLED_BACK, why=NEVER_UP)


def retry_at(update: Update, now: float) -> float:
    """When a trial that only the power ended is made again: for ever, but ever more seldom."""
    return now + RETRY_AFTER_S[min(len(update.trials), len(RETRY_AFTER_S)) - 1]
