"""The far ends of virtual lines as arrays: every channel says its octets, all that is heard is kept."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from e1_driver import BLOCK, IDLE, TIMESLOTS, Block
from hil_tests.instruments import audio
from tests.span.far import Channel, FarEnds


class Talkers(FarEnds):
    """Block n of a line was said when block n of it was heard, at `at`."""

    def __init__(self, folder: Path, spans: list[str]) -> None:
        self.at: dict[str, list[float]] = {name: [] for name in spans}
        self._blocks: dict[str, list[Block]] = {name: [] for name in spans}
        self._says: dict[str, dict[int, tuple[int, audio.Octets]]] = defaultdict(dict)
        self._hybrids: dict[str, dict[int, Hybrid]] = defaultdict(dict)
        super().__init__(folder, spans)

    def say(self, says: dict[Channel, audio.Octets]) -> dict[str, int]:
        """These channels say this, then silence. Others go on. The block of each line that begins it."""
        begun = {}
        for name in self.spans:
            begin = begun[name] = len(self._blocks[name]) + 2
            self._says[name] = self._says[name] | {
                timeslot: (begin, octets) for (span, timeslot), octets in says.items() if span == name}
        return begun

    def echo(self, channel: Channel, path: audio.Samples) -> None:
        """From now on the channel gives back what it hears, through this impulse response."""
        name, timeslot = channel
        self._hybrids[name] = self._hybrids[name] | {timeslot: Hybrid(path)}

    def heard(self, channel: Channel) -> audio.Octets:
        """All of it since the line was opened."""
        name, timeslot = channel
        return np.concatenate([block[timeslot] for block in self._blocks[name].copy()])

    def returned(self, channel: Channel) -> audio.Octets:
        """What the channel said since echo(), with the echo; it heard as much meanwhile."""
        name, timeslot = channel
        return np.concatenate(self._hybrids[name][timeslot].said.copy())

    def _answer(self, name: str, heard: Block, now: float) -> Block:
        said = self._said(name, heard)
        self.at[name].append(now)
        self._blocks[name].append(heard.copy())
        return said

    def _said(self, name: str, heard: Block) -> Block:
        number, said = len(self._blocks[name]), np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
        for timeslot, (begin, octets) in self._says[name].items():
            part = octets[max(0, number - begin) * BLOCK:][:BLOCK] if number >= begin else octets[:0]
            said[timeslot, :len(part)] = part
        for timeslot, hybrid in self._hybrids[name].items():
            said[timeslot] = audio.compress(
                audio.expand(said[timeslot]) + hybrid.echo(audio.expand(heard[timeslot])))
            hybrid.said.append(said[timeslot])
        return said


class Hybrid:
    """What a two-wire line gives back of a block, by its impulse response."""

    def __init__(self, path: audio.Samples) -> None:
        self._path, self._heard = path, np.zeros(len(path) - 1 + BLOCK)
        self.said: list[audio.Octets] = []        # over it, blocks

    def echo(self, block: audio.Samples) -> audio.Samples:
        self._heard = np.concatenate([self._heard[BLOCK:], block])
        return np.convolve(self._heard, self._path, "valid")
