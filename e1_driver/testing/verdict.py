"""Who is at fault: from what was seen of a line to us, cable, telco, far end, or nothing, or cannot say.

    the box ---- cable ---- demarcation ---- telco ---- far end (the exchange)

LEAVES is the whole decision: the first leaf that fits is the finding. A leaf names who can be the cause, the
likeliest first, and loop plugs rule out: a clean one in our own port the box, a clean one at the telco's
demarcation the cable too. What an interface cannot tell rules out nobody. The cable of an emulated circuit
is our network, and takes no plug. Texts are in verdict_texts.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from e1_driver import WEAK_DB, Abilities, Alarm, Clock, Counters, LiuFault
from e1_driver.testing.bert import Result
from e1_driver.testing.d_channel import Signalling
from e1_driver.testing.probe import Echo

DOWN = (Alarm.LOS, Alarm.AIS, Alarm.LOF)
NEAR_ERRORS = ("crc_errors", "fas_errors", "code_violations")
DAMAGED_FRAMES = ("fcs_errors", "aborts")
LOST_PACKETS = ("packets_lost", "packets_late")
DEAF_SABME = 3                                    # the far end's, each answered and none of ours


class Fault(StrEnum):
    US = "us"
    CABLE = "cable"                               # ours, between the box and the telco's demarcation
    TELCO = "telco"
    FAR_END = "far end"
    NOTHING = "nothing wrong"
    UNKNOWN = "cannot say"


CHAIN = (Fault.US, Fault.CABLE, Fault.TELCO, Fault.FAR_END)


class StepKey(StrEnum):
    """Steps of the guided run."""

    OBSERVE = "observe"
    OWN_LOOP = "own loop"                         # the interface's own: what we send is what we receive
    FAR_LOOP = "far loop"                         # does what we send come back by itself
    PORT_PLUG = "port plug"                       # a loop plug in our own port
    DEMARCATION_PLUG = "demarcation plug"         # a loop plug on our cable where the telco's begins


@dataclass(frozen=True, slots=True)
class Seen:
    """The line during one step."""

    seconds: float
    blocks: int                                   # that came
    alarms: Mapping[Alarm, float]                 # how many of the seconds each stood
    counted: Counters                             # what the counters grew by
    crc4: bool | None = None                      # as last told by LineStatus
    level_db: int | None = None                   # the lowest at which a signal came; None: cannot be told
    liu_faults: Mapping[LiuFault, float] | None = None         # how many of the seconds; None: likewise

    @property
    def down(self) -> Alarm | None:
        """The alarm that took the line down the longest."""
        stood = [alarm for alarm in DOWN if self.alarms.get(alarm)]
        return max(stood, key=lambda alarm: self.alarms[alarm], default=None)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a run has found; what is None or missing was not done."""

    abilities: Abilities
    line: Seen
    signalling: Signalling | None = None
    far_loop: Echo | None = None
    loops: Mapping[StepKey, Result] = field(default_factory=dict)     # what a test over each has found

    def count(self, *names: str) -> int:
        """What those counters grew by that the interface has."""
        return sum(getattr(self.line.counted, name) for name in names if name in self.abilities.counters)

    def tells(self, *names: str) -> bool:
        return self.abilities.counters.issuperset(names)

    @property
    def emulated(self) -> bool:
        """Whether it is a circuit over packets."""
        return self.tells("packets_in")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A finding. `plugs`: where the fault is can be told by loop plugs."""

    key: str
    when: Callable[[Evidence], bool]
    causes: tuple[Fault, ...]
    plugs: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fault` and, where it is not proven, `suspects`: who else it may be, the likeliest first."""

    leaf: str
    fault: Fault
    suspects: tuple[Fault, ...]
    evidence: Evidence
    next_step: StepKey | None                     # what would tell fault and suspects apart

    @property
    def proven(self) -> bool:
        return not self.suspects and self.fault is not Fault.UNKNOWN


def _fails(loop: Result | None) -> bool:
    return loop is not None and not loop.clean


def _down(alarm: Alarm) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.line.down is alarm


def _pair(fault: LiuFault) -> Callable[[Evidence], bool]:
    return lambda evidence: bool(evidence.line.liu_faults and evidence.line.liu_faults.get(fault))


def _weak(evidence: Evidence) -> bool:
    """A level that explains what is lost or wrong; alone it is a long line, and no fault."""
    level_db = evidence.line.level_db
    lost = evidence.line.down in (Alarm.LOS, Alarm.LOF)
    return level_db is not None and level_db <= WEAK_DB and (lost or _near(evidence))


def _stood(alarm: Alarm) -> Callable[[Evidence], bool]:
    return lambda evidence: bool(evidence.line.alarms.get(alarm))


def _signalling(holds: Callable[[Signalling], bool]) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.signalling is not None and holds(evidence.signalling)


def _own_loop(evidence: Evidence) -> bool:
    """An interface that gives no block while nothing comes has not tested its loop."""
    loop = evidence.loops.get(StepKey.OWN_LOOP)
    return loop is not None and loop.seconds > 0 and _fails(loop)


def _no_packets(evidence: Evidence) -> bool:
    return evidence.emulated and not evidence.count("packets_in", "packets_late")


def _clean_code(evidence: Evidence) -> bool:
    return evidence.tells("code_violations") and not evidence.count("code_violations")


def _near(evidence: Evidence) -> bool:
    return evidence.count(*NEAR_ERRORS) > 0


