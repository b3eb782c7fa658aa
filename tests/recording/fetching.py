"""A recording's audio out of recordd, as its users get it: opened by name, read in parts."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from appliance.bus.messages import Form, OpenRecording, ReadRecording, RecordingOpened, RecordingPart

PART_OCTETS = 256 * 1024


async def fetch(ask: Callable[[Any], Awaitable[Any]], recording: str, into: Path, form: Form = "wav") -> Path:
    """The file that it was written to."""
    opened: RecordingOpened = await ask(
        OpenRecording(recording=recording, by="test", purpose="listen", form=form))
    with into.open("wb") as file:
        while file.tell() < opened.octets:
            part: RecordingPart = await ask(ReadRecording(
                ticket=opened.ticket, at=file.tell(), most_octets=PART_OCTETS))
            assert part.octets, f"{recording}: ends after {file.tell()} of {opened.octets} octets"
            file.write(part.octets)
    return into
