"""Rows given out: to things that keep theirs for life, in arrays that a plan copies as they are."""

import numpy as np

from appliance.media.g711 import Octets
from appliance.media.plan import ID_OCTETS, Numbers, Taps


class Slots:
    """`limit` rows; the lowest free one is given first. Rows from `end` on are free."""

    def __init__(self, what: str, limit: int) -> None:
        self.end = 0
        self._what = what
        self._used = np.zeros(limit, np.bool_)

    def add(self) -> int:
        """ValueError: all are in use."""
        row = int(self._used.argmin())
        if self._used[row]:
            raise ValueError(f"all {len(self._used)} {self._what} are in use")
        self._used[row] = True
        self.end = max(self.end, row + 1)
        return row

    def free(self, row: int) -> None:
        self._used[row] = False
        while self.end and not self._used[self.end - 1]:
            self.end -= 1


class Watched:
    """The rows of one detector: whose audio each gets, and whose it is."""

    def __init__(self, what: str, ports: int) -> None:
        self.row: dict[int, int] = {}             # of a port
        self._slots = Slots(what, ports)
        self._silence = ports
        self._ports = np.full(ports, ports, np.intp)
        self.tags: list[str | None] = [None] * ports

    def add(self, port: int) -> int:
        """A new row for `port`. ValueError: all are in use, which cannot be while each port has one."""
        row = self.row[port] = self._slots.add()
        self._ports[row] = port
        return row

    def free(self, port: int) -> None:
        row = self.row.pop(port)
        self._ports[row], self.tags[row] = self._silence, None
        self._slots.free(row)

    @property
    def end(self) -> int:
        """Rows from here on are free."""
        return self._slots.end

    def ports(self) -> Numbers:
        """By row; silence: nobody's."""
        return self._ports[:self.end].copy()


class Tapped:
    """Pairs of rows by the name that they are given out under."""

    def __init__(self, what: str, limit: int, silence: int) -> None:
        self.row: dict[bytes, int] = {}
        self._slots, self._silence = Slots(what, limit), silence
        self._names = np.zeros((limit, ID_OCTETS), np.uint8)
        self._sides = np.full((limit, 2), silence, np.intp)
        self._paused = np.zeros((limit, 1), np.bool_)

    def put(self, name: bytes, left: int, right: int) -> int:
        """Its row. ValueError: no such name, or all rows are in use."""
        row = self.row.get(name)
        if row is None:
            if len(name) != ID_OCTETS or name == bytes(ID_OCTETS):
                raise ValueError(f"the name of a tap is {ID_OCTETS} octets, not all 0")
            row = self.row[name] = self._slots.add()
            self._names[row] = np.frombuffer(name, np.uint8)
            self._paused[row] = False
        self._sides[row] = left, right
        return row

    def pause(self, name: bytes, paused: bool) -> None:
        self._paused[self._find(name)] = paused

    def end(self, name: bytes) -> None:
        row = self._find(name)
        del self.row[name]
        self._names[row], self._sides[row] = 0, self._silence
        self._slots.free(row)

    def forget(self, row: int) -> bool:
        """Silence in place of that row; True when it was somebody's."""
        sides = self._sides[:self._slots.end]
        gone = sides == row
        sides[gone] = self._silence
        return bool(gone.any())

    def taps(self) -> Taps:
        end = self._slots.end
        names: Octets = self._names[:end].copy()
        return Taps(names, np.where(self._paused[:end], self._silence, self._sides[:end]))

    def _find(self, name: bytes) -> int:
        if name not in self.row:
            raise ValueError(f"no tap {name.hex()}")
        return self.row[name]
