"""recordd's answers about prompts with a folder of them, for tests."""

import io
import secrets
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from appliance.bus.client import BusError
from appliance.bus.messages import KeepPrompt, PromptUse, PromptUses, UploadPrompt
from appliance.config.sources import SpeechConfig
from appliance.media import g711
from appliance.media.prompts import Library, wav
from appliance.recording.daemon import carry_out
from appliance.recording.prompts import drafts
from tests.recording.vault.box import Box


def tone(hz: float, seconds: float = 1.0, peak: float = 8000.0) -> g711.Octets:
    at = np.arange(round(seconds * 8000)) / 8000
    return g711.encode((np.sin(2 * np.pi * hz * at) * peak).astype(np.int16))


def hz_of(octets: Any) -> int:
    samples = g711.decode(np.frombuffer(octets, np.uint8)).astype(float)
    return round(np.abs(np.fft.rfft(samples)).argmax() * 8000 / samples.size)


def pcm(hz: float, seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        at = np.arange(round(seconds * 16000)) / 16000
        out.writeframes((np.sin(2 * np.pi * hz * at) * 3000).astype("<i2").tobytes())
    return file.getvalue()


class Desk:
    """recordd's answers, and a folder of prompts."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box, self.folder = box, folder
        self.uses: dict[str, list[PromptUse]] | None = {}
        box.parts.config = cast(Any, SimpleNamespace(media=SimpleNamespace(
            prompts=str(folder), currency="CNY", speech=SpeechConfig())))
        box.parts.ask = cast(Any, self._uses)

    def _uses(self, request: Any, timeout_s: float = 2.0) -> PromptUses:
        if self.uses is None:
            raise BusError("acdd is not there")
        return PromptUses(uses=self.uses)

    def ask(self, request: Any) -> Any:
        return carry_out(self.box.parts, request)

    def there(self, name: str, octets: g711.Octets) -> None:
        """As somebody else puts it there."""
        place = self.folder / f"{name}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(wav(octets))

    def bring(self, octets: bytes) -> str:
        upload = secrets.token_hex(16)
        for at in range(0, len(octets), 48 * 1024):
            piece = octets[at:at + 48 * 1024]
            self.ask(UploadPrompt(upload=upload, at=at, total=len(octets), octets=piece))
        return upload

    def draft(self, hz: float) -> str:
        """Of a tone; made without the program that reads files, which takes its time."""
        return self.box.parts.prompts.keep(drafts.Draft(tone(hz), "uploaded", "", self.box.clock[0]))

    def put(self, name: str, hz: float) -> int:
        return int(self.ask(KeepPrompt(by="ann", name=name, draft=self.draft(hz))).version)

    def hz(self, name: str) -> int:
        return hz_of(Library(self.folder).get(name).octets)

    def ask_length(self, name: str) -> int:
        """Octets that a caller hears."""
        return int(Library(self.folder).get(name).octets.size)
