"""Fragments of a play -> one sound. Reads files: not for the real-time thread.

A fragment is KIND:VALUE; docs/configuration.md has them all. What is said (numbers, dates, ...) becomes
recordings of the grammar's vocabulary first.
"""

from collections import OrderedDict
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np

from appliance.media import sources, speech
from appliance.media.fragments import FOLDER, KINDS, SourceError
from appliance.media.g711 import Octets
from appliance.media.plan import Sound
from appliance.media.prompts import LENT, Library, PromptError
from appliance.media.speech import SpeechError

MAX_OCTETS = 32 * 1024 * 1024                     # of one play
ALL_OCTETS = 128 * 1024 * 1024                    # of all that legs play or wait for, and what is kept
WRONG_MOST = 5                                    # mistakes of one play that are told

_KEPT_OCTETS = 32 * 1024 * 1024                   # of sounds that several legs may share
_FILES = ("prompt", "music")
_OF_LENT = 3                                      # parts of the key of what is lent


@dataclass(frozen=True, slots=True)
class _Part:
    """Octets, and what tells them from all others."""

    key: Hashable
    octets: Octets


class Sounds:
    """Prompts of one library, spoken texts of another, recordings of a third; tones of one country.

    Equal plays share a sound.

    `language`, `currency` and `wording` are those of spoken fragments that do not say theirs.
    """

    def __init__(
        self, library: Library, country: str, language: str = "zh", currency: str = "CNY",
        wording: Collection[str] = (), said: Library | None = None, lent: Library | None = None,
    ) -> None:
        self._library = library
        self._said, self._lent = said or library, lent or library
        self._tones = sources.loops(country)
        self._language, self._currency, self._wording = language, currency, frozenset(wording)
        self._kept: OrderedDict[Hashable, Sound] = OrderedDict()
        self._kept_octets = 0
        self._in_use: WeakValueDictionary[Hashable, Sound] = WeakValueDictionary()       # and what is kept

    def compile(self, fragments: Sequence[str], repeat: bool) -> tuple[Sound | None, str]:
        """What can be played of `fragments`, None when nothing can; and what is wrong with the others.

        Music goes on for ever, whatever `repeat` says, and is played by itself.
        """
        parts: list[_Part] = []
        wrong: list[str] = []
        octets = 0
        for fragment in self._spoken(fragments, wrong):
            if _is_music(fragment) and len(fragments) > 1:
                wrong.append(f"{fragment!r} goes on for ever: play it by itself")
                continue
            try:
                part = self._part(fragment)
            except (PromptError, SourceError) as error:
                wrong.append(str(error))
                continue
            octets += part.octets.size
            if octets > MAX_OCTETS:
                wrong.append(f"{fragment}: the play is longer than {MAX_OCTETS // 8000} s: shorten it")
                break
            parts.append(part)
        if not fragments:
            wrong.append("nothing to play: name a fragment")
        if not parts:
            return None, _in_short(wrong)
        music = len(fragments) == 1 and _is_music(fragments[0])
        sound = self._joined(parts, repeat or music, music)
        if sound is None:
            wrong.append(f"all that is played now is longer than {ALL_OCTETS // 8000} s together: play less")
        return sound, _in_short(wrong)

    def _spoken(self, fragments: Sequence[str], wrong: list[str]) -> list[str]:
        """The fragments with what is said in recordings."""
        said: list[str] = []
        for fragment in fragments:
            if not speech.is_spoken(fragment):
                said.append(fragment)
                continue
            try:
                said += speech.speak(fragment, self._language, self._currency, self._wording)
            except SpeechError as error:
                wrong.append(str(error))
        return said

    def _part(self, fragment: str) -> _Part:
        kind, _, value = fragment.partition(":")
        if kind in _FILES or kind == FOLDER:      # acdd's own: not for people to write
            prompt = (self._said if kind == FOLDER else self._library).get(value)
            return _Part((prompt.path, prompt.stamp), prompt.octets)
        if kind == LENT:                          # likewise; from so many milliseconds on
            name, _, from_ms = value.partition("@")
            prompt = self._lent.get(name)
            start = min(8 * int(from_ms), prompt.octets.size - 1) if from_ms.isdecimal() else 0
            return _Part((prompt.path, prompt.stamp, start), prompt.octets[start:])
        if kind in KINDS:
            return _Part(fragment, sources.make(fragment, self._tones))
        raise PromptError(f"{fragment!r}: no such fragment: write KIND:VALUE, a kind is one of "
                          f"{', '.join([*_FILES, *KINDS, *speech.CHOICES])}")

    def _joined(self, parts: list[_Part], repeat: bool, music: bool) -> Sound | None:
        """None: there is no room for one more."""
        key = (repeat, music, *(part.key for part in parts))
        sound = self._in_use.get(key)
        if sound is None:
            octets = sum(part.octets.size for part in parts)
            if octets + sum(one.octets.size for one in self._in_use.values()) > ALL_OCTETS:
                return None
            joined = parts[0].octets if len(parts) == 1 else np.concatenate([part.octets for part in parts])
            sound = self._in_use[key] = Sound(joined, repeat, music)
        if any(isinstance(one.key, tuple) and len(one.key) == _OF_LENT for one in parts):
            return sound                          # gone from memory when nobody hears it
        if key not in self._kept:
            self._kept[key] = sound
            self._kept_octets += sound.octets.size
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self._kept_octets > _KEPT_OCTETS:
            self._kept_octets -= self._kept.popitem(last=False)[1].octets.size
        return sound


def _in_short(wrong: list[str]) -> str:
    """Each mistake once, and not too many."""
    told = list(dict.fromkeys(wrong))
    more = [f"and {len(told) - WRONG_MOST} more"] if len(told) > WRONG_MOST else []
    return "; ".join(told[:WRONG_MOST] + more)


def _is_music(fragment: str) -> bool:
    return fragment.startswith("music:")
