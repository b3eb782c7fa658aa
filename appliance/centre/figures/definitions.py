"""What each figure is: what is counted above the line and below it, whose definition that is, its target.

docs/metrics.md is written from here. A figure of several quarters or names is made from their counts, never
from their figures.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from appliance.centre.choice.history import SHORT_WAIT_S
from appliance.centre.figures.ongoing import AGENT, NODE, QUEUE, TRUNK
from appliance.centre.state import AT_WORK as STATES_AT_WORK
from appliance.store.days import Numbers

MS = 1000.0

Lengths = Sequence[int] | Numbers                 # few in a list, many in an array
Sums = Mapping[str, Lengths]                      # what -> lengths in ms


@dataclass(frozen=True, slots=True)
class Terms:
    """What definitions leave open, as configured."""

    within_ms: int = 20_000                       # of the service level
    short_ms: int = 5_000                         # who hangs up sooner was not kept waiting
    repeat_ms: int = 7 * 86_400_000               # a call after so long is not the same matter


@lru_cache(4096)
def _is_of(kinds: tuple[str, ...], what: str) -> bool:
    return any(what == one or what.startswith(one + "/") for one in kinds)


@dataclass(frozen=True, slots=True)
class Pick:
    """Counts of these kinds, with all that narrows them down; one limit of length, by a name of Terms."""

    what: tuple[str, ...]
    upto: str = ""                                # no longer
    over: str = ""                                # longer
    under: str = ""                               # shorter
    least: str = ""                               # no shorter

    def takes(self, what: str) -> bool:
        return _is_of(self.what, what)

    def bounds(self, terms: Terms) -> tuple[int, float] | None:
        """Least and most length in ms; None: any."""
        if self.upto or self.under:
            return 0, getattr(terms, self.upto) if self.upto else getattr(terms, self.under) - 1
        if self.over or self.least:
            return getattr(terms, self.over) + 1 if self.over else getattr(terms, self.least), math.inf
        return None

    def fits(self, for_ms: int, terms: Terms) -> bool:
        bounds = self.bounds(terms)
        return bounds is None or bounds[0] <= for_ms <= bounds[1]

    def lengths(self, sums: Sums, terms: Terms) -> Iterator[Lengths]:
        """Those of each kind."""
        bounds = self.bounds(terms)
        least, most = bounds or (0, math.inf)
        for what, lengths in sums.items():
            if not self.takes(what):
                continue
            if bounds is None:
                yield lengths
            elif isinstance(lengths, np.ndarray):
                yield lengths[(lengths >= least) & (lengths <= most)]
            else:
                yield [one for one in lengths if least <= one <= most]


@dataclass(slots=True)
class Tally:
    """All that counts of one name in one time."""

    clock_ms: int                                 # how long that time is
    sums: Sums = field(default_factory=dict)
    called_again: int = 0                         # of those below
    callers: int = 0                              # who were answered, and whose number is known
    levels_ms: dict[int, int] = field(default_factory=dict)          # calls of a trunk at a time -> how long
    channels: int = 0                             # of the trunk; 0: not known


@dataclass(frozen=True, slots=True)
class Ratio:
    """`value`: None where there is nothing to divide by. Times are in s."""

    value: float | None
    top: float
    bottom: float


Special = Callable[[Tally, Terms, "Figure"], Ratio]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`top` over `bottom`; () : there is none, it is a number. `time_*`: their times are added up, in s."""

    name: str
    of: str
    zh: str
    en: str
    unit: str                                     # share, s, or what is counted
    top: tuple[Pick, ...]
    bottom: tuple[Pick, ...] = ()
    time_top: bool = False
    time_bottom: bool = False
    special: Special | None = None
    formula: str = ""                             # of a special one
    note: str = ""                                # what counts and what not
    whose: str = ""
    target: str = ""                              # a key of centre.targets
    least: bool = True                            # the target is a least; else a most

    def ratio(self, tally: Tally, terms: Terms) -> Ratio:
        if self.special is not None:
            return self.special(tally, terms, self)
        top = _value(self.top, tally, terms, self.time_top)
        if not self.bottom:
            return Ratio(top, top, 1.0)
        bottom = _value(self.bottom, tally, terms, self.time_bottom)
        return Ratio(top / bottom if bottom else None, top, bottom)


