"""The verdict: evidence by evidence, every leaf, every text in both languages."""

import re
from dataclasses import replace

import pytest

from e1_driver import WEAK_DB, Abilities, Alarm, Clock, Counters, LiuFault
from e1_driver.testing.bert import Result
from e1_driver.testing.d_channel import Side, Signalling
from e1_driver.testing.probe import Echo
from e1_driver.testing.verdict import CHAIN, LEAVES, Evidence, Fault, Seen, StepKey, Verdict, decide
from e1_driver.testing.verdict_texts import (
    LANGUAGES,
    TEXTS,
    Language,
    cannot_tell,
    headline,
    ranges,
    what_to_do,
    why,
)

US, CABLE, TELCO, FAR_END = CHAIN
LINE = frozenset({"blocks_in", "slips", "fcs_errors", "aborts", "fas_errors", "crc_errors", "e_bits"})
ALL = LINE | {"code_violations"}
PACKETS = frozenset({"blocks_in", "slips", "fcs_errors", "aborts", "packets_in", "packets_lost",
                     "packets_late", "packets_bad"})
TOLD = frozenset(Alarm)

CLEAN = Result("qrss", (1, 2), 10.0, True, 1_280_000, 0, 0, 0, 0, 0, 0, 0, 10.0)
WRONG = replace(CLEAN, errors=3, errored_s=1)
UNTRIED = replace(CLEAN, seconds=0.0, in_sync=False, bits=0, delay_ms=None)
GONE = replace(CLEAN, in_sync=False, bits=0, delay_ms=None)
ANSWERED = Signalling(Side.USER, sabme_sent=1, received=1, ua=1)
SILENT = Signalling(Side.USER, sabme_sent=10)
PORT, DEMARCATION = StepKey.PORT_PLUG, StepKey.DEMARCATION_PLUG


def evidence(
    alarms: dict[Alarm, float] | None = None, counters: frozenset[str] = LINE, told: frozenset[Alarm] = TOLD,
    signalling: Signalling | None = ANSWERED, far_loop: Echo | None = None, blocks: int = 1000,
    loops: dict[StepKey, Result] | None = None, crc4: bool = True, clock: Clock = Clock.LINE,
    level_db: int | None = None, liu: dict[LiuFault, float] | None = None, **counted: int,
) -> Evidence:
    seen = Seen(10.0, blocks, alarms or {}, Counters(**counted), crc4, level_db, liu)
    return Evidence(Abilities(told, counters, clock=clock), seen, signalling, far_loop, loops or {})


LOS, LOF, RAI = {Alarm.LOS: 10.0}, {Alarm.LOF: 10.0}, {Alarm.RAI: 10.0}
LOOPED = Echo((1, 2), (1, 2), (), 30.0)
UNLOOPED = Echo((1, 2), (), (), None)

