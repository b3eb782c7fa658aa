"""Prompts from texts: espeak-ng speaks, sox makes 8000 Hz mono A-law WAV. Only what changed is made again."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

from appliance.errors import ConfigError
from appliance.launch import music
from appliance.launch.place import CannotStart

VOICES = {"zh": ("cmn", "240"), "en": ("en", "160")}                 # espeak-ng's voice, words a minute
MUSIC = "music/default"
PROGRAM_S = 60.0                                  # the longest that one prompt may take

_MADE = ".made.json"                              # prompt -> what it was made from
_NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
_MONO_ALAW = ("-r", "8000", "-c", "1", "-e", "a-law")
# Silence at both ends goes, so that numbers join into a sentence; then one level for all.
_MELODY = ("-t", "s16", "-r", str(music.SAMPLES_PER_S), "-c", "1")
_TRIM = ("silence", "1", "0.01", "0.5%", "reverse")
_TIDY = (*_TRIM, *_TRIM, "pad", "0.03", "0.06", "norm", "-8")


def load(catalogue: Path) -> dict[str, str]:
    """Prompt -> text, e.g. "zh/greeting". ConfigError has a line for every mistake."""
    try:
        document = tomllib.loads(catalogue.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{catalogue}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{catalogue}: {error}") from None
    wrong, texts = [], {}
    for language, table in document.items():
        if language not in VOICES or not isinstance(table, dict):
            wrong.append(f"{catalogue}: {language}: no language: write tables {', '.join(VOICES)}")
            continue
        for name, text in table.items():
            if not _NAME.fullmatch(name):
                wrong.append(f"{catalogue}: {language}: {name!r}: write small letters, digits, - and /")
            elif not isinstance(text, str) or not text.strip():
                wrong.append(f"{catalogue}: {language}: {name}: write its text in quotes")
            else:
                texts[f"{language}/{name}"] = text
    if wrong:
        raise ConfigError("\n".join(wrong))
    return texts


def build(catalogue: Path, out: Path, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Make the prompts of `catalogue` and the music below `out`; the names of those that were made now.

    CannotStart when a program is missing or fails; what was made before it stays.
    """
    texts, melody = load(catalogue), music.on_hold().tobytes()
    recipes = {name: " ".join([*_speaker(name), *_TIDY, text]) for name, text in texts.items()}
    recipes[MUSIC] = hashlib.sha256(melody).hexdigest()
    made = _made(out)
    wanted = [name for name, recipe in recipes.items()
              if made.get(name) != recipe or not (out / f"{name}.wav").exists()]
    if wanted:
        for program in ("espeak-ng", "sox"):
            if shutil.which(program) is None:
                raise CannotStart(f"{program} is not installed: apt-get install {program}")
        tell(f"making {len(wanted)} prompts in {out}")
    for name in wanted:
        if name == MUSIC:
            _write(out / f"{name}.wav", melody, _MELODY, ())
        else:
            speech = _run((*_speaker(name), "--stdin", "--stdout"), texts[name].encode())
            _write(out / f"{name}.wav", speech, ("-t", "wav", "--ignore-length"), _TIDY)
        made[name] = recipes[name]
        (out / _MADE).write_text(json.dumps(made, ensure_ascii=False, indent=1), encoding="utf-8")
    return wanted


def _speaker(name: str) -> tuple[str, ...]:
    voice, words_per_minute = VOICES[name.partition("/")[0]]
    return "espeak-ng", "-v", voice, "-s", words_per_minute


def _made(out: Path) -> dict[str, str]:
    try:
        made = json.loads((out / _MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return made if isinstance(made, dict) else {}


def _write(path: Path, sound: bytes, form: tuple[str, ...], effects: tuple[str, ...]) -> None:
    """The sound as A-law; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}")
    _run(("sox", "-D", *form, "-", *_MONO_ALAW, str(new), *effects), sound)
    new.rename(path)


def _run(command: tuple[str, ...], sound_or_text: bytes) -> bytes:
    try:
        return subprocess.run(
            command, input=sound_or_text, capture_output=True, check=True, timeout=PROGRAM_S).stdout
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise CannotStart(f"{command[0]}: {said[-1] if said else f'exit code {error.returncode}'}",
                          os.EX_SOFTWARE) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotStart(f"{command[0]}: {error}", os.EX_SOFTWARE) from None