def _value(picks: Iterable[Pick], tally: Tally, terms: Terms, time: bool) -> float:
    found = (lengths for pick in picks for lengths in pick.lengths(tally.sums, terms))
    return sum(map(total_ms, found)) / MS if time else float(sum(map(len, found)))


def total_ms(lengths: Lengths) -> int:
    return int(lengths.sum()) if isinstance(lengths, np.ndarray) else sum(lengths)


def _all(picks: Iterable[Pick], tally: Tally, terms: Terms) -> Numbers:
    found = [np.asarray(lengths, np.int64) for pick in picks for lengths in pick.lengths(tally.sums, terms)]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _longest(tally: Tally, terms: Terms, figure: Figure) -> Ratio:
    lengths = _all(figure.top, tally, terms)
    most_s = int(lengths.max()) / MS if lengths.size else None
    return Ratio(most_s, most_s or 0.0, 1.0)


def _quantile(share: float) -> Special:
    def of(tally: Tally, terms: Terms, figure: Figure) -> Ratio:
        lengths = _all(figure.top, tally, terms)
        place, count = max(0, math.ceil(share * lengths.size) - 1), lengths.size
        value = int(np.partition(lengths, place)[place]) / MS if count else None
        return Ratio(value, share * count, float(count))
    return of


def _estimates(choose: Callable[[NDArray[np.float64], NDArray[np.float64]], float]) -> Special:
    def of(tally: Tally, terms: Terms, figure: Figure) -> Ratio:
        """choose: of what was told and what was waited, in s."""
        told, waited = (np.asarray(tally.sums.get(what, ()), np.int64) for what in ("told", "waited"))
        value = float(choose(told / MS, waited / MS)) if told.size else None
        return Ratio(value, int(told.sum()) / MS, int(waited.sum()) / MS)
    return of


def _solved(tally: Tally, terms: Terms, figure: Figure) -> Ratio:
    top = float(tally.callers - tally.called_again)
    return Ratio(top / tally.callers if tally.callers else None, top, float(tally.callers))


def _erlangs(tally: Tally, terms: Terms, figure: Figure) -> Ratio:
    top, clock_s = _value(figure.top, tally, terms, True), tally.clock_ms / MS
    return Ratio(top / clock_s if clock_s else None, top, clock_s)


def _peak(tally: Tally, terms: Terms, figure: Figure) -> Ratio:
    peak = max((level for level, for_ms in tally.levels_ms.items() if for_ms), default=None)
    return Ratio(peak, float(peak or 0), float(tally.channels))


def _all_busy(tally: Tally, terms: Terms, figure: Figure) -> Ratio:
    if not tally.channels:
        return Ratio(None, 0.0, tally.clock_ms / MS)
    full_s = sum(for_ms for level, for_ms in tally.levels_ms.items() if level >= tally.channels) / MS
    return Ratio(full_s, full_s, tally.clock_ms / MS)


def _error_share(told_s: NDArray[np.float64], waited_s: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(told_s - waited_s) / np.maximum(waited_s, SHORT_WAIT_S)))


# --- what is counted

ANSWERED = Pick(("answered",))
IN_TIME = Pick(("answered",), upto="within_ms")
ABANDONED = Pick(("abandoned",))
ABANDONED_IN_TIME = Pick(("abandoned",), upto="within_ms")
ABANDONED_LATE = Pick(("abandoned",), over="within_ms")
SHORT = Pick(("abandoned/hung up",), under="short_ms")
KEPT_WAITING = Pick(("abandoned/hung up",), least="short_ms")
TURNED_AWAY = Pick(("abandoned/turned away",))
WENT_ELSEWHERE = Pick(("overflowed", "left", "failed"))
WAITING = Pick(("waiting",))
WAITING_LATE = Pick(("waiting",), over="within_ms")
DECIDED = (ANSWERED, ABANDONED, WENT_ELSEWHERE)
OFFERED = (*DECIDED, WAITING)
JUDGED = (*DECIDED, WAITING_LATE)
BUT_SHORT = (ANSWERED, KEPT_WAITING, TURNED_AWAY, WENT_ELSEWHERE)

