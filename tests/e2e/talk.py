"""What is left when a talk is over: its recording, and an idle box."""

import subprocess
from pathlib import Path

import numpy as np

from appliance.bus.messages import (
    GetBoard,
    GetChannels,
    GetRecording,
    OpenRecording,
    ReadRecording,
    RecordingInfo,
)
from hil_tests.instruments import audio
from tests.e2e.observer import Observer
from tests.e2e.rig import Rig

PART_OCTETS = 1 << 20                             # of one answer of recordd's
SOON_S = 10.0                                     # on a busy machine


def finished(rig: Rig, recording: str) -> RecordingInfo:
    """The recording, once it is complete."""
    return rig.bus.ask_until(GetRecording(recording=recording), lambda info: info.finished, SOON_S)


def wav_of(bus: Observer, recording: str, folder: Path) -> Path:
    """Its audio as recordd gives it out."""
    path = folder / f"{recording}.wav"
    opened = bus.ask(OpenRecording(recording=recording, by="test", purpose="listen"))
    with path.open("wb") as file:
        while file.tell() < opened.octets:
            part = bus.ask(ReadRecording(ticket=opened.ticket, at=file.tell(), most_octets=PART_OCTETS))
            assert part.octets
            file.write(part.octets)
    return path


def wait_all_idle(rig: Rig) -> None:
    """Until no contact lives, every channel is idle at the box and at the exchanges, every agent is ready."""
    rig.bus.ask_until(
        GetChannels(), lambda reply: all(
            channel.state == "idle" for span in reply.spans for channel in span.channels), SOON_S)
    rig.bus.ask_until(
        GetBoard(), lambda reply: not reply.board.contacts and all(
            agent.state == "ready" and not agent.contact for agent in reply.board.agents), SOON_S)
    for exchange in (rig.telco, rig.pbx):         # the last message to them may still be under way
        exchange.wait_idle(SOON_S)


def channels_of(path: Path, folder: Path) -> tuple[audio.Octets, audio.Octets]:
    """Left and right of a file as sox reads it."""
    sides = []
    for number in (1, 2):
        out = folder / f"{path.stem}-{number}.al"
        subprocess.run(["sox", "-D", path, "-t", "al", out, "remix", str(number)], check=True)
        sides.append(np.frombuffer(out.read_bytes(), np.uint8))
    return sides[0], sides[1]
