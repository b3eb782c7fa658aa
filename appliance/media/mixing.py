"""Mixing in two levels: each conference's total once, then for each who listens a short sum of it and rows.

A party hears the total less its own part, so a conference of n costs n, not n * n. Whisper, listening in and
barge-in are other sums of the same kind. Sums are in float64, where what was added is taken away exactly;
they are rounded and saturated once, at the end.
"""

from collections.abc import Iterable

import numpy as np

from appliance.media import g711
from appliance.media.g711 import Octets
from appliance.media.plan import Floats, Layer, Mixing, Numbers, Rows
from e1_driver import BLOCK

_NONE = -1
_LOUDEST = 32767.0


def factor(gain_db: float) -> float:
    return float(10 ** (gain_db / 20))


class Parties:
    """Who is in which conference, and the mixes: who hears what of it."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._open: set[int] = set()
        self._conference = np.full(rows.count, _NONE, np.intp)   # of a row that takes part in one
        self._factor = np.ones(rows.count)
        mixes = len(rows.mixes)
        self._used = np.zeros(mixes, np.bool_)
        self._of = np.full(mixes, _NONE, np.intp)                # the conference that the mix hears
        self._without = np.full(mixes, _NONE, np.intp)
        self._terms: dict[int, list[tuple[int, float]]] = {}     # mix: (row, factor)

    def open(self) -> int:
        """A new conference's number. ValueError: there are as many as ports."""
        if len(self._open) == self._rows.ports:
            raise ValueError(f"all {self._rows.ports} conferences are in use")
        number = next(number for number in range(self._rows.ports) if number not in self._open)
        self._open.add(number)
        return number

    def close(self, conference: int) -> None:
        self._open.remove(self._check_open(conference))
        self._conference[self._conference == conference] = _NONE
        self._of[self._of == conference] = _NONE

    def join(self, conference: int, row: int, gain_db: float) -> None:
        self._conference[row] = self._check_open(conference)
        self._factor[row] = factor(gain_db)

    def leave(self, row: int) -> bool:
        """True when it was in one."""
        was_in = bool(self._conference[row] != _NONE)
        self._conference[row] = _NONE
        return was_in

    def add_mix(self, conference: int | None, without: int | None, terms: Iterable[tuple[int, float]]) -> int:
        """Its row. ValueError: none is free."""
        slot = int(self._used.argmin())
        if self._used[slot]:
            raise ValueError(f"all {len(self._used)} mixes are in use")
        self._set(slot, conference, without, terms)
        self._used[slot] = True
        return self._rows.mixes[slot]

    def change_mix(
        self, row: int, conference: int | None, without: int | None, terms: Iterable[tuple[int, float]],
    ) -> None:
        self._set(self.check_mix(row) - self._rows.mixes.start, conference, without, terms)

    def end_mix(self, row: int) -> None:
        self.change_mix(row, None, None, ())
        self._used[row - self._rows.mixes.start] = False

    def check_mix(self, row: int) -> int:
        """`row` itself. ValueError: it is no mix."""
        if row not in self._rows.mixes or not self._used[row - self._rows.mixes.start]:
            raise ValueError(f"row {row} is no mix")
        return row

    def forget(self, row: int) -> bool:
        """Take a row out of every conference and sum; True when it was in one."""
        changed = self.leave(row)
        for slot, terms in list(self._terms.items()):
            kept = [term for term in terms if term[0] != row]
            if len(kept) < len(terms):
                changed = True
                self._terms[slot] = kept
                if not kept:
                    del self._terms[slot]
        own = self._without == row
        if own.any():
            changed, self._without[own] = True, _NONE
        return changed

    def mixing(self) -> Mixing | None:
        """The sums. None: there is no mix."""
        slots = self._used.nonzero()[0]
        if not slots.size:
            return None
        members = (self._conference != _NONE).nonzero()[0]
        members = members[self._conference[members].argsort(kind="stable")]
        of = self._conference[members]
        starts = np.diff(of, prepend=_NONE).nonzero()[0]
        terms = [(slot, row, by) for slot, terms in self._terms.items() for row, by in terms
                 if row != self._without[slot]]
        others = dict.fromkeys(row for _, row, _ in terms)
        inputs = np.concatenate([members, np.array([self._rows.silence, *others], np.intp)])
        place = np.zeros(self._rows.count, np.intp)              # of a row among the inputs
        place[inputs] = np.arange(len(inputs))
        total = np.full(self._rows.ports, _NONE, np.intp)        # of a conference after the inputs
        total[of[starts]] = np.arange(len(inputs), len(inputs) + len(starts))

        whole = slots[self._of[slots] != _NONE]
        whole = whole[total[self._of[whole]] != _NONE]
        own = whole[self._without[whole] != _NONE]
        own = own[self._conference[self._without[own]] == self._of[own]]
        without = self._without[own]
        at, rows, factors = zip(*terms, strict=True) if terms else ((), (), ())
        layers, order = _layers(
            slots,
            np.concatenate([whole, own, np.array(at, np.intp)]),
            np.concatenate([total[self._of[whole]], place[without], place[np.array(rows, np.intp)]]),
            np.concatenate([np.ones(len(whole)), -self._factor[without], np.array(factors, np.float64)]),
            place[self._rows.silence])
        return Mixing(inputs, self._factor[members, None], starts, layers, self._rows.mixes.start + order,
                      self._players(slots, members, terms))

    def _players(
        self, slots: Numbers, members: Numbers, terms: Iterable[tuple[int, int, float]],
    ) -> dict[int, dict[int, float]]:
        """Mixing.players, of the conferences' members and the terms (slot, row, factor)."""
        heard = [term for term in terms if term[1] in self._rows.players]
        for row in members[members >= self._rows.players.start].tolist():
            there = slots[(self._of[slots] == self._conference[row]) & (self._without[slots] != row)]
            heard += [(slot, row, float(self._factor[row])) for slot in there.tolist()]
        players: dict[int, dict[int, float]] = {}
        for slot, row, by in heard:
            mix = players.setdefault(self._rows.mixes[slot], {})
            mix[row] = mix.get(row, 0.0) + by
        return players

    def _set(
        self, slot: int, conference: int | None, without: int | None, terms: Iterable[tuple[int, float]],
    ) -> None:
        self._of[slot] = _NONE if conference is None else self._check_open(conference)
        self._without[slot] = _NONE if without is None else without
        self._terms.pop(slot, None)
        if factors := [(row, factor(gain_db)) for row, gain_db in terms]:
            self._terms[slot] = factors

    def _check_open(self, conference: int) -> int:
        if conference not in self._open:
            raise ValueError(f"conference {conference} is not open")
        return conference