def _far(evidence: Evidence) -> bool:
    return evidence.count("e_bits") > 0


def _damaged(evidence: Evidence) -> bool:
    return evidence.count(*DAMAGED_FRAMES) > 0


def _silent(signalling: Signalling) -> bool:
    return signalling.sabme_sent > 0 and not signalling.answered and not signalling.sabme


def _blind(evidence: Evidence) -> bool:
    """The interface cannot even tell whether a signal comes, and no frame has shown it."""
    return not evidence.abilities.alarms and not (evidence.signalling and evidence.signalling.received)


US, CABLE, TELCO, FAR_END = CHAIN
LEAVES = (
    Leaf("own loop", _own_loop, (US,)),
    Leaf("nothing read", lambda e: not e.line.blocks and e.line.down is None, (US,)),
    Leaf("framer", lambda e: e.count("framer_repairs") > 0, (US,)),
    Leaf("open", _pair(LiuFault.OPEN), (CABLE, TELCO, US), plugs=True),
    Leaf("short", _pair(LiuFault.SHORT), (CABLE, TELCO, US), plugs=True),
    Leaf("ais", _down(Alarm.AIS), (TELCO, FAR_END)),
    Leaf("wrong packets", lambda e: _no_packets(e) and e.count("packets_bad") > 0, (US, FAR_END)),
    Leaf("no packets", lambda e: _no_packets(e) and _down(Alarm.LOS)(e), (CABLE, FAR_END, US)),
    Leaf("weak", _weak, (CABLE, TELCO, US), plugs=True),
    Leaf("los", lambda e: _down(Alarm.LOS)(e) and not e.count(*LOST_PACKETS), (CABLE, TELCO, US), plugs=True),
    Leaf("unframed", lambda e: _down(Alarm.LOF)(e) and _clean_code(e), (TELCO, FAR_END)),
    Leaf("lof", _down(Alarm.LOF), (CABLE, TELCO, US), plugs=True),
    Leaf("not heard", lambda e: e.emulated and _stood(Alarm.RAI)(e), (CABLE, FAR_END, TELCO)),
    Leaf("rai", _stood(Alarm.RAI), (CABLE, US, TELCO), plugs=True),
    Leaf("lomf", _stood(Alarm.LOMF), (FAR_END,)),
    Leaf("packets", lambda e: e.count(*LOST_PACKETS) > 0, (CABLE,)),
    Leaf("errors both ways", lambda e: _near(e) and _far(e), (CABLE, TELCO, US), plugs=True),
    Leaf("errors in", _near, (CABLE, TELCO, US), plugs=True),
    Leaf("errors out", _far, (CABLE, US, TELCO), plugs=True),
    Leaf("far slips", lambda e: e.abilities.clock is Clock.OWN and e.count("slips") > 0, (FAR_END, US)),
    Leaf("slips", lambda e: e.count("slips") > 0, (US,)),
    Leaf("far loop", lambda e: e.far_loop is not None and bool(e.far_loop.looped), (TELCO, FAR_END)),
    Leaf("d loop", _signalling(lambda s: s.looped), (TELCO, FAR_END)),
    Leaf("same side", _signalling(lambda s: s.sabme_same_side > 0 and not s.answered), (US, FAR_END)),
    Leaf("d deaf", _signalling(lambda s: s.sabme >= DEAF_SABME and not s.answered), (FAR_END, TELCO)),
    Leaf("d refused", _signalling(lambda s: s.dm + s.disc > 0 and not s.answered), (FAR_END,)),
    Leaf("d damaged", lambda e: _damaged(e) and bool(e.line.crc4), (FAR_END, TELCO)),
    Leaf("d errors", _damaged, (CABLE, TELCO, US), plugs=True),
    Leaf("blind", _blind, (Fault.UNKNOWN, FAR_END, TELCO, CABLE)),
    Leaf("d silent", _signalling(_silent), (FAR_END,)),
    Leaf("good", lambda e: True, (Fault.NOTHING,)),
)


def decide(evidence: Evidence) -> Verdict:
    """The first leaf that fits, its causes narrowed down by the plugs."""
    leaf = next(leaf for leaf in LEAVES if leaf.when(evidence))
    causes = _narrowed(leaf.causes, evidence) if leaf.plugs else leaf.causes
    next_step = _next_step(causes, evidence) if leaf.plugs and not evidence.emulated else None
    return Verdict(leaf.key, causes[0], causes[1:], evidence, next_step)


def _narrowed(causes: tuple[Fault, ...], evidence: Evidence) -> tuple[Fault, ...]:
    port, demarcation = (evidence.loops.get(key) for key in (StepKey.PORT_PLUG, StepKey.DEMARCATION_PLUG))
    if _fails(port):
        return (Fault.US,)
    cleared = {Fault.US} if port else set()
    if _fails(demarcation):
        cleared.add(Fault.TELCO)
    elif demarcation:
        cleared |= {Fault.US, Fault.CABLE}
    return tuple(cause for cause in causes if cause not in cleared)


def _next_step(causes: tuple[Fault, ...], evidence: Evidence) -> StepKey | None:
    if len(causes) < 2:
        return None
    if Fault.US in causes and StepKey.PORT_PLUG not in evidence.loops:
        return StepKey.PORT_PLUG
    return StepKey.DEMARCATION_PLUG if StepKey.DEMARCATION_PLUG not in evidence.loops else None
