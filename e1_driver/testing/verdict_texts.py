"""What the guided run and its verdict say, in English and Chinese: sentences made of texts.toml."""

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Literal

from e1_driver import WEAK_DB, Alarm, LiuFault
from e1_driver.testing.bert import Result
from e1_driver.testing.verdict import (
    DAMAGED_FRAMES,
    LOST_PACKETS,
    NEAR_ERRORS,
    Evidence,
    Fault,
    StepKey,
    Verdict,
)

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

TEXTS: dict[str, dict[str, dict[Language, str]]] = tomllib.loads(
    files("e1_driver.testing").joinpath("texts.toml").read_text("utf-8"))


def text(table: str, key: str, language: Language, **figures: object) -> str:
    """A text of texts.toml with its figures. KeyError: there is none."""
    return TEXTS[table][key][language].format(**figures)


def party_name(fault: Fault, evidence: Evidence, language: Language) -> str:
    """Of one of CHAIN; the cable of an emulated circuit is a network."""
    return text("party", "network" if fault is Fault.CABLE and evidence.emulated else fault, language)


def headline(verdict: Verdict, language: Language) -> str:
    """One sentence: who it is, and who is not ruled out yet."""
    if verdict.fault in (Fault.NOTHING, Fault.UNKNOWN):
        return text("headline", verdict.fault, language)
    party = party_name(verdict.fault, verdict.evidence, language)
    suspects = _listed((party_name(suspect, verdict.evidence, language) for suspect in verdict.suspects),
                       language)
    return text("headline", "likely" if suspects else "one", language, party=party, suspects=suspects)


def why(verdict: Verdict, language: Language) -> list[str]:
    """The reason first, then every fact with its figures, then what the interface cannot tell."""
    figures = _figures(verdict.evidence, language)
    return [text("why", verdict.leaf, language, **figures), *facts(verdict, language)]


def what_to_do(verdict: Verdict, language: Language) -> list[str]:
    """Sentences to act on, or to read to the telco."""
    evidence = verdict.evidence
    if verdict.leaf in TEXTS["do"]:
        sentences = [text("do", verdict.leaf, language, **_figures(evidence, language))]
    elif verdict.suspects and verdict.fault is Fault.CABLE:
        sentences = [text("check_cable", verdict.leaf, language)]
    else:
        sentences = [text("do_plug", verdict.fault, language)]
    if verdict.next_step:
        sentences.append(text("say", "to be sure", language, ask=text("ask", verdict.next_step, language)))
    if not {StepKey.PORT_PLUG, StepKey.DEMARCATION_PLUG}.isdisjoint(evidence.loops):
        sentences.append(text("say", "unplug", language))
    return sentences


def facts(verdict: Verdict, language: Language) -> list[str]:
    """One sentence each; not again the alarm that is the finding."""
    evidence = verdict.evidence
    seen, echo, figures = evidence.line, evidence.far_loop, _figures(evidence, language)
    said = [text("fact", "alarm", language, alarm=alarm.upper(), stood=stood, seconds=seen.seconds)
            for alarm, stood in seen.alarms.items() if stood and alarm != verdict.leaf]
    if evidence.abilities.alarms and not any(seen.alarms.values()):
        said.append(text("fact", "no alarm", language, seconds=seen.seconds))
    counts = _listed((f"{counter[language]} {evidence.count(name)}"
                      for name, counter in TEXTS["counter"].items() if evidence.tells(name)), language)
    if seen.level_db is not None and verdict.leaf != "weak":
        said.append(text("fact", "level", language, **figures))
    if seen.liu_faults is not None and not any(seen.liu_faults.values()):
        said.append(text("fact", "pair", language))
    if counts:
        said.append(text("fact", "counts", language, counts=counts, seconds=seen.seconds))
    if evidence.signalling:
        said.append(text("fact", "d", language, **figures))
    if echo and not echo.looped:
        said.append(text("fact", "no loop", language, count=len(echo.timeslots)))
    if echo and echo.foreign:
        said.append(text("fact", "foreign", language, timeslots=ranges(echo.foreign)))
    said += [_of_loop(text("loop", key, language), bert, language)
             for key, bert in evidence.loops.items()]
    if missing := _listed(cannot_tell(evidence, language), language):
        said.append(text("fact", "cannot tell", language, names=missing))
    return said


def cannot_tell(evidence: Evidence, language: Language) -> list[str]:
    """Names of alarms, line counters and what else this interface does not have."""
    abilities = evidence.abilities
    packets = any(name.startswith("packets") for name in abilities.counters)
    names = [alarm.upper() for alarm in Alarm if alarm not in abilities.alarms] + [
        counter[language] for name, counter in TEXTS["counter"].items()
        if name not in abilities.counters and (packets or not name.startswith("packets"))]
    if evidence.line.liu_faults is None and not evidence.emulated:
        names += [entry[language] for entry in TEXTS["liu"].values()]
    return names


def ranges(timeslots: tuple[int, ...]) -> str:
    """1-15, 17"""
    parts: list[list[int]] = []
    for timeslot in sorted(timeslots):
        if parts and parts[-1][-1] == timeslot - 1:
            parts[-1].append(timeslot)
        else:
            parts.append([timeslot])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def _of_loop(title: str, bert: Result, language: Language) -> str:
    key = "no pattern" if not bert.bits else "bert" if bert.clean else "not sync"
    return text(
        "fact", key, language, title=title, pattern=bert.pattern, count=len(bert.timeslots),
        seconds=bert.seconds, bits=bert.bits, errors=bert.errors, limit=bert.ber_limit() or 1.0,
        delay=bert.delay_ms or 0.0, losses=bert.sync_losses, slips=bert.slips)


def _listed(names: Iterable[str], language: Language) -> str:
    return text("say", "comma", language).join(names)


def _figures(evidence: Evidence, language: Language) -> dict[str, object]:
    """All that a text may name."""
    seen, signalling, echo = evidence.line, evidence.signalling, evidence.far_loop
    side = signalling.side if signalling else "user"
    other = "network" if side == "user" else "user"
    return {
        "seconds": seen.seconds,
        **{f"{alarm}_s": seen.alarms.get(alarm, 0.0) for alarm in Alarm},
        **{f"{fault}_s": (seen.liu_faults or {}).get(fault, 0.0) for fault in LiuFault},
        "repairs": evidence.count("framer_repairs"), "level": seen.level_db, "weak": WEAK_DB,
        "near": evidence.count(*NEAR_ERRORS), "far": evidence.count("e_bits"),
        "slips": evidence.count("slips"),
        "packets": evidence.count(*LOST_PACKETS), "bad": evidence.count("packets_bad"),
        "damaged": evidence.count(*DAMAGED_FRAMES),
        "looped": ranges(echo.looped) if echo else "", "delay": echo.delay_ms or 0.0 if echo else 0.0,
        "side": text("say", side, language), "other_side": text("say", other, language),
        "sabme": signalling.sabme_sent if signalling else 0, "ua": signalling.ua if signalling else 0,
        "dm": signalling.dm if signalling else 0, "disc": signalling.disc if signalling else 0,
        "theirs": signalling.sabme if signalling else 0,
        "same_side": signalling.sabme_same_side if signalling else 0,
        "received": signalling.received if signalling else 0,
    }