OF_QUEUES = ("queue", "transfer", "callback")    # an agent's part of a contact
TALKS = Pick(tuple(f"talk/{how}" for how in OF_QUEUES))
HOLDS = Pick(tuple(f"hold/{how}" for how in OF_QUEUES))
WRAP_UPS = Pick(tuple(f"wrap-up/{how}" for how in OF_QUEUES))
GIVEN = Pick(tuple(f"transferred/{how}" for how in OF_QUEUES))
REACHED = Pick(("callback/reached",))
RATED = Pick(("rated",))
CONTENT = Pick(("rated/4", "rated/5"))
AT_WORK = Pick(tuple(f"state/{state}" for state in STATES_AT_WORK))
READY = Pick(("state/ready",))
PAUSED = Pick(("state/not-ready",))
UNREACHABLE = Pick(("state/unreachable",))
LOGGED_IN = (AT_WORK, READY, PAUSED, UNREACHABLE)
BUSY = Pick(("busy",))
STAYS = Pick(("by", "hung up", "ended", "answered", "forward"))


def _work(of: str) -> tuple[Figure, ...]:
    """Of queue and agent alike: each agent's part of a contact counts by itself."""
    rule = ("the parts that agents had of contacts of a queue: brought by it, called back for it, or "
            "transferred to them; consulted and supervising agents are not among them")
    return (
        Figure(name="handled", of=of, zh="处理量", en="handled", unit="contacts", top=(TALKS,), note=rule,
               whose="Genesys tHandle counts an agent's part, too"),
        Figure(name="talk_s", of=of, zh="平均通话时长", en="talk", unit="s", top=(TALKS,), time_top=True,
               bottom=(TALKS,), note="from the answer; no ringing, no waiting, no hold"),
        Figure(name="hold_s", of=of, zh="平均保持时长", en="hold", unit="s", top=(HOLDS,), time_top=True,
               bottom=(TALKS,), note="the customer hears music, also while the agent consults"),
        Figure(name="wrap_up_s", of=of, zh="平均话后处理时长", en="wrap-up", unit="s", top=(WRAP_UPS,),
               time_top=True, bottom=(TALKS,), note="once for each part, as long as it really was"),
        Figure(name="aht_s", of=of, zh="平均处理时长", en="AHT", unit="s", top=(TALKS, HOLDS, WRAP_UPS),
               time_top=True, bottom=(TALKS,), target="aht_s", least=False,
               note="talk + hold + wrap-up; an agent's part ends for him when he gives the contact away",
               whose="common: Genesys, COPC; some leave hold out"),
        Figure(name="transferred", of=of, zh="转接量", en="transferred", unit="contacts", top=(GIVEN,),
               note="blind, attended, left to somebody in a conference; also when nobody took it in the end"),
        Figure(name="transfer_rate", of=of, zh="转接率", en="transfer rate", unit="share", top=(GIVEN,),
               bottom=(TALKS,), target="transfer_percent", least=False),
        Figure(name="fcr", of=of, zh="首次解决率", en="FCR", unit="share", top=(ANSWERED,),
               bottom=(ANSWERED,), special=_solved,
               formula="answered, no call of that number within N days after / answered",
               note="contacts whose number is known; a later contact counts in whatever queue it waits. "
                    "Until N days have passed it can still fall", whose="repeat-call method, COPC",
               target="fcr_percent"),
        Figure(name="satisfaction", of=of, zh="客户满意度", en="satisfaction", unit="share", top=(CONTENT,),
               bottom=(RATED,), target="satisfaction_percent",
               note="answers to questions of after-call surveys, when they were given"),
    )


