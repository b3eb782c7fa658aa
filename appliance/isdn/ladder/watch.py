"""What each frame means to its link, frame by frame in the order they went: sent before, or mere upkeep.

Upkeep is what a link says all day when nothing is wrong: RR that acknowledge, and polls (T203) with their
answers while nothing is to be acknowledged. A poll for I frames that are not acknowledged (T200) is none.

Ref: ITU-T Q.921 (09/97), 5.6, 5.9.1 and 5.9.5; modulo 128.
"""

BEHIND = 63                                       # frames: more, and it is one of those to come
_RR, _SABME = 0x01, 0x6F
_PF = 0x10                                        # of an unnumbered frame


class LinkWatch:
    """One D-channel. It may begin at any time: what it has not seen yet is taken for in order."""

    def __init__(self, network_side: bool) -> None:
        self._network_side = network_side
        self._next: list[int | None] = [None, None]          # N(S) to come, from the far end and from us
        self._acked: list[int | None] = [None, None]         # N(R) that the other end said of them
        self._idle_poll = [False, False]          # the last poll from there was upkeep

    def see(self, sent: bool, octets: bytes) -> tuple[bool, bool]:
        """(sent again, upkeep) of the next frame."""
        if len(octets) < 4:
            if len(octets) == 3 and octets[2] & ~_PF == _SABME:
                self._next, self._acked = [0, 0], [0, 0]
            return False, False
        control, nr, final = octets[2], octets[3] >> 1, bool(octets[3] & 1)
        if not control & 1:
            self._acked[not sent] = nr
            return self._information(sent, control >> 1), False
        if control & 3 == 3:
            return False, False
        self._acked[not sent] = nr
        if control != _RR:
            self._idle_poll[sent] = False
            return False, False
        if not final:
            return False, True
        command = bool(octets[0] & 2) is (sent is self._network_side)
        if not command:
            return False, self._idle_poll[not sent]
        due = self._next[sent]
        self._idle_poll[sent] = idle = due is None or due == self._acked[sent]
        return False, idle

    def _information(self, sent: bool, ns: int) -> bool:
        """Whether layer 2 said it before: an N(S) behind the one to come."""
        due = self._next[sent]
        behind = 0 if due is None else (due - ns) % 128
        if 0 < behind <= BEHIND:
            return True
        self._next[sent] = (ns + 1) % 128
        if self._acked[sent] is None:
            self._acked[sent] = ns
        return False
