"""Runs every purpose and writes docs/conformance.md: the same input, the same text.

Verdicts: a purpose is met by a side or not. What is not met is said with its reason, from known.txt; a reason
missing there, or given for a purpose that is met, is UNEXPECTED and fails the suite.
"""
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.isdn.call.states import Timers
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from tests.conformance import layer2, layer3
from tests.conformance.purposes import FOLDER, BadRow, Failed, Purpose, load

PAGE = FOLDER.parents[1] / "docs" / "conformance.md"
RUNNERS = {"layer2_*.txt": layer2.run, "layer3_*.txt": layer3.run}
TIMERS = ("t301_s", "t302_s", "t303_s", "t304_s", "t305_s", "t306_s", "t308_s", "t309_s", "t310_s", "t313_s",
          "t314_s", "t316_s", "t317_s", "t322_s", "n303", "n308", "n316", "n322")
NOT_APPLICABLE = (
    ("Q.921 states 1 to 3, TEI assignment and check (5.3), T201, T202, T205, N202, T210",
     "the terminal endpoint identifier of a primary-rate link is fixed: 0"),
    ("Q.921 automatic negotiation of parameters (5.4), data link monitor without T203 (appendix)",
     "parameters are configured; T203 monitors the link"),
    ("Q.921 modulo 8, the short frame formats", "not of an E1 D-channel"),
    ("Q.931 N8", "the network side is active with the CONNECT that it acknowledges; QSIG has it"),
    ("Q.931 U15, U17, N15, N17; 5.6; T307, T318, T319",
     "call rearrangement is for terminals on a passive bus; that it is refused is tested"),
    ("Q.931 N22, T312, several terminals that answer one SETUP (5.2.5 to 5.2.9)",
     "a primary-rate interface is point to point"),
    ("Q.931 basic-rate channel identification (4.5.13)", "primary rate only; what becomes of it is tested"),
    ("Q.931 clause 6, T320, T321; annex F, back-up D-channel",
     "packet mode, and a second D-channel, which one span does not have"),
    ("Q.931 clause 7 (user signalling bearer service), T315, T300", "no such bearer service"),
    ("Q.931 clause 8, several channels for one call", "speech and 3.1 kHz audio only, one channel a call"),
    ("Q.931 annexes but D (symmetric) and H (segments)", "diagrams, examples, other networks and services"),
    ("Supplementary services in Facility (Q.932, EN 300 130, 182, 207, 369; ECMA-164, 165, 176)",
     "tests/isdn/supplementary and the interworking tests"),
)
HEAD = """\
# Conformance

Written by `make conformance`; a change that alters a verdict or a purpose shows here.

Test purposes in the manner of ETSI's abstract test suites (TBR 4; EN 300 402-4 and -7 for layer 2,
EN 300 403-4 and -6 for layer 3, ECMA-143 for QSIG), written from the Recommendations: ITU-T Q.921 (09/97),
Q.931 and Q.850 (05/98). What is expected is the Recommendation's, not what the implementation does; where it
leaves a choice, every choice is good. Each purpose is a row of `tests/conformance/layer2_*.txt` or
`layer3_*.txt` and runs in virtual time against the code that trunkd runs, once for each side that it is for.
The tester sends raw frames and messages and judges from outside: by what is sent, by what the application is
told, and by the call state that STATUS reports; for layer 3 it has a codec of its own. A purpose passes only
if nothing was sent that it does not expect.

- `make conformance` runs all and writes this page.
- `pytest tests/conformance` does the same as tests, and proves that the purposes notice: every cell of the
  tables of layers 2 and 3 is made faulty in turn, and a purpose must fail.
"""
DECLARED = """\
Values that the purposes go by (protocol implementation extra information for testing): seconds; N are counts.
They are those of tables 9-1 and 9-2, but for T310 of the network side: 10 s in table 9-1, whose note lets it
differ for a private network; a PBX that forwards a call is silent for longer.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    purpose: Purpose
    side: Side
    failure: str                                  # empty: passed
    reason: str                                   # from known.txt; empty: none is given

    @property
    def expected(self) -> bool:
        """A failure has its reason, and a reason its failure."""
        return bool(self.failure) is bool(self.reason)


def known() -> dict[str, str]:
    """Id of each purpose that is known to fail: why."""
    reasons: dict[str, str] = {}
    reason = ""
    for line in (FOLDER / "known.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            reason = line[3:].strip()
        elif not line.startswith("#"):
            reasons |= dict.fromkeys(line.split(), reason)
    return reasons


def judge() -> list[Verdict]:
    """Run everything. BadRow: the suite is at fault, not the implementation."""
    reasons, verdicts = known(), []
    for pattern, run in RUNNERS.items():
        for purpose in load(pattern):
            for side in purpose.sides:
                failure = ""
                try:
                    run(purpose, side)
                except Failed as failed:
                    failure = str(failed)
                verdicts.append(Verdict(purpose, side, failure, reasons.get(purpose.id, "")))
    if strays := reasons.keys() - {verdict.purpose.id for verdict in verdicts}:
        raise BadRow(f"known.txt: no purpose is called {', '.join(sorted(strays))}")
    return verdicts


def summary(verdicts: list[Verdict]) -> list[tuple[str, int, int, int, int]]:
    """Group, purposes, verdicts, passed, failed; the groups in their order, then all."""
    groups = list(dict.fromkeys(verdict.purpose.group for verdict in verdicts))
    of = {group: [verdict for verdict in verdicts if verdict.purpose.group == group] for group in groups}
    return [*(_total(group, of[group]) for group in groups), _total("All", verdicts)]


def _total(name: str, verdicts: list[Verdict]) -> tuple[str, int, int, int, int]:
    failed = sum(bool(verdict.failure) for verdict in verdicts)
    purposes = len({verdict.purpose.id for verdict in verdicts})
    return name, purposes, len(verdicts), len(verdicts) - failed, failed


def render(verdicts: list[Verdict]) -> str:
    """The page."""
    totals = summary(verdicts)
    parts = [HEAD, "## Totals\n", *_table(("group", "purposes", "verdicts", "passed", "failed"), (
        (name, *map(str, numbers)) for name, *numbers in totals))]
    parts += ["\n## What fails\n", *_failures(verdicts), "\n## What is declared\n", DECLARED]
    parts += _table(("", *(f"{name} {side.value}" for name in PROFILES for side in Side)), _declared())
    parts += ["\n## What does not apply\n", *_table(("what", "why"), NOT_APPLICABLE)]
    parts += ["\n## Purposes\n", "Sides: U user, N network; FAIL is for the sides named.\n"]
    head = ("id", "clause", "state", "sides", "purpose", "verdict")
    for group, *_ in totals[:-1]:
        rows = _rows([verdict for verdict in verdicts if verdict.purpose.group == group])
        parts += [f"### {group}\n", *_table(head, rows), ""]
    return "\n".join(parts).rstrip() + "\n"


def _failures(verdicts: list[Verdict]) -> list[str]:
    failed = [verdict for verdict in verdicts if verdict.failure]
    lines = []
    for reason in sorted({verdict.reason for verdict in failed}):
        ids = list(dict.fromkeys(verdict.purpose.id for verdict in failed if verdict.reason == reason))
        lines.append(f"- {reason or 'Without a reason given'}: {', '.join(ids)}.")
    return lines or ["Nothing."]


def _declared() -> list[tuple[str, ...]]:
    columns: list[Timers] = [profile.timers[side] for profile in PROFILES.values() for side in Side]
    return [(name.removesuffix("_s").upper(), *(f"{getattr(timers, name):g}" for timers in columns))
            for name in TIMERS]


def _rows(verdicts: list[Verdict]) -> list[tuple[str, ...]]:
    rows: dict[str, tuple[Purpose, list[Verdict]]] = {}
    for verdict in verdicts:
        rows.setdefault(verdict.purpose.id, (verdict.purpose, []))[1].append(verdict)
    return [(purpose.id, purpose.clause, purpose.state, _letters(of), purpose.title, _words(of))
            for purpose, of in rows.values()]


def _words(verdicts: list[Verdict]) -> str:
    failed = [verdict for verdict in verdicts if verdict.failure]
    return f"FAIL {_letters(failed)}" if failed else "pass"


def _letters(verdicts: list[Verdict]) -> str:
    return " ".join(verdict.side.name[0] for verdict in verdicts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines]
