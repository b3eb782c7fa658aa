"""What an engine is told to speak. What its sound becomes: voice.py."""

from collections.abc import Sequence

from appliance.errors import BranchlineError

VOICES = {"zh": ("cmn", "240"), "en": ("en", "160")}                 # espeak-ng's voice, words a minute
LEVEL_DBM0 = -16.0                                # while it speaks
PAUSE_MS = 2000                                   # between texts; nothing inside one is silent for so long


class CannotSpeak(BranchlineError):
    """Which program failed, and how."""


def command(language: str) -> tuple[str, ...]:
    """espeak-ng, which takes document() on its standard input and gives a WAV on its standard output."""
    voice, words_per_minute = VOICES[language]
    return ("espeak-ng", "-m", "-v", voice, "-s", words_per_minute, "--stdin", "--stdout")


def document(texts: Sequence[str]) -> bytes:
    pause = f'<break time="{PAUSE_MS}ms"/>'
    return f"<speak>{''.join(f'<p>{_escaped(text)}</p>{pause}' for text in texts)}</speak>".encode()


def _escaped(text: str) -> str:
    """As xml.sax.saxutils does it, which would import HTTP."""
    return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