QUEUE_FIGURES = (
    Figure(name="offered", of=QUEUE, zh="呼入排队量", en="offered", unit="contacts", top=OFFERED,
           note="who joined the queue, whatever came of it: answered + abandoned + overflowed + left + "
                "failed + waiting. In all queues together a contact counts once"),
    Figure(name="answered", of=QUEUE, zh="接听量", en="answered", unit="contacts", top=(ANSWERED,)),
    Figure(name="abandoned", of=QUEUE, zh="放弃量", en="abandoned", unit="contacts", top=(ABANDONED,),
           note="hung up in line, or turned away: left the queue because nobody served it, it was full or "
                "the wait too long, and reached nobody and nothing after it"),
    Figure(name="short_abandoned", of=QUEUE, zh="短时放弃量", en="short abandoned", unit="contacts",
           top=(SHORT,), note="hung up sooner than centre.targets.short_abandon_s; they are among abandoned"),
    Figure(name="turned_away", of=QUEUE, zh="系统挂断量", en="turned away", unit="contacts",
           top=(TURNED_AWAY,), note="by the box; they are among abandoned"),
    Figure(name="overflowed", of=QUEUE, zh="溢出量", en="overflowed", unit="contacts",
           top=(Pick(("overflowed",)),), note="to another queue, a forward, a person",
           whose="Genesys flow-out, Vonage breakout"),
    Figure(name="left", of=QUEUE, zh="自助离队量", en="left", unit="contacts", top=(Pick(("left",)),),
           note="by the caller's choice of another way: a digit, a message, a callback"),
    Figure(name="callbacks", of=QUEUE, zh="预约回呼量", en="callbacks", unit="contacts",
           top=(Pick(("left/callback",)),), note="they are among left"),
    Figure(name="callbacks_reached", of=QUEUE, zh="回呼成功量", en="called back", unit="contacts",
           top=(REACHED,), note="customer and agent have talked; counts when it was promised, and is not "
                                "among offered and answered: nobody waited on the line"),
    Figure(name="callbacks_share", of=QUEUE, zh="回呼成功率", en="called back", unit="share", top=(REACHED,),
           bottom=(Pick(("callback",)),), note="of those that are over"),
    Figure(name="callback_wait_s", of=QUEUE, zh="回呼等待", en="wait for a callback", unit="s",
           top=(REACHED,), time_top=True, bottom=(REACHED,), note="from the promise to the talk"),
    Figure(name="failed", of=QUEUE, zh="故障量", en="failed", unit="contacts", top=(Pick(("failed",)),),
           note="the line or the box failed while they waited"),
    Figure(name="waiting", of=QUEUE, zh="排队中", en="waiting", unit="contacts", top=(WAITING,),
           note="at the end of the time asked for, if that is now"),
    Figure(name="answered_share", of=QUEUE, zh="接通率", en="answer rate", unit="share", top=(ANSWERED,),
           bottom=OFFERED, target="answered_percent"),
    Figure(name="service_level", of=QUEUE, zh="服务水平", en="service level", unit="share", top=(IN_TIME,),
           bottom=(*BUT_SHORT, WAITING_LATE), target="service_level",
           note="the box's own: short abandons are left out; who waits and is not late yet is not judged",
           whose="Vonage with breakouts, RingCentral with abandons; Cisco: negative, with its abandon timer"),
    Figure(name="service_level_offered", of=QUEUE, zh="服务水平(对排队量)", en="SL of offered", unit="share",
           top=(IN_TIME,), bottom=JUDGED, whose="Cisco UCCE: abandons negative"),
    Figure(name="service_level_answered", of=QUEUE, zh="服务水平(对接听量)", en="SL of answered",
           unit="share", top=(IN_TIME,), bottom=(ANSWERED,), note="abandons do not count at all",
           whose="Asterisk ServicelevelPerf"),
    Figure(name="service_level_both", of=QUEUE, zh="服务水平(接听加放弃)", en="SL with abandons",
           unit="share", top=(IN_TIME, ABANDONED_IN_TIME), bottom=(ANSWERED, ABANDONED),
           whose="Asterisk ServicelevelPerf2"),
    Figure(name="service_level_positive", of=QUEUE, zh="服务水平(放弃计入达标)", en="SL, abandons positive",
           unit="share", top=(IN_TIME, ABANDONED_IN_TIME), bottom=JUDGED, whose="Cisco UCCE: positive"),
    Figure(name="service_level_ignored", of=QUEUE, zh="服务水平(不计阈值内放弃)", en="SL, abandons ignored",
           unit="share", top=(IN_TIME,), bottom=(ANSWERED, ABANDONED_LATE, WENT_ELSEWHERE, WAITING_LATE),
           whose="Cisco UCCE: ignored"),
    Figure(name="service_level_stayed", of=QUEUE, zh="服务水平(不计溢出)", en="SL without flow-outs",
           unit="share", top=(IN_TIME,), bottom=(ANSWERED, ABANDONED), whose="Genesys Cloud default"),
    Figure(name="abandonment", of=QUEUE, zh="放弃率(呼损率)", en="abandonment", unit="share",
           top=(ABANDONED,), bottom=OFFERED, target="abandonment_percent", least=False, whose="Genesys"),
    Figure(name="abandonment_long", of=QUEUE, zh="放弃率(不计短时)", en="adjusted abandonment", unit="share",
           top=(KEPT_WAITING, TURNED_AWAY), bottom=(*BUT_SHORT, WAITING),
           note="short abandons are out of both sides", whose="PressOne"),
    Figure(name="asa_s", of=QUEUE, zh="平均应答速度", en="ASA", unit="s", top=(ANSWERED,), time_top=True,
           bottom=(ANSWERED,), target="asa_s", least=False,
           note="from joining the queue to the talk, ringing included, the flow before it not",
           whose="common: Avaya, Genesys"),
    Figure(name="abandon_wait_s", of=QUEUE, zh="平均放弃前等待", en="wait of abandons", unit="s",
           top=(ABANDONED,), time_top=True, bottom=(ABANDONED,)),
    Figure(name="longest_wait_s", of=QUEUE, zh="最长等待", en="longest wait", unit="s", top=OFFERED,
           special=_longest, formula="most of the waits of offered", note="also of those who still wait"),
    Figure(name="wait_90_s", of=QUEUE, zh="等待时长90分位", en="wait, 90 %", unit="s", top=(ANSWERED,),
           special=_quantile(0.9), formula="90 % of answered waited no longer"),
    *_work(QUEUE),
    Figure(name="ewt_error_s", of=QUEUE, zh="预计等待误差", en="EWT error", unit="s",
           top=(Pick(("told",)),), bottom=(Pick(("waited",)),),
           special=_estimates(lambda told, came: float(np.median(np.abs(told - came)))),
           formula="median of |expected at joining - wait|", note="answered contacts for whom there was one"),
    Figure(name="ewt_error_share", of=QUEUE, zh="预计等待误差率", en="EWT error, of the wait", unit="share",
           top=(Pick(("told",)),), bottom=(Pick(("waited",)),), special=_estimates(_error_share),
           formula="median of |expected at joining - wait| / wait", target="ewt_error_percent", least=False,
           note="a wait of less than 1 s counts as 1 s"),
    Figure(name="ewt_bias_s", of=QUEUE, zh="预计等待偏差", en="EWT bias", unit="s",
           top=(Pick(("told",)),), bottom=(Pick(("waited",)),),
           special=_estimates(lambda told, came: float(np.mean(told - came))),
           formula="mean of expected at joining - wait", note="above 0: too much was expected"),
)

