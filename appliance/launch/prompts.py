"""Prompts from texts, spoken by espeak-ng, and the music, as A-law WAV. Only what changed is made again."""

import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from appliance.errors import ConfigError
from appliance.launch import music
from appliance.launch import voice as programs
from appliance.launch.place import CannotStart
from appliance.media import g711, speech, voice
from appliance.media.prompts import Library, PromptError, wav

MUSIC = "music/default"

_MADE = ".made.json"                              # prompt -> what it was made from
_NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")


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
        if language not in voice.VOICES or not isinstance(table, dict):
            wrong.append(f"{catalogue}: {language}: no language: write tables {', '.join(voice.VOICES)}")
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


def build(
    catalogue: Path, out: Path, currencies: Sequence[str] = (), tell: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Make the prompts of `catalogue`, what values need in its languages, and the music, below `out`.

    The names of those that were made now. A text of the catalogue goes before the grammar's; a recording that
    somebody else put there goes before both. CannotStart when espeak-ng is missing or fails: nothing made.
    """
    texts = load(catalogue)
    texts = vocabulary(currencies, sorted({name.partition("/")[0] for name in texts})) | texts
    melody = music.on_hold()
    recipes = {name: _recipe(name, text) for name, text in texts.items()}
    recipes[MUSIC] = hashlib.sha256(melody.tobytes()).hexdigest()
    made = _made(out)
    wanted = [name for name, recipe in recipes.items()
              if made.get(name, recipe) != recipe or not (out / f"{name}.wav").exists()]
    if not wanted:
        return []
    if shutil.which("espeak-ng") is None:
        raise CannotStart("espeak-ng is not installed: apt-get install espeak-ng")
    tell(f"making {len(wanted)} prompts in {out}")
    for name, octets in _spoken({name: texts[name] for name in wanted if name != MUSIC}).items():
        _write(out / f"{name}.wav", octets)
    if MUSIC in wanted:
        _write(out / f"{MUSIC}.wav", g711.encode(melody))
    made |= {name: recipes[name] for name in wanted}
    (out / _MADE).write_text(json.dumps(made, ensure_ascii=False, indent=1), encoding="utf-8")
    return wanted


def vocabulary(
    currencies: Sequence[str], languages: Sequence[str] = tuple(speech.LANGUAGES),
) -> dict[str, str]:
    """Prompt -> text of every recording that numbers, dates and so on need."""
    return {name: text for language in languages
            for name, text in speech.vocabulary(language, currencies).items()}


def texts(folder: Path) -> dict[str, str]:
    """Prompt -> what it says, of those that were spoken from texts."""
    return {name: recipe.split(" ", 3)[-1] for name, recipe in _made(folder).items()
            if name.partition("/")[0] in voice.VOICES}


def missing(folder: Path, texts: Mapping[str, str]) -> dict[str, str]:
    """Those of `texts` that `folder` has no recording of that can be played: prompt -> why."""
    library, wrong = Library(folder), {}
    for name in texts:
        try:
            library.get(name)
        except PromptError as error:
            wrong[name] = str(error)
    return wrong


def _recipe(name: str, text: str) -> str:
    language = name.partition("/")[0]
    return " ".join([*voice.VOICES[language], f"{voice.LEVEL_DBM0:g}", text])


def _spoken(texts: dict[str, str]) -> dict[str, g711.Octets]:
    spoken: dict[str, g711.Octets] = {}
    for language in voice.VOICES:
        names = [name for name in texts if name.startswith(f"{language}/")]
        try:
            recordings = programs.speak(language, [texts[name] for name in names]) if names else []
        except voice.CannotSpeak as error:
            raise CannotStart(str(error)) from None
        spoken |= dict(zip(names, recordings, strict=True))
    return spoken


def made_file(out: Path) -> Path:
    """Where the texts are noted that prompts were spoken from."""
    return out / _MADE


def _made(out: Path) -> dict[str, str]:
    try:
        made = json.loads(made_file(out).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return made if isinstance(made, dict) else {}


def _write(path: Path, octets: g711.Octets) -> None:
    """The file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}")
    new.write_bytes(wav(octets))
    new.rename(path)
