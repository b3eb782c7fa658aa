"""What these pages ask recordd and acdd, and a prompt's sound as a file that every browser plays."""

import io
import wave
from typing import Any

from appliance.bus.client import BusError
from appliance.bus.messages import GetPromptAudio, GetPrompts, GetPromptUses, PromptInfo, PromptUse
from webui.parts import parts

ASK_S = 20.0
SOUND_S = 120.0                                   # a file is read, a text is spoken
MOST_OCTETS = 1 << 20                             # of one answer
HEAD_OCTETS = 58                                  # before the A-law of a prompt's file


def ask(request: Any, timeout_s: float = ASK_S) -> Any:
    return parts().exchange.ask(request, timeout_s)


def prompts() -> tuple[list[PromptInfo], dict[str, str]]:
    """All of them, and what values need."""
    found: list[PromptInfo] = []
    while True:
        reply = ask(GetPrompts(after=found[-1].name if found else ""))
        found += reply.prompts
        if not reply.more:
            return found, reply.needed


def uses(name: str = "") -> dict[str, list[PromptUse]] | None:
    """None: acdd does not answer."""
    try:
        answer: dict[str, list[PromptUse]] = ask(GetPromptUses(name=name)).uses
    except BusError:
        return None
    return answer


def sound(name: str, version: int = 0, draft: str = "") -> tuple[bytes, str]:
    """The A-law file, and its sum. Refused: there is none."""
    whole, sha256 = bytearray(), ""
    while True:
        part = ask(GetPromptAudio(name=name, version=version, draft=draft, at=len(whole),
                                  most_octets=MOST_OCTETS))
        if sha256 and part.sha256 != sha256:      # it was changed meanwhile: from the beginning
            whole, sha256 = bytearray(), ""
            continue
        whole += part.octets
        sha256 = part.sha256
        if len(whole) >= part.total or not part.octets:
            return bytes(whole), sha256


def pcm(file: bytes) -> bytes:
    """An A-law file as 16 bit PCM: not every browser plays the other."""
    import numpy as np  # ten megabytes, for who listens

    from appliance.media import g711
    size = int.from_bytes(file[HEAD_OCTETS - 4:HEAD_OCTETS], "little")
    octets = np.frombuffer(file[HEAD_OCTETS:HEAD_OCTETS + size], np.uint8)
    out = io.BytesIO()
    with wave.open(out, "wb") as written:
        written.setparams((1, 2, 8000, 0, "NONE", ""))
        written.writeframes(g711.decode(octets).astype("<i2").tobytes())
    return out.getvalue()