def _layers(
    slots: Numbers, at: Numbers, terms: Numbers, factors: Floats, silence: int,
) -> tuple[tuple[Layer, ...], Numbers]:
    """Terms `at` slots as layers, and the slots in the layers' order. A slot without any has silence."""
    counts = np.bincount(at, minlength=int(slots[-1]) + 1)
    lone = slots[counts[slots] == 0]
    at = np.concatenate([at, lone])
    terms = np.concatenate([terms, np.full(len(lone), silence)])
    factors = np.concatenate([factors, np.zeros(len(lone))])
    counts[lone] = 1
    by_slot = at.argsort(kind="stable")
    terms, factors = terms[by_slot], factors[by_slot]
    first = (counts.cumsum() - counts)[slots]
    order = (-counts[slots]).argsort(kind="stable")
    slots, first, counts = slots[order], first[order], counts[slots[order]]
    layers = []
    for depth in range(int(counts[0])):
        chosen = first[:int((counts > depth).sum())] + depth
        layers.append(Layer(terms[chosen], factors[chosen, None]))
    return tuple(layers), slots


class Mixer:
    """Runs a Mixing on the table. Its arrays grow in prepare(), between two ticks."""

    def __init__(self) -> None:
        self._values = np.empty((0, BLOCK))       # decoded inputs, then totals
        self._sums = np.empty((0, BLOCK))
        self._terms = np.empty((0, BLOCK))
        self._octets = np.empty((0, BLOCK), np.uint8)
        self._samples = np.empty((0, BLOCK), np.int16)

    def prepare(self, mixing: Mixing) -> None:
        values, sums = len(mixing.inputs) + len(mixing.starts), max(len(mixing.rows), len(mixing.inputs))
        if len(self._values) < values:
            self._values = np.empty((2 * values, BLOCK))
        if len(self._sums) < sums:
            self._sums, self._terms = np.empty((2 * sums, BLOCK)), np.empty((2 * sums, BLOCK))
            self._octets = np.empty((2 * sums, BLOCK), np.uint8)
            self._samples = np.empty((2 * sums, BLOCK), np.int16)

    def mix(self, table: Octets, mixing: Mixing) -> None:
        """Fill the table's mixes."""
        inputs, members, mixes = len(mixing.inputs), len(mixing.factors), len(mixing.rows)
        octets = table.take(mixing.inputs, 0, self._octets[:inputs], "clip")
        values = self._values[:inputs + len(mixing.starts)]
        g711.decode_float(octets, values[:inputs])
        if members:
            parts = np.multiply(values[:members], mixing.factors, self._terms[:members])
            np.add.reduceat(parts, mixing.starts, 0, out=values[inputs:])
        sums = self._sums[:mixes]
        for depth, layer in enumerate(mixing.layers):
            n = len(layer.terms)
            out = self._terms[:n] if depth else sums
            values.take(layer.terms, 0, out, "clip")
            out *= layer.factors
            if depth:
                sums[:n] += out
        np.rint(sums, sums)
        np.clip(sums, -_LOUDEST, _LOUDEST, sums)
        samples = self._samples[:mixes]
        np.copyto(samples, sums, casting="unsafe")
        table[mixing.rows] = g711.encode(samples, self._octets[:mixes])