MATRIX = [                                        # what was found, the leaf, at fault, not ruled out
    (evidence(), "good", Fault.NOTHING, ()),
    (evidence(far_loop=UNLOOPED, loops={StepKey.OWN_LOOP: CLEAN}), "good", Fault.NOTHING, ()),
    (evidence(signalling=None), "good", Fault.NOTHING, ()),
    (evidence(signalling=None, counters=frozenset(), told=frozenset({Alarm.LOS})), "good", Fault.NOTHING, ()),
    # ourselves
    (evidence(LOS, loops={StepKey.OWN_LOOP: WRONG}), "own loop", US, ()),
    (evidence(loops={StepKey.OWN_LOOP: GONE}), "own loop", US, ()),
    (evidence(blocks=0), "nothing read", US, ()),
    (evidence(LOS, counters=ALL | {"framer_repairs"}, framer_repairs=1), "framer", US, ()),
    (evidence(framer_repairs=1), "good", Fault.NOTHING, ()),
    # the line interface
    (evidence(RAI, liu={LiuFault.OPEN: 10.0}), "open", CABLE, (TELCO, US)),
    (evidence(LOS, blocks=0, liu={LiuFault.OPEN: 0.2, LiuFault.SHORT: 9.0}), "open", CABLE, (TELCO, US)),
    (evidence(liu={LiuFault.SHORT: 10.0}), "short", CABLE, (TELCO, US)),
    (evidence(RAI, liu={LiuFault.SHORT: 10.0}, loops={PORT: CLEAN}), "short", CABLE, (TELCO,)),
    (evidence(RAI, liu={LiuFault.OPEN: 10.0}, loops={PORT: GONE}), "open", US, ()),
    (evidence(RAI, liu={}), "rai", CABLE, (US, TELCO)),
    (evidence(crc_errors=3, level_db=WEAK_DB, liu={}), "weak", CABLE, (TELCO, US)),
    (evidence(LOS, level_db=-30, liu={}), "weak", CABLE, (TELCO, US)),
    (evidence(LOF, level_db=-30, liu={}, loops={PORT: CLEAN, DEMARCATION: CLEAN}), "weak", TELCO, ()),
    (evidence(crc_errors=3, level_db=WEAK_DB + 1, liu={}), "errors in", CABLE, (TELCO, US)),
    (evidence(level_db=-30, liu={}), "good", Fault.NOTHING, ()),
    # the signal
    (evidence(LOS, signalling=SILENT), "los", CABLE, (TELCO, US)),
    (evidence(LOS, blocks=0), "los", CABLE, (TELCO, US)),
    (evidence({Alarm.LOS: 0.3}), "los", CABLE, (TELCO, US)),
    (evidence(LOS, loops={PORT: CLEAN}), "los", CABLE, (TELCO,)),
    (evidence(LOS, loops={PORT: GONE}), "los", US, ()),
    (evidence(LOS, loops={PORT: CLEAN, DEMARCATION: CLEAN}), "los", TELCO, ()),
    (evidence(LOS, loops={PORT: CLEAN, DEMARCATION: GONE}), "los", CABLE, ()),
    (evidence(LOS, loops={DEMARCATION: CLEAN}), "los", TELCO, ()),
    (evidence(LOS, loops={DEMARCATION: GONE}), "los", CABLE, (US,)),
    (evidence({Alarm.AIS: 10.0}, signalling=SILENT), "ais", TELCO, (FAR_END,)),
    (evidence({Alarm.AIS: 9.0, Alarm.LOS: 1.0}), "ais", TELCO, (FAR_END,)),
    (evidence({Alarm.AIS: 10.0, Alarm.RAI: 10.0, Alarm.LOF: 10.0}), "ais", TELCO, (FAR_END,)),
    (evidence(LOF), "lof", CABLE, (TELCO, US)),
    (evidence(LOF, ALL, code_violations=7), "lof", CABLE, (TELCO, US)),
    (evidence(LOF, ALL), "unframed", TELCO, (FAR_END,)),
    (evidence(RAI, signalling=SILENT), "rai", CABLE, (US, TELCO)),
    (evidence(RAI, loops={PORT: CLEAN}), "rai", CABLE, (TELCO,)),
    (evidence(RAI, loops={PORT: WRONG}), "rai", US, ()),
    (evidence(RAI, loops={PORT: CLEAN, DEMARCATION: CLEAN}), "rai", TELCO, ()),
    (evidence({Alarm.LOMF: 9.0}, e_bits=0), "lomf", FAR_END, ()),
    # errors
    (evidence(crc_errors=3), "errors in", CABLE, (TELCO, US)),
    (evidence(crc_errors=3, loops={PORT: CLEAN, DEMARCATION: CLEAN}), "errors in", TELCO, ()),
    (evidence(counters=ALL, code_violations=1), "errors in", CABLE, (TELCO, US)),
    (evidence(e_bits=3), "errors out", CABLE, (US, TELCO)),
    (evidence(e_bits=3, loops={PORT: WRONG}), "errors out", US, ()),
    (evidence(e_bits=3, fas_errors=1), "errors both ways", CABLE, (TELCO, US)),
    (evidence(LOS, blocks=0, loops={StepKey.OWN_LOOP: UNTRIED}), "los", CABLE, (TELCO, US)),
    # a circuit over packets
    (evidence(LOS, PACKETS), "no packets", CABLE, (FAR_END, US)),
    (evidence(LOS, PACKETS, packets_bad=1000), "wrong packets", US, (FAR_END,)),
    (evidence(LOS, PACKETS, packets_in=10, packets_lost=990), "packets", CABLE, ()),
    (evidence(LOS, PACKETS, packets_in=1000), "los", CABLE, (TELCO, US)),
    (evidence(RAI, PACKETS, packets_in=1000), "not heard", CABLE, (FAR_END, TELCO)),
    (evidence(counters=PACKETS, packets_in=1000, packets_bad=1), "good", Fault.NOTHING, ()),
    (evidence(counters=PACKETS, packets_lost=2, slips=1), "packets", CABLE, ()),
    (evidence(counters=PACKETS, packets_late=2), "packets", CABLE, ()),
    (evidence(slips=4), "slips", US, ()),
    (evidence(slips=4, clock=Clock.OWN), "far slips", FAR_END, (US,)),
    # a counter that the interface has not got is nothing
    (evidence(counters=PACKETS, crc_errors=9, e_bits=9), "good", Fault.NOTHING, ()),
    # loops that somebody forgot
    (evidence(far_loop=LOOPED, signalling=replace(SILENT, signed_sent=3, signed_back=3)), "far loop", TELCO,
     (FAR_END,)),
    (evidence(far_loop=LOOPED), "far loop", TELCO, (FAR_END,)),
    (evidence(far_loop=UNLOOPED, signalling=replace(SILENT, signed_sent=3, signed_back=3, sabme_same_side=9)),
     "d loop", TELCO, (FAR_END,)),
    # the D-channel
    (evidence(signalling=replace(SILENT, sabme_same_side=9)), "same side", US, (FAR_END,)),
    (evidence(signalling=replace(SILENT, sabme=9, received=9)), "d deaf", FAR_END, (TELCO,)),
    (evidence(signalling=replace(SILENT, dm=9, received=9)), "d refused", FAR_END, ()),
    (evidence(signalling=replace(SILENT, disc=1, received=1)), "d refused", FAR_END, ()),
    (evidence(fcs_errors=5, signalling=SILENT), "d damaged", FAR_END, (TELCO,)),
    (evidence(fcs_errors=5, crc4=False), "d errors", CABLE, (TELCO, US)),
    (evidence(aborts=5, counters=frozenset({"aborts"}), crc4=False, loops={PORT: CLEAN}), "d errors", CABLE,
     (TELCO,)),
    (evidence(signalling=SILENT, far_loop=UNLOOPED), "d silent", FAR_END, ()),
    (evidence(signalling=replace(SILENT, sabme=1, received=1)), "good", Fault.NOTHING, ()),
    # what the interface cannot tell rules out nobody
    (evidence(signalling=SILENT, told=frozenset(), counters=frozenset({"blocks_in"})), "blind", Fault.UNKNOWN,
     (FAR_END, TELCO, CABLE)),
    (evidence(signalling=None, told=frozenset(), counters=frozenset({"blocks_in"})), "blind", Fault.UNKNOWN,
     (FAR_END, TELCO, CABLE)),
]


