"""A cursor over received octets. Running off the end is the peer's fault: DecodeError.

Ref: ITU-T Q.931 (05/98), 4.5.1 for the extension bit.
"""
from appliance.errors import DecodeError


class Octets:
    """Octets read in order; `cause` and `clause` are what DecodeError carries when they run out."""

    __slots__ = ("_at", "_cause", "_clause", "_data")

    def __init__(self, data: bytes, cause: int | None = None, clause: str = "5.8.2") -> None:
        self._data, self._at, self._cause, self._clause = data, 0, cause, clause

    def __bool__(self) -> bool:
        """True while there are octets left."""
        return self._at < len(self._data)

    def take(self) -> int:
        """The next octet."""
        return self.take_bytes(1)[0]

    def take_bytes(self, count: int) -> bytes:
        """The next `count` octets."""
        end = self._at + count
        if end > len(self._data):
            raise DecodeError(self._cause, self._clause, f"{end - len(self._data)} octets too few")
        taken, self._at = self._data[self._at:end], end
        return taken

    def take_group(self) -> bytes:
        """An octet group: octets up to and with the first whose extension bit (bit 8) is 1."""
        group = self.take_bytes(1)
        while not group[-1] & 0x80:
            group += self.take_bytes(1)
        return group

    def rest(self) -> bytes:
        """All octets not taken yet, perhaps none."""
        return self.take_bytes(len(self._data) - self._at)
