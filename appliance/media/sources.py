"""Fragments that are made from numbers: tones, DTMF, noise and silence."""

import re
from collections.abc import Mapping
from functools import cache

import numpy as np

from appliance.media import noise, tones
from appliance.media.fragments import SourceError
from appliance.media.g711 import Octets
from e1_driver import IDLE

MS_MOST = 600_000
NOISE_DBM0 = (-70, -20)
DTMF_MOST = 64

_SAMPLES_PER_MS = 8
_TONE = re.compile(r"(?P<name>[a-z-]+)( (?P<ms>\d{1,9}))?")
_SILENCE = re.compile(r"\d{1,9}")
_NOISE = re.compile(r"(?P<dbm0>-\d{1,3}) (?P<ms>\d{1,9})")


def loops(country: str) -> dict[str, Octets]:
    """Every tone of a country, as make() wants them."""
    return {name: tones.loop(country, name) for name in tones.COUNTRIES[country]}


def make(fragment: str, country_tones: Mapping[str, Octets]) -> Octets:
    """The octets of a fragment of one of KINDS. SourceError: something is wrong with its value."""
    kind, _, value = fragment.partition(":")
    match kind:
        case "tone":
            return _tone(fragment, value, country_tones)
        case "dtmf":
            if not 0 < len(value) <= DTMF_MOST or not set(value.upper()) <= set(tones.DIGITS):
                raise SourceError(f"{fragment!r}: write at most {DTMF_MOST} of {tones.DIGITS}")
            return tones.dtmf(value)
        case "silence":
            if not _SILENCE.fullmatch(value):
                raise SourceError(f"{fragment!r}: write silence:MS, e.g. silence:500")
            return np.full(_samples(fragment, value), IDLE, np.uint8)
        case _:
            return _noise(fragment, value)


def _tone(fragment: str, value: str, country_tones: Mapping[str, Octets]) -> Octets:
    """NAME: its cadence once, a second of a continuous one; NAME MS: for so long."""
    read = _TONE.fullmatch(value)
    if read is None or read["name"] not in country_tones:
        raise SourceError(f"{fragment!r}: no such tone: write one of {', '.join(country_tones)}, then a "
                          "space and how many ms if not once")
    octets = country_tones[read["name"]]
    return tones.cut(octets, _samples(fragment, read["ms"])) if read["ms"] else octets


def _noise(fragment: str, value: str) -> Octets:
    read, (least, most) = _NOISE.fullmatch(value), NOISE_DBM0
    if read is None or not least <= int(read["dbm0"]) <= most:
        raise SourceError(f"{fragment!r}: write noise:DBM0 MS with a level of {least} to {most}, "
                          "e.g. noise:-60 2000")
    return np.resize(_comfort(int(read["dbm0"])), _samples(fragment, read["ms"]))


_comfort = cache(noise.comfort)                   # 64 KiB for each of the few levels of NOISE_DBM0


def _samples(fragment: str, ms: str) -> int:
    if not 0 < int(ms) <= MS_MOST:
        raise SourceError(f"{fragment!r}: {ms} ms: write 1 to {MS_MOST}")
    return int(ms) * _SAMPLES_PER_MS
