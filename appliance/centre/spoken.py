"""Texts spoken by an engine, kept as A-law files so that each is spoken once."""

import asyncio
import hashlib
import json
import os
import time
from pathlib import Path

from appliance.centre.flow.expressions import fill
from appliance.config.sources import SpeechConfig
from appliance.media import speaking
from appliance.media.fragments import FOLDER, SUFFIX
from appliance.media.speaking import CannotSpeak

TEXT_MOST = 2000                                  # characters
_SOUND_OCTETS = 64 * 1024 * 1024                  # of what an engine gives


class Spoken:
    """Files are named by engine, voice and text: what is there is right for ever."""

    def __init__(self, folder: Path, config: SpeechConfig) -> None:
        self._folder, self._config = folder, config
        self._running = asyncio.Semaphore(config.at_once)
        self._made: dict[str, asyncio.Lock] = {}

    async def fragment(self, text: str, language: str) -> str:
        """What plays the text. CannotSpeak. Cancel it when it takes too long: the engine is killed."""
        text = " ".join(text.split())
        if not text or len(text) > TEXT_MOST:
            raise CannotSpeak(f"a text of {len(text)} characters: 1 to {TEXT_MOST} are spoken")
        command = self._command(language)
        name = hashlib.sha256(json.dumps([*command, speaking.LEVEL_DBM0, text]).encode()).hexdigest()[:32]
        path = self._folder / f"{name}{SUFFIX}"
        async with self._made.setdefault(name, asyncio.Lock()):      # once, however many wait for it
            try:
                if not _touched(path):
                    async with self._running:
                        sound = await self._speak(command, text)
                    await asyncio.to_thread(self._keep, path, await asyncio.to_thread(_prompt, sound))
            finally:
                self._made.pop(name, None)
        return f"{FOLDER}:{name}"

    def _command(self, language: str) -> tuple[str, ...]:
        if not self._config.command:
            return speaking.command(language)
        voices = {str(one): name for one, name in self._config.voices.items()}
        filled = {"voice": voices.get(language, language), "language": language}
        return tuple(fill(word, filled) for word in self._config.command)

    async def _speak(self, command: tuple[str, ...], text: str) -> bytes:
        given = text.encode() if self._config.command else speaking.document([text])
        try:
            engine = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL)
        except OSError as error:
            raise CannotSpeak(f"{command[0]}: {error.strerror}") from None
        try:
            sound, _ = await engine.communicate(given)
        finally:
            if engine.returncode is None:
                engine.kill()
                await engine.wait()
        if engine.returncode:
            raise CannotSpeak(f"{command[0]}: exit code {engine.returncode}")
        if len(sound) > _SOUND_OCTETS:
            raise CannotSpeak(f"{command[0]}: more than {_SOUND_OCTETS // 1024**2} MiB of sound")
        return sound

    def _keep(self, path: Path, octets: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}")
            new.write_bytes(octets)
            new.replace(path)
            self._make_room()
        except OSError as error:
            raise CannotSpeak(f"{path}: {error.strerror}") from None

    def _make_room(self) -> None:
        """Those that were not heard for longest go."""
        files = sorted(((file.stat(), file) for file in self._folder.glob(f"*{SUFFIX}")),
                       key=lambda one: one[0].st_atime)
        over = sum(stat.st_size for stat, _ in files) - self._config.cache_mebibytes * 1024**2
        for stat, file in files[:-1]:
            if over <= 0:
                break
            file.unlink(missing_ok=True)
            over -= stat.st_size


def _touched(path: Path) -> bool:
    """It is there, and has been asked for now."""
    try:
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    except OSError:
        return False
    return True


def _prompt(sound: bytes) -> bytes:
    """The file of what an engine said. CannotSpeak. In a thread: it may import a lot."""
    from appliance.media import voice
    from appliance.media.prompts import wav

    return wav(voice.recording(sound))
