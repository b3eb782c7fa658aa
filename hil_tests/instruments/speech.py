"""Speech for the bench's people: espeak-ng says it, sox makes it telephone-like A-law, a folder keeps it."""

import hashlib
import os
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hil_tests.instruments import audio
from hil_tests.instruments.line import InstrumentError

CACHE = Path(__file__).resolve().parents[2] / "build" / "speech"
LINES = Path(__file__).with_name("speech.toml")
PAUSE_S = 0.8


@dataclass(frozen=True, slots=True)
class Text:
    """One thing to say; `voice` and `speed` (words a minute) are espeak-ng's."""

    text: str
    voice: str = "en"
    speed: int = 160


def texts(who: str) -> list[Text]:
    """What speech.toml has for `who`."""
    rows = tomllib.loads(LINES.read_text(encoding="utf-8"))["line"]
    return [Text(row["text"], row["voice"], row["speed"]) for row in rows if row["who"] == who]


def said(text: Text, cache: Path = CACHE) -> audio.Octets:
    """`text` as A-law with a pause behind it. InstrumentError: espeak-ng or sox is missing or will not."""
    return np.frombuffer(_made(text, cache, "al"), np.uint8)


def samples(text: Text, cache: Path = CACHE) -> audio.Samples:
    """What said() has as A-law, in 16 bits. InstrumentError as there."""
    return np.frombuffer(_made(text, cache, "s16"), np.int16).astype(np.float64)


def _made(text: Text, cache: Path, kind: str) -> bytes:
    """In a raw format of sox."""
    key = hashlib.sha256(repr(text).encode()).hexdigest()[:24]
    path = cache / f"{key}.{kind}"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:        # others may do the same now
            # names from there: espeak-ng cuts one of more than 200 characters
            _run(folder, "espeak-ng", "-v", text.voice, "-s", str(text.speed), "-w", "said.wav", text.text)
            # the band of a telephone; the peak 6 dB below full leaves speech at about -20 dBm0
            _run(folder, "sox", "-D", "said.wav", "-r", str(audio.RATE_HZ), "-c", "1", "-t", kind,
                 f"said.{kind}", "sinc", "300-3400", "norm", "-6", "pad", "0.1", str(PAUSE_S))
            os.replace(Path(folder, f"said.{kind}"), path)
    return path.read_bytes()


def _run(folder: str, *command: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InstrumentError(f"speech: {command[0]} is missing: apt-get install {command[0]}") from None
    if done.returncode:
        raise InstrumentError(f"speech: {' '.join(command[:3])}: {done.stderr.strip()}")
