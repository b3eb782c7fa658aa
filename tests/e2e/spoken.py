"""Talks whose audio is known octet for octet, both ways and however long they last, and what came through."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil_tests.instruments import audio
from hil_tests.instruments.call import Call
from tests.e2e.calls import Recorded, talk
from tests.e2e.rig import Rig
from tests.e2e.talk import SOON_S

SAID_S = 7.0                                      # then the same sequence begins again
END_S = 0.25                                      # of a recording: one has hung up, the other not yet
SURE_OCTETS = 160                                 # of a random sequence: nothing else sounds like that

SHORT_FLOW: Mapping[str, Any] = {                 # a key, or one second without it, and the caller is in line
    "language": "en", "start": "menu",
    "nodes": {
        "menu": {"kind": "menu", "prompt": "menu", "digits": {"1": "sales"}, "timeout_s": 1.0, "retries": 0,
                 "default": "sales"},
        "sales": {"kind": "queue", "queue": "sales", "overflow_s": 60.0, "next": "end"},
        "end": {"kind": "hangup"},
    },
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sequence that came unchanged."""

    at: int                                       # octet of what was heard
    octets: int
    turn: int                                     # octet of the sequence that it began with

    @property
    def end(self) -> int:
        return self.at + self.octets


@dataclass(frozen=True, slots=True)
class Hole:
    """Between two pieces: how long nothing right was heard, and how much of what was said is missing."""

    began_s: float                                # in what was heard
    lasted_s: float
    missing_s: float                              # of SAID_S at most

    def of(self, heard: audio.Octets) -> audio.Octets:
        """What was there instead."""
        begin = round(self.began_s * audio.RATE_HZ)
        return heard[begin:begin + round(self.lasted_s * audio.RATE_HZ)]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Both parties say a sequence of their own again and again until they hang up."""

    caller: Call
    agent: Call
    caller_says: audio.Octets
    agent_says: audio.Octets

    def holes(self) -> list[list[Hole]]:
        """In what the caller and what the agent heard until now."""
        return [holes(self.caller.heard(), self.agent_says), holes(self.agent.heard(), self.caller_says)]

    def holes_recorded(self, recorded: Recorded) -> list[list[Hole]]:
        """In the caller's and in the agent's side of the recording."""
        return [holes(recorded.left, self.caller_says, END_S), holes(recorded.right, self.agent_says, END_S)]

    def cut_s(self, recorded: Recorded) -> float:
        """How much more of the caller the agent heard in one piece than the recording has."""
        heard = next(_pieces(self.agent.heard(), self.caller_says))
        kept = next(_pieces(recorded.left, self.caller_says))
        return (heard.octets - kept.octets) / audio.RATE_HZ


def speak(rig: Rig, seed: int) -> Spoken:
    """A caller and an agent of sales who hear each other."""
    caller, agent = talk(rig)
    spoken = Spoken(caller, agent, audio.sequence(2 * seed, SAID_S), audio.sequence(2 * seed + 1, SAID_S))
    caller.play(spoken.caller_says, repeat=True)
    agent.play(spoken.agent_says, repeat=True)
    agent.wait_to_hear_octets(spoken.caller_says[:SURE_OCTETS], SOON_S)
    caller.wait_to_hear_octets(spoken.agent_says[:SURE_OCTETS], SOON_S)
    return spoken


def go_on(*talks: Spoken, seconds: float = 0.4) -> None:
    """Wait until every party's channel was heard for that much longer."""
    parties = [party for one in talks for party in (one.caller, one.agent)]
    for party, until_s in [(party, party.heard_s + seconds) for party in parties]:
        party.wait_to_have_heard(until_s, SOON_S)


def holes(heard: audio.Octets, sequence: audio.Octets, end_s: float = 0.0) -> list[Hole]:
    """Where `sequence`, said again and again, was not heard after its beginning; not in the last `end_s`.

    AssertionError when it was not heard at all.
    """
    found = list(_pieces(heard, sequence))
    assert found, f"nothing of what was said is in {len(heard) / audio.RATE_HZ:.2f} s"
    between = [_hole(one.end, other.at, (other.turn - one.turn - one.octets) % len(sequence))
               for one, other in itertools.pairwise(found)]
    if len(heard) - found[-1].end > end_s * audio.RATE_HZ:
        between.append(_hole(found[-1].end, len(heard), len(heard) - found[-1].end))
    return between


def _hole(begin: int, end: int, missing: int) -> Hole:
    return Hole(begin / audio.RATE_HZ, (end - begin) / audio.RATE_HZ, missing / audio.RATE_HZ)


def _pieces(heard: audio.Octets, sequence: audio.Octets) -> Iterator[Piece]:
    twice = np.concatenate([sequence, sequence[:SURE_OCTETS]])
    at = 0
    while at + SURE_OCTETS <= len(heard):
        turn = audio.find(heard[at:at + SURE_OCTETS], twice)
        if turn < 0:
            at += 1 if heard[at] != audio.IDLE else _idle_octets(heard[at:])
            continue
        expected = np.resize(np.roll(sequence, -turn), len(heard) - at)
        wrong = np.flatnonzero(heard[at:] != expected)
        piece = Piece(at, int(wrong[0]) if len(wrong) else len(expected), turn)
        yield piece
        at = piece.end


def _idle_octets(octets: audio.Octets) -> int:
    """How many it begins with."""
    other = np.flatnonzero(octets != audio.IDLE)
    return int(other[0]) if len(other) else len(octets)