@pytest.mark.need(12)
@pytest.mark.parametrize(("found", "leaf", "fault", "suspects"), MATRIX)
def test_matrix(found: Evidence, leaf: str, fault: Fault, suspects: tuple[Fault, ...]) -> None:
    verdict = decide(found)
    assert (verdict.leaf, verdict.fault, verdict.suspects) == (leaf, fault, suspects)
    assert verdict.proven == (not suspects)


def test_every_leaf_is_in_the_matrix() -> None:
    assert {leaf for _, leaf, _, _ in MATRIX} == {leaf.key for leaf in LEAVES}


def test_what_would_tell_more() -> None:
    assert decide(evidence(LOS)).next_step is PORT
    assert decide(evidence(LOS, loops={PORT: CLEAN})).next_step is DEMARCATION
    assert decide(evidence(LOS, loops={DEMARCATION: GONE})).next_step is PORT
    assert decide(evidence(LOS, loops={PORT: GONE})).next_step is None
    assert decide(evidence(far_loop=LOOPED)).next_step is None
    assert decide(evidence(LOS, PACKETS, packets_in=1000)).next_step is None, "no plug fits an Ethernet port"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("found", "leaf", "fault", "suspects"), MATRIX)
def test_the_texts_are_whole(
    found: Evidence, leaf: str, fault: Fault, suspects: tuple[Fault, ...], language: Language,
) -> None:
    verdict = decide(found)
    for sentence in (headline(verdict, language), *why(verdict, language), *what_to_do(verdict, language)):
        assert not re.search(r"[{}]|None|\bnan\b", sentence)
        assert bool(re.search("[\u4e00-\u9fff]", sentence)) == (language == "zh")


def test_both_languages_name_the_same_figures() -> None:
    for table, entries in TEXTS.items():
        for key, entry in entries.items():
            figures = [sorted(re.findall(r"{\w+", entry[language])) for language in LANGUAGES]
            assert set(entry) == set(LANGUAGES), (table, key)
            assert set(figures[0]) == set(figures[1]), (table, key)


def said(verdict: Verdict) -> str:
    return " ".join([headline(verdict, "en"), *why(verdict, "en"), *what_to_do(verdict, "en")])


def test_the_figures_are_the_evidence_s() -> None:
    text = said(decide(evidence({Alarm.AIS: 3.5}, crc_errors=12, loops={StepKey.OWN_LOOP: CLEAN})))
    assert "AIS (all ones) was received for 3.5 of 10 s" in text
    assert "CRC-4 errors 12" in text
    assert "qrss on 2 timeslots for 10 s, 1280000 bits, 0 errors; bit error ratio below 2.3e-06" in text
    assert ("This interface cannot tell: code violations, received level, "
            "whether our pair is open or shorted.") in text
    text = said(decide(evidence(LOS, level_db=-17, liu={LiuFault.OPEN: 0.0}, blocks=0)))
    assert "What comes in is weak: -17 dB at its lowest in 10 s" in text
    assert "Received level" not in text
    assert "The pair on which we send is neither open nor shorted." in text
    text = said(decide(evidence(counters=ALL, level_db=-5, liu={LiuFault.OPEN: 3.5})))
    assert "No current flowed in the pair on which we send for 3.5 of 10 s: it is open" in text
    assert "Received level -5 dB at its lowest." in text
    assert "cannot tell" not in text
    assert "neither open" not in text


def test_what_the_interface_cannot_tell_is_said() -> None:
    poor = evidence(told=frozenset({Alarm.LOS}), counters=PACKETS)
    assert cannot_tell(poor, "en") == ["LOF", "LOMF", "AIS", "RAI", "code violations", "frame word errors",
                                       "CRC-4 errors", "E bits"]
    assert "packets lost" not in cannot_tell(evidence(counters=frozenset()), "en")
    assert "CRC-4 errors 0" not in said(decide(poor))


def test_ranges() -> None:
    assert ranges((1, 2, 3, 17, 19, 20)) == "1-3, 17, 19-20"
