"""What legs say, as packets: all legs at once.

Ref: RFC 3550 5.1; RFC 3551 4.1 (marker after silence). Time stamps are those of the line's clock whatever was
sent meanwhile, so that a hold or an event is a hole of the right length for the far end.
"""

from functools import partial

import numpy as np
import numpy.typing as npt

from appliance.media import g711
from appliance.media.g711 import Octets
from appliance.media.rtp import packet
from appliance.media.rtp.alone import Failed, each
from appliance.media.rtp.events import Talker
from appliance.media.rtp.packet import HEADER_OCTETS, MARKER, PAYLOAD_AT, VERSION, Marks, Numbers, Rows
from appliance.media.rtp.settings import PTIMES_MS, Codec, LegSettings
from e1_driver import BLOCK, IDLE

BLOCK_MS = 10
PACKET_OCTETS = HEADER_OCTETS + max(PTIMES_MS) // BLOCK_MS * BLOCK


class Senders:
    """Rows are legs. `packets` uint8[rows, PACKET_OCTETS]: what take() said is due."""

    def __init__(self, rows: int, failed: Failed) -> None:
        self._failed = failed
        self.packets = np.full((rows, PACKET_OCTETS), IDLE, np.uint8)
        self.sent: Numbers = np.zeros(rows, np.int64)
        self.octets: Numbers = np.zeros(rows, np.int64)          # of payloads
        self.ssrc: Numbers = np.zeros(rows, np.int64)
        self._words: npt.NDArray[np.uint32] = self.packets.view(">u4")
        self._blocks = self.packets[:, HEADER_OCTETS:].reshape(rows, max(PTIMES_MS) // BLOCK_MS, BLOCK)
        self._rows: Rows = np.arange(rows)
        self._clock = 0
        self._offset: Numbers = np.zeros(rows, np.int64)         # of the time stamps
        self._sequence: npt.NDArray[np.uint16] = np.zeros(rows, np.uint16)
        self._filled: Numbers = np.zeros(rows, np.int64)         # blocks of the packet that is being made
        self._wanted: Numbers = np.ones(rows, np.int64)          # blocks of a whole one
        self._sends: Marks = np.zeros(rows, bool)
        self._mu_laws: set[int] = set()           # rows
        self._begin: Numbers = np.zeros(rows, np.int64)          # a packet's first word but its number
        self._marked: set[int] = set()            # rows whose next packet begins a talkspurt
        self._event_payload: Numbers = np.zeros(rows, np.int64)
        self._talkers: dict[int, Talker] = {}                    # legs with events to send

    def open(self, row: int, settings: LegSettings, ssrc: int, sequence: int, offset: int) -> None:
        """The three numbers are random (RFC 3550 5.1)."""
        self.sent[row] = self.octets[row] = 0
        self.ssrc[row], self._sequence[row], self._offset[row] = ssrc, sequence, offset
        self._filled[row] = row % (settings.ptime_ms // BLOCK_MS)         # legs take turns
        self.packets[row] = IDLE
        self._words[row, 2] = ssrc
        self._sends[row] = False
        self._talkers.pop(row, None)
        self.change(row, settings)

    def change(self, row: int, settings: LegSettings) -> None:
        sends = settings.direction.sends
        if sends and not self._sends[row]:
            self._marked.add(row)
        self._sends[row] = sends
        mu_law = settings.codec is Codec.PCMU
        (self._mu_laws.add if mu_law else self._mu_laws.discard)(row)
        self._begin[row] = VERSION | (packet.PCMU if mu_law else packet.PCMA) << PAYLOAD_AT
        self._wanted[row] = settings.ptime_ms // BLOCK_MS
        self._event_payload[row] = settings.event_payload or 0
        if not settings.event_payload:
            self._talkers.pop(row, None)

    def close(self, row: int) -> None:
        self._sends[row] = False
        self._mu_laws.discard(row)
        self._talkers.pop(row, None)

    def events(self, row: int, digits: str, tone: int, pause: int) -> None:
        """Samples of each. Nothing where events were not agreed."""
        if self._event_payload[row]:
            self._talkers.setdefault(row, Talker()).say(digits, tone, pause)

    def timestamp(self, row: int) -> int:
        """Of the sample that comes next."""
        return int(self._offset[row] + self._clock) & 0xFFFFFFFF

    def take(self, tx: Octets) -> tuple[list[int], list[int]]:
        """One block of all rows, A-law uint8[rows, BLOCK]; rows to be sent from now, and their octets."""
        self._blocks[self._rows, self._filled] = tx
        self._filled += 1
        self._clock += BLOCK
        full = self._filled >= self._wanted
        due = full & self._sends
        rows = due.nonzero()[0]
        if not rows.size:
            self._filled[full] = 0
            return [], []
        payloads = self._filled * BLOCK
        self._filled[full] = 0
        self._words[:, 0] = self._begin | self._sequence         # of all: those that are not due do no harm
        self._words[:, 1] = self._offset + (self._clock - payloads)
        if self._mu_laws:
            mu_law = [row for row in self._mu_laws if due[row]]
            self.packets[mu_law, HEADER_OCTETS:] = g711.mu_law(self.packets[mu_law, HEADER_OCTETS:])
        for row in [one for one in self._marked if due[one]]:
            self._marked.remove(row)
            self._words[row, 0] |= MARKER
        for row in [one for one in self._talkers if due[one]]:
            each([row], partial(self._talk, row, payloads), self._failed)
        self._sequence += due
        self.sent += due
        self.octets += payloads * due
        return rows.tolist(), (payloads[rows] + HEADER_OCTETS).tolist()

    def _talk(self, row: int, payloads: Numbers, _: slice) -> None:
        """An event's packet in place of the audio's, while there is one."""
        talker = self._talkers[row]
        said = talker.next(int(self._words[row, 1]), int(payloads[row]))
        if said is not None:
            payload, first = said
            self._words[row, 0] = (VERSION | first * MARKER | int(self._event_payload[row]) << PAYLOAD_AT
                                   | int(self._sequence[row]))
            self._words[row, 1] = talker.timestamp
            self.packets[row, HEADER_OCTETS:HEADER_OCTETS + len(payload)] = np.frombuffer(payload, np.uint8)
            self._marked.add(row)                 # the audio after it begins anew
            payloads[row] = len(payload)
        elif not talker.busy:
            del self._talkers[row]
