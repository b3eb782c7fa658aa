"""Fragments of a play -> one sound. Reads files: not for the real-time thread."""

from collections import OrderedDict

import numpy as np

from appliance.media import tones
from appliance.media.engine import Sound
from appliance.media.g711 import Octets
from appliance.media.prompts import Library, PromptError

MAX_OCTETS = 32 * 1024 * 1024                     # of one play
_KEPT = 64 * 1024 * 1024                          # octets of sounds that several legs may share


class Sounds:
    """Prompts of one library, tones of one country. Equal plays share a sound while its files last."""

    def __init__(self, library: Library, country: str) -> None:
        self._library = library
        self._tones = {name: tones.loop(country, name) for name in tones.COUNTRIES[country]}
        self._kept: OrderedDict[tuple[bool, tuple[int, ...]], tuple[list[Octets], Sound]] = OrderedDict()

    def compile(self, fragments: list[str], repeat: bool) -> tuple[Sound | None, str]:
        """What can be played of `fragments`, None when nothing can; and what is wrong with the others."""
        parts: list[Octets] = []
        wrong: list[str] = []
        octets = 0
        for fragment in fragments:
            try:
                part = self._part(fragment)
            except PromptError as error:
                wrong.append(str(error))
                continue
            octets += part.size
            if octets > MAX_OCTETS:
                wrong.append(f"{fragment}: the play is longer than {MAX_OCTETS // 8000} s: shorten it")
                break
            parts.append(part)
        if not fragments:
            wrong.append("nothing to play: name a fragment")
        return (self._joined(parts, repeat) if parts else None), "; ".join(wrong)

    def _part(self, fragment: str) -> Octets:
        kind, _, name = fragment.partition(":")
        if kind == "prompt":
            return self._library.get(name).octets
        if kind == "tone" and name in self._tones:
            return self._tones[name]
        raise PromptError(
            f"{fragment!r}: no such fragment: write prompt:NAME or tone: and one of {', '.join(self._tones)}")

    def _joined(self, parts: list[Octets], repeat: bool) -> Sound:
        key = (repeat, tuple(id(part) for part in parts))        # kept with the parts: ids stay theirs
        kept = self._kept.get(key)
        if kept is None:
            kept = (parts, Sound(parts[0] if len(parts) == 1 else np.concatenate(parts), repeat))
            self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(sound.octets.size for _, sound in self._kept.values()) > _KEPT:
            self._kept.popitem(last=False)
        return kept[1]
