"""Of what is recorded: why, or why not; who began, stopped, kept and silenced it."""

import msgspec

from appliance.centre.events.base import LogEvent


class RecordingDecided(LogEvent, frozen=True):
    """What the policy says of a talk that has begun, or of its next recording.

    `recording` "": none runs. `own`, `own_by`: what is done where no rule says. The rest is the decision's
    (appliance.config.recording.Decision).
    """

    recording: str
    own: bool
    own_by: str
    record: str                                   # always, never, on-demand
    why: str
    rule: str = ""                                # "": none
    unless_kept: bool = False                     # it is erased at its end unless somebody keeps it
    format: str = "small"
    pause: list[str] = msgspec.field(default_factory=list)           # who may
    consults: bool = True                         # the agent's consultations are in it


class RecordingAnnounced(LogEvent, frozen=True):
    """The caller is told that the talk may be recorded."""

    prompt: str


class RecordingAsked(LogEvent, frozen=True):
    """Somebody has the talk recorded from now on."""

    recording: str
    by: str = ""


class RecordingKept(LogEvent, frozen=True):
    """One that would have been erased at its end is kept."""

    recording: str
    by: str = ""


class RecordingStopped(LogEvent, frozen=True):
    """By somebody, who may have had it begun."""

    recording: str
    by: str = ""


class RecordingHushed(LogEvent, frozen=True):
    """Silence of equal length is recorded while the agent consults somebody: the policy wants it so."""

    on: bool


class RecordingSilent(LogEvent, frozen=True):
    """Silence is in the recording from this tick of the record ring on, or no more."""

    recording: str
    on: bool
    tick: int
    from_at: float


class ReplayFound(LogEvent, frozen=True):
    """What the caller is going to hear in the telephone; `by`: whose PIN lets him."""

    recordings: list[str]
    by: str


class ReplayBegun(LogEvent, frozen=True):
    """One of them, from its beginning."""

    recording: str
    fragment: str
    duration_s: float
    by: str


class ReplayMoved(LogEvent, frozen=True):
    """It is heard from there on, or waits there."""

    from_s: float
    waits: bool = False


class ReplayTurned(LogEvent, frozen=True):
    """To another one of them, by place from 0."""

    place: int