AGENT_FIGURES = (
    Figure(name="rung", of=AGENT, zh="振铃量", en="rung", unit="rings", top=(Pick(("rung",)),),
           note="the telephone rang, or was to ring, for a contact"),
    Figure(name="taken", of=AGENT, zh="应答量", en="taken", unit="rings", top=(Pick(("rung/answered",)),)),
    Figure(name="taken_share", of=AGENT, zh="应答率", en="answer rate", unit="share",
           top=(Pick(("rung/answered",)),), bottom=(Pick(("rung",)),)),
    *_work(AGENT),
    Figure(name="out_calls", of=AGENT, zh="呼出量", en="outbound", unit="calls", top=(Pick(("dial/out",)),)),
    Figure(name="out_answered", of=AGENT, zh="呼出接通量", en="outbound answered", unit="calls",
           top=(Pick(("talk/out",)),)),
    Figure(name="out_talk_s", of=AGENT, zh="呼出平均通话时长", en="outbound talk", unit="s",
           top=(Pick(("talk/out",)),), time_top=True, bottom=(Pick(("talk/out",)),)),
    Figure(name="internal_calls", of=AGENT, zh="内部通话量", en="internal", unit="calls",
           top=(Pick(("dial/internal",)),), note="to a telephone of the same trunk"),
    Figure(name="consulted", of=AGENT, zh="协助量", en="helped", unit="contacts",
           top=(Pick(("talk/consult", "talk/conference")),), note="consulted or invited by another agent"),
    Figure(name="logged_in_s", of=AGENT, zh="登录时长", en="logged in", unit="s", top=LOGGED_IN,
           time_top=True),
    Figure(name="ready_s", of=AGENT, zh="空闲时长", en="ready", unit="s", top=(READY,), time_top=True),
    Figure(name="at_work_s", of=AGENT, zh="工作时长", en="at work", unit="s", top=(AT_WORK,), time_top=True,
           note="from being chosen for a contact to the end of wrap-up"),
    Figure(name="not_ready_s", of=AGENT, zh="示忙时长", en="not ready", unit="s", top=(PAUSED,),
           time_top=True, note="each reason is in the table below the agent"),
    Figure(name="occupancy", of=AGENT, zh="占用率", en="occupancy", unit="share", top=(AT_WORK,),
           time_top=True, bottom=(AT_WORK, READY), time_bottom=True, target="occupancy_percent", least=False,
           note="pauses and times at which the telephone could not be reached are out of both sides",
           whose="common: handling / (handling + available)"),
    Figure(name="utilisation", of=AGENT, zh="工时利用率", en="utilisation", unit="share", top=(AT_WORK,),
           time_top=True, bottom=LOGGED_IN, time_bottom=True, note="of all logged-in time, pauses included"),
)

