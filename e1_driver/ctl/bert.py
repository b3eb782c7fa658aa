"""`e1ctl bert`: a bit error rate test over a line, towards a loop or another tester."""

from dataclasses import asdict

from e1_driver import BEARERS, Block, Counters
from e1_driver.ctl.runner import Line, Part
from e1_driver.ctl.status import Facts, counted, utc
from e1_driver.ctl.table import columns, paragraph, spoken_s
from e1_driver.ctl.terms import COUNTERS
from e1_driver.testing.bert import CONFIDENCE, Bert, Result

PROVEN = 1e-6                                     # what a line has to prove before it is in order
INJECT_AFTER_S = 1.0                              # in step for so long, then the errors that were asked for
REASONS = ("slips", "code_violations", "fas_errors", "crc_errors", "e_bits", "packets_lost", "packets_late",
           "packets_bad")                         # counters that explain errors


def parse_timeslots(text: str) -> tuple[int, ...]:
    """`1-15,17-31`, `7`, `all`: the bearers. ValueError says what is wrong."""
    if text == "all":
        return BEARERS
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash)):
            raise ValueError(f"{part!r} is no timeslot: write 1-15,17-31 or all")
        found += range(int(first), int(last or first) + 1) if int(last or first) <= 31 else (32,)
    if not found or set(found) - set(BEARERS):
        raise ValueError(f"{text}: timeslots are 1-15 and 17-31")
    return tuple(sorted(set(found)))


class Tester(Part):
    """Sends and compares the pattern; injects `inject` single errors once it is in step.

    `before`: the line's counters when the first bit was compared.
    """

    def __init__(self, line: Line, bert: Bert, inject: int = 0) -> None:
        self.bert, self.inject = bert, inject
        self.before = Counters()
        self._line = line
        self._measures = False
        self._in_step_since: float | None = None
        self._injected = False

    def block(self, now: float, received: Block, sent: Block) -> None:
        self.bert.receive(received)
        self.bert.transmit(sent)
        if not self._measures:
            self._measures = self.bert.result().bits > 0
        if not self._measures:
            self.before = self._line.span.counters()

    def tick(self, now: float, unix_s: float) -> None:
        if self._injected or not self.inject:
            return
        if not self.bert.result().in_sync:
            self._in_step_since = None
        elif self._in_step_since is None:
            self._in_step_since = now
        elif now >= self._in_step_since + INJECT_AFTER_S:
            self.bert.inject(self.inject)
            self._injected = True

    def note(self) -> str:
        """How it goes, in a few words."""
        result = self.bert.result()
        return (f"{'in step' if result.in_sync else 'NO PATTERN'}, {result.errors:,} errors in "
                f"{result.bits:,} bits" + (f", {result.slips} slips" if result.slips else ""))


def facts(line: Line, tester: Tester, timeslots: tuple[int, ...], whole: bool) -> Facts:
    """The result of all together, and of each timeslot that has a sequence of its own."""
    result = tester.bert.result()
    return {"command": "bert", "url": line.url, "at": utc(), "loop": line.span.status().loop,
            "clean": clean(result), **_result(result), "confidence": CONFIDENCE,
            "counters": counted(line, since=tester.before),
            "each": [] if whole else [_result(tester.bert.result(timeslot)) for timeslot in timeslots]}


def clean(result: Result) -> bool:
    """In step to the end, and no error but those that we injected."""
    return (result.in_sync and result.bits > 0 and result.errors == result.injected
            and not result.slips and not result.sync_losses)


def _result(result: Result) -> Facts:
    return {**asdict(result), "timeslots": list(result.timeslots), "ber": result.ber,
            "ber_limit": result.ber_limit(), "proof_s": round(result.proof_s(PROVEN), 1)}


def table(facts: Facts, width: int) -> list[str]:
    count = len(facts["timeslots"])
    lines = [facts["url"], ""]
    lines += paragraph("test", f"{facts['pattern']} on {count} timeslot{'s' * (count > 1)}"
                       f", {'each' if facts['each'] else 'as one'}, for {spoken_s(facts['seconds'])}"
                       + (f", {facts['loop']} loop on" if facts["loop"] != "none" else ""), width)
    lines += paragraph("result", _verdict(facts), width)
    if not facts["bits"]:
        return lines
    more = (f"; not above {_ratio(PROVEN)} after {spoken_s(facts['proof_s'])} more without an error"
            if facts["proof_s"] else "")
    lines += paragraph("error ratio", f"{_ratio(facts['ber'])} measured; with {facts['confidence']:.0%} "
                       f"confidence not above {_ratio(facts['ber_limit'])}{more}", width)
    if facts["injected"]:
        lines += paragraph("injected", f"{facts['injected']:,} of these errors were ours", width)
    lines += paragraph("seconds", f"{facts['errored_s']} errored, {facts['severely_errored_s']} severely",
                       width)
    lines += paragraph("slips", f"{facts['slips']} ({facts['slipped_frames']} frames); "
                       f"the pattern was lost {facts['sync_losses']} times", width)
    if facts["delay_ms"] is not None:
        lines += paragraph("delay", f"{facts['delay_ms']:.2f} ms there and back", width)
    if not facts["clean"]:
        lines += paragraph("this end", _reasons(facts["counters"]), width)
    bad = [one for one in facts["each"] if not (one["in_sync"] and one["errors"] == one["slips"] == 0)]
    if bad:
        rows = [(str(one["timeslots"][0]), "yes" if one["in_sync"] else "NO", f"{one['bits']:,}",
                 f"{one['errors']:,}", _ratio(one["ber"]), str(one["slips"])) for one in bad]
        lines += ["", *columns([("timeslot", "in step", "bits", "errors", "ratio", "slips"), *rows],
                               right=(0, 2, 3, 4, 5), width=width)]
    if bad and len(bad) < len(facts["each"]):
        lines += ["the others: no error"]
    return lines


def _verdict(facts: Facts) -> str:
    if not facts["bits"]:
        return "NO PATTERN came back: is there a loop or a tester at the far end?"
    if facts["clean"]:
        return f"no error in {facts['bits']:,} bits" + (" but the injected ones" if facts["injected"] else "")
    return (f"{facts['errors']:,} ERRORS in {facts['bits']:,} bits"
            + ("" if facts["in_sync"] else "; the pattern is not there now"))


def _reasons(counters: Facts) -> str:
    told = [f"{COUNTERS[name][0]} {counters[name]:,}" for name in REASONS if counters[name]]
    return f"counted {', '.join(told)}" if told else "counted nothing: see the far end's counters"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1e}" if ratio else "0"
