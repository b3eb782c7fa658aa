"""Texts spoken by espeak-ng; what makes its sound join well is appliance.media.voice."""

import subprocess
from collections.abc import Sequence

from appliance.media import g711, voice
from appliance.media.voice import CannotSpeak

PROGRAM_S = 60.0                                  # the longest that one run may take


def speak(language: str, texts: Sequence[str]) -> list[g711.Octets]:
    """A recording for each text. CannotSpeak: espeak-ng is away, fails, or has no sound for one of them."""
    spoken = voice.recordings(_said(language, texts))
    if len(spoken) == len(texts):
        return spoken
    if len(texts) == 1:
        raise CannotSpeak(f"espeak-ng says nothing for {texts[0]!r}: write another text")
    return [octets for text in texts for octets in speak(language, [text])]


def _said(language: str, texts: Sequence[str]) -> bytes:
    try:
        return subprocess.run(voice.command(language), input=voice.document(texts), capture_output=True,
                              check=True, timeout=PROGRAM_S).stdout
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise CannotSpeak(f"espeak-ng: {said[-1] if said else f'exit code {error.returncode}'}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotSpeak(f"espeak-ng: {error}") from None