TRUNK_FIGURES = (
    Figure(name="in_calls", of=TRUNK, zh="呼入量", en="inbound", unit="calls", top=(Pick(("in",)),)),
    Figure(name="in_answered", of=TRUNK, zh="呼入接通量", en="inbound answered", unit="calls",
           top=(Pick(("in/answered",)),), note="the box answered, a flow or an agent"),
    Figure(name="out_calls", of=TRUNK, zh="呼出量", en="outbound", unit="calls", top=(Pick(("out",)),),
           note="rings of agents' telephones, too, on their trunk"),
    Figure(name="out_answered", of=TRUNK, zh="呼出接通量", en="outbound answered", unit="calls",
           top=(Pick(("out/answered",)),)),
    Figure(name="blocked", of=TRUNK, zh="中继全忙量", en="blocked", unit="calls",
           top=(Pick(("out/blocked",)),),
           note="ours that found no free channel (causes 34, 44). Calls that the exchange blocks never come "
                "to the box: all_busy_s says when that could be"),
    Figure(name="blocked_share", of=TRUNK, zh="中继全忙率", en="blocked", unit="share",
           top=(Pick(("out/blocked",)),), bottom=(Pick(("out",)),)),
    Figure(name="erlangs", of=TRUNK, zh="话务量(爱尔兰)", en="traffic", unit="Erl", top=(BUSY,),
           special=_erlangs, formula="time of all calls / the time asked for", whose="ITU-T E.600"),
    Figure(name="peak", of=TRUNK, zh="并发峰值", en="peak", unit="calls", top=(BUSY,), special=_peak,
           formula="most calls at a time"),
    Figure(name="all_busy_s", of=TRUNK, zh="中继全忙时长", en="all trunks busy", unit="s", top=(BUSY,),
           special=_all_busy, formula="time at which every channel of the trunk had a call",
           whose="Avaya CMS: all trunks busy"),
)

NODE_FIGURES = (
    Figure(name="entered", of=NODE, zh="进入量", en="entered", unit="times", top=(STAYS, Pick(("here",)))),
    Figure(name="hung_up", of=NODE, zh="在此挂断量", en="hung up here", unit="times",
           top=(Pick(("hung up",)),), note="the caller did; each way out is in the table below the node"),
    Figure(name="hung_up_share", of=NODE, zh="在此挂断率", en="hung up here", unit="share",
           top=(Pick(("hung up",)),), bottom=(STAYS,)),
    Figure(name="here", of=NODE, zh="停留中", en="here now", unit="times", top=(Pick(("here",)),)),
    Figure(name="stay_s", of=NODE, zh="平均停留时长", en="stay", unit="s", top=(STAYS,), time_top=True,
           bottom=(STAYS,)),
)

FIGURES: Mapping[str, tuple[Figure, ...]] = {
    QUEUE: QUEUE_FIGURES, AGENT: AGENT_FIGURES, TRUNK: TRUNK_FIGURES, NODE: NODE_FIGURES}


def figure(of: str, name: str) -> Figure | None:
    return next((one for one in FIGURES.get(of, ()) if one.name == name), None)
