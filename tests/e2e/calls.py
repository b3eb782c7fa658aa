"""What tests of calls share: a caller who reaches an agent, and what the box keeps of it."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from appliance.bus.messages import (
    AgentInfo,
    Board,
    ContactInfo,
    GetContacts,
    GetRecording,
    RecordingInfo,
)
from hil_tests.instruments import audio
from hil_tests.instruments.call import Call
from tests.e2e.rig import Rig
from tests.e2e.talk import channels_of, finished, wav_of

HELLO = np.full(800, 0x2A, np.uint8)              # no prompt and no line at rest sounds so
QUIET = audio.silence(0.05)

_numbers = itertools.count(13_800_000_000)


class Talk(NamedTuple):
    caller: Call
    agent: Call


class Recorded(NamedTuple):
    info: RecordingInfo
    left: audio.Octets
    right: audio.Octets


def branchline(rig: Rig, *arguments: str) -> str:
    """What the command prints. AssertionError: it fails."""
    command = [sys.executable, "-m", "appliance.launch", *arguments, "--run-dir", str(rig.run_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def new_number() -> str:
    """A calling number that no other call has."""
    return str(next(_numbers))


def call_in(rig: Rig, digit: str = "1", calling: str | None = None) -> Call:
    """A caller who has been answered and has pressed `digit` during the greeting."""
    caller = rig.telco.place_call(called="5001", calling=new_number() if calling is None else calling)
    caller.answered().dtmf(digit)
    return caller


def ring(rig: Rig, digit: str = "1", calling: str | None = None) -> Talk:
    """The same, and an agent's telephone that rings for it."""
    caller = call_in(rig, digit, calling)
    agent = rig.pbx.wait_for_call()
    agent.alert()
    return Talk(caller, agent)


def talk(rig: Rig, digit: str = "1", calling: str | None = None) -> Talk:
    """The same, answered: the two hear each other and are silent."""
    caller, agent = ring(rig, digit, calling)
    pick_up(caller, agent)
    return Talk(caller, agent)


def pick_up(caller: Call, agent: Call) -> None:
    """The agent answers, says HELLO until the caller hears it, and is silent; returns when that is heard."""
    agent.play(HELLO, repeat=True)
    agent.answer()
    heard_s = caller.wait_to_hear_octets(HELLO)
    agent.silence()
    caller.wait_to_hear_octets(QUIET, from_s=heard_s)


def exchange_sequences(one: Call, other: Call, seed: int, seconds: float = 1.0,
                       within_s: float = 5.0) -> None:
    """Both speak at once; each hears the other octet for octet, in one piece."""
    from_one, from_other = audio.sequence(seed, seconds), audio.sequence(seed + 1, seconds)
    one.play(from_one)
    other.play(from_other)
    other.wait_to_hear_octets(from_one, within_s)
    one.wait_to_hear_octets(from_other, within_s)


def contact_of(rig: Rig, calling: str, state: str = "ended", within_s: float = 5.0) -> ContactInfo:
    """The newest contact with this calling number, once it is in `state`."""
    def newest(contacts: list[ContactInfo]) -> ContactInfo | None:
        return next((contact for contact in contacts if contact.calling == calling), None)

    def there(contacts: list[ContactInfo]) -> bool:
        found = newest(contacts)
        return found is not None and found.state == state

    found = newest(rig.bus.ask_until(GetContacts(), lambda reply: there(reply.contacts), within_s).contacts)
    assert found is not None
    return found


def outcome(contact: ContactInfo) -> tuple[str, str, int]:
    return contact.outcome, contact.ended_by, contact.cause


def wait_recording(rig: Rig, calling: str) -> None:
    """Until the talk of this calling number is being written to its file."""
    talked = contact_of(rig, calling, "talking").segments[-1]
    rig.bus.ask_until(GetRecording(recording=talked.recording), lambda info: info.known)


def recorded(rig: Rig, contact: ContactInfo, folder: Path) -> Recorded:
    """Its one recording, complete, as sox reads it."""
    [recording] = [segment.recording for segment in contact.segments if segment.recording]
    return heard_again(rig, recording, folder)


def heard_again(rig: Rig, recording: str, folder: Path) -> Recorded:
    """A recording, once it is complete, as sox reads it."""
    info = finished(rig, recording)
    return Recorded(info, *channels_of(wav_of(rig.bus, recording, folder), folder))


def agent_info(board: Board, name: str) -> AgentInfo:
    return next(agent for agent in board.agents if agent.name == name)


def wait_agent(rig: Rig, name: str, state: str, within_s: float = 5.0) -> AgentInfo:
    """Until this agent is in `state`."""
    return agent_info(rig.bus.wait_latest(
        Board, lambda board: agent_info(board, name).state == state, within_s), name)


def name_of(rig: Rig, extension: str) -> str:
    """The agent at this extension."""
    board = rig.bus.latest(Board)
    assert board is not None
    return next(agent.name for agent in board.agents if agent.extension == extension)
