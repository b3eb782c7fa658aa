"""Whose packets a leg takes, and where its own go: symmetric RTP that a stranger cannot turn to himself.

The address that signalling told always wins. Until it speaks, another one is answered only when it has sent
a stream (PROBATION packets in a row), and from then on no third one is heard until the leg is told anew: no
packet of a stranger moves a call's audio ("RTP bleed"). From the told host another port is as good: a NAT.
"""

from dataclasses import dataclass, field

Address = tuple[str, int]

PROBATION = 4
MOST_CANDIDATES = 8                               # a further one drives out who is silent longest


@dataclass(slots=True)
class Source:
    """`told` by signalling; `latch`: others may be answered."""

    told: Address | None
    latch: bool
    locked: Address | None = None
    _candidates: dict[Address, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def remote(self) -> Address | None:
        """Where to send."""
        return self.locked or self.told

    def tell(self, told: Address | None, latch: bool, unlock: bool) -> None:
        """A new address unlocks."""
        if unlock or told != self.told:
            self.locked = None
            self._candidates.clear()
        self.told, self.latch = told, latch

    def judge(self, address: Address, ssrc: int, sequence: int, authentic: bool = False) -> bool:
        """Whether a valid packet from there, which is not `locked`, is the far end's; it is locked then.

        `authentic`: only who has the leg's key can have made it.
        """
        if address != self.told:
            if self.locked is not None or not self.latch:
                return False
            same_host = self.told is not None and address[0] == self.told[0]
            if not (authentic or same_host or self._proved(address, ssrc, sequence)):
                return False
        self.locked = address
        self._candidates.clear()
        return True

    def _proved(self, address: Address, ssrc: int, sequence: int) -> bool:
        known_ssrc, next_sequence, count = self._candidates.pop(address, (-1, -1, 0))
        count = count + 1 if (ssrc, sequence) == (known_ssrc, next_sequence) else 1
        if len(self._candidates) == MOST_CANDIDATES:
            del self._candidates[next(iter(self._candidates))]
        self._candidates[address] = ssrc, sequence + 1 & 0xFFFF, count
        return count >= PROBATION
