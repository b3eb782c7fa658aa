"""Hours of sound in which nobody dials: recorded and synthetic speech, music. int16 samples at 8 kHz by name.

Recordings are those of Debian's asterisk-core-sounds-{en,es,fr,it,ru}-wav (prompts), codec2-examples (talk)
and asterisk-moh-opsound-wav (music); speech is synthesized by espeak-ng, in voices that differ in sex, pitch
and speed.
"""

import os
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from appliance.media.g711 import Linear

PROMPTS = Path("/usr/share/asterisk/sounds")
TALK = Path("/usr/share/codec2/wav")
MUSIC = Path("/usr/share/asterisk/moh")
PACKAGES = (*(f"asterisk-core-sounds-{code}-wav" for code in ("en", "es", "fr", "it", "ru")),
            "codec2-examples", "asterisk-moh-opsound-wav")
VOICES = (("+m1", 50, 160), ("+f2", 60, 175), ("+m3", 35, 150), ("+f4", 75, 190), ("+m7", 90, 170),
          ("+f1", 30, 200))                       # variant, pitch of 100, words a minute

TEXTS: dict[str, str] = tomllib.loads(Path(__file__).with_name("corpus.toml").read_text(encoding="utf-8"))


def recorded() -> dict[str, Linear]:
    """By folder. FileNotFoundError names the packages when they are not installed."""
    folders = [*sorted(path for path in PROMPTS.glob("*_*") if path.is_dir()), TALK]
    if len(folders) < 2 or not TALK.is_dir():
        raise FileNotFoundError(f"recorded speech is missing, install {' '.join(PACKAGES)}")
    return {folder.parent.name if folder == TALK else folder.name: np.concatenate(
        [_read(path) for path in sorted(folder.rglob("*.wav"))]) for folder in folders}


def music() -> dict[str, Linear]:
    paths = sorted(MUSIC.glob("*.wav"))
    if not paths:
        raise FileNotFoundError(f"music on hold is missing, install {PACKAGES[-1]}")
    return {path.stem: _read(path) for path in paths}


def synthetic() -> dict[str, Linear]:
    """Each text in each voice, by language."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = {language: [pool.submit(speech, language + variant, text, pitch, speed)
                           for variant, pitch, speed in VOICES] for language, text in TEXTS.items()}
        return {language: np.concatenate([one.result() for one in each]) for language, each in said.items()}


def speech(voice: str, text: str, pitch: int = 50, words_a_minute: int = 175) -> Linear:
    wav = subprocess.run(
        ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(words_a_minute), "--stdout", text],
        check=True, capture_output=True).stdout
    return _converted("-", wav)


def _read(path: Path) -> Linear:
    return _converted(str(path))


def _converted(source: str, wav: bytes = b"") -> Linear:
    raw = subprocess.run(["sox", "-t", "wav", source, "-r", "8000", "-c", "1", "-t", "s16", "-"],
                         input=wav, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.int16)
