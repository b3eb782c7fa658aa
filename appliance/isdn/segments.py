"""Messages longer than a frame: cut into SEGMENTs, and put together again.

Ref: ITU-T Q.931 (05/98), annex H, 4.5.26; bare clause numbers are Q.931's. One message at a time is put
together, since its segments follow one another. T314 needs no alarm: it is asked when the next segment comes.
"""
from appliance.isdn.elements import SegmentedMessage
from appliance.isdn.q931 import CALL_CONTROL, Message, MessageType, encode

N201_OCTETS = 260                                 # Q.921, 5.9.3
HEAD_OCTETS = 5                                   # discriminator, call reference and type of a message
PART_OCTETS = N201_OCTETS - HEAD_OCTETS - 4       # of the whole in a SEGMENT, which has its own element
MOST_SEGMENTS = 8                                 # H.2


def cut(octets: bytes) -> list[bytes]:
    """The messages that carry one of ours; itself when it fits a frame. ValueError: too long even so."""
    if len(octets) <= N201_OCTETS:
        return [octets]
    reference, kind, whole = int.from_bytes(octets[2:4], "big"), octets[4], octets[HEAD_OCTETS:]
    parts = [whole[at:at + PART_OCTETS] for at in range(0, len(whole), PART_OCTETS)]
    if len(parts) > MOST_SEGMENTS:
        raise ValueError(f"a message of {len(octets)} octets, more than {MOST_SEGMENTS} segments hold")
    return [encode(Message(
        MessageType.SEGMENT, reference & 0x7FFF, bool(reference & 0x8000),
        (SegmentedMessage(len(parts) - number - 1, kind, first=number == 0),), segment=part))
        for number, part in enumerate(parts)]


class Reassembly:
    """What came of a message of the far end whose segments are not all there."""

    def __init__(self) -> None:
        self._of: tuple[int, bool, int] | None = None       # call reference, its flag, type; None: nothing
        self._parts: list[bytes] = []
        self._remaining = 0
        self._deadline = 0.0                      # T314

    def take(self, message: Message, now: float, t314_s: float) -> bytes | None:
        """Of a SEGMENT: the whole message when it is the last one, no octets when more are to come. None: it
        does not belong to what came before, which is discarded."""
        part = message.first(SegmentedMessage)
        if part is None or part.type == MessageType.SEGMENT:
            return None
        of = (message.call_ref, message.to_originator, part.type)
        if part.first and part.remaining < MOST_SEGMENTS:
            self._of, self._parts = of, []
        elif self._of != of or part.remaining != self._remaining - 1 or now >= self._deadline:
            self._of = None
            return None
        self._parts.append(message.segment)
        self._remaining, self._deadline = part.remaining, now + t314_s
        if part.remaining:
            return b""
        self._of = None
        reference = message.call_ref | message.to_originator << 15
        return bytes((CALL_CONTROL, 2, reference >> 8, reference & 0xFF, part.type)) + b"".join(self._parts)

    def interrupted(self, message: Message) -> None:
        """Another message of that call: the rest will not come."""
        if self._of is not None and self._of[:2] == (message.call_ref, message.to_originator):
            self._of = None
