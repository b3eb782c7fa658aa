"""What legs say, as packets: all legs at once.

Ref: RFC 3550 5.1; RFC 3551 4.1 (marker after silence). Time stamps are those of the line's clock whatever was
sent meanwhile, so that a hold or an event is a hole of the right length for the far end.
"""

import numpy as np
import numpy.typing as npt

from appliance.media import g711
from appliance.media.g711 import Octets
from appliance.media.rtp import packet
from appliance.media.rtp.events import Talker
from appliance.media.rtp.packet import HEADER_OCTETS, MARKER, VERSION, Marks, Numbers, Rows
from appliance.media.rtp.settings import PTIMES_MS, Codec, LegSettings
from e1_driver import BLOCK, IDLE

BLOCK_MS = 10
PACKET_OCTETS = HEADER_OCTETS + max(PTIMES_MS) // BLOCK_MS * BLOCK


class Senders:
    """Rows are legs. `packets` uint8[rows, PACKET_OCTETS]: what take() said is due."""

    def __init__(self, rows: int) -> None:
        self.packets = np.full((rows, PACKET_OCTETS), IDLE, np.uint8)
        self.sent: Numbers = np.zeros(rows, np.int64)
        self.octets: Numbers = np.zeros(rows, np.int64)          # of payloads
        self.ssrc: Numbers = np.zeros(rows, np.int64)
        self._words: npt.NDArray[np.uint32] = self.packets.view(">u4")
        self._blocks = self.packets[:, HEADER_OCTETS:].reshape(rows, max(PTIMES_MS) // BLOCK_MS, BLOCK)
        self._rows: Rows = np.arange(rows)
        self._clock = 0
        self._offset: Numbers = np.zeros(rows, np.int64)         # of the time stamps
        self._sequence: Numbers = np.zeros(rows, np.int64)
        self._filled: Numbers = np.zeros(rows, np.int64)         # blocks of the packet that is being made
        self._wanted: Numbers = np.ones(rows, np.int64)          # blocks of a whole one
        self._sends: Marks = np.zeros(rows, bool)
        self._mu_law: Marks = np.zeros(rows, bool)
        self._marked: Marks = np.ones(rows, bool)                # the next packet begins a talkspurt
        self._event_payload: Numbers = np.zeros(rows, np.int64)
        self._talkers: dict[int, Talker] = {}                    # legs with events to send

    def open(self, row: int, settings: LegSettings, ssrc: int, sequence: int, offset: int) -> None:
        """The three numbers are random (RFC 3550 5.1)."""
        self.sent[row] = self.octets[row] = 0
        self.ssrc[row], self._sequence[row], self._offset[row] = ssrc, sequence, offset
        self._filled[row] = row % (settings.ptime_ms // BLOCK_MS)         # legs take turns
        self.packets[row] = IDLE
        self._sends[row] = False
        self._talkers.pop(row, None)
        self.change(row, settings)

    def change(self, row: int, settings: LegSettings) -> None:
        sends = settings.direction.sends
        self._marked[row] |= sends and not self._sends[row]
        self._sends[row] = sends
        self._mu_law[row] = settings.codec is Codec.PCMU
        self._wanted[row] = settings.ptime_ms // BLOCK_MS
        self._event_payload[row] = settings.event_payload or 0
        if not settings.event_payload:
            self._talkers.pop(row, None)

    def close(self, row: int) -> None:
        self._sends[row] = False
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
        due = (full & self._sends).nonzero()[0]
        blocks = self._filled[due]
        self._filled[full] = 0
        if not due.size:
            return [], []
        mu_law = due[self._mu_law[due]]
        if mu_law.size:
            self.packets[mu_law, HEADER_OCTETS:] = g711.mu_law(self.packets[mu_law, HEADER_OCTETS:])
        marked = self._marked[due]
        payload_type = np.where(self._mu_law[due], packet.PCMU, packet.PCMA)
        self._words[due, 0] = VERSION | marked * MARKER | payload_type << 16 | self._sequence[due]
        self._words[due, 1] = self._offset[due] + self._clock - blocks * BLOCK & 0xFFFFFFFF
        self._words[due, 2] = self.ssrc[due]
        payloads = blocks * BLOCK
        self._marked[due] = False
        for row in [*self._talkers]:
            if full[row] and self._sends[row]:
                at = int(due.searchsorted(row))
                payloads[at] = self._talk(row, int(payloads[at]))
        self._sequence[due] = self._sequence[due] + 1 & 0xFFFF
        self.sent[due] += 1
        self.octets[due] += payloads
        return due.tolist(), (payloads + HEADER_OCTETS).tolist()

    def _talk(self, row: int, samples: int) -> int:
        """An event's packet in place of the audio's, while there is one; octets of the payload."""
        talker = self._talkers[row]
        said = talker.next(int(self._words[row, 1]), samples)
        if said is not None:
            payload, first = said
            self._words[row, 0] = (VERSION | first * MARKER | int(self._event_payload[row]) << 16
                                   | int(self._sequence[row]))
            self._words[row, 1] = talker.timestamp
            self.packets[row, HEADER_OCTETS:HEADER_OCTETS + len(payload)] = np.frombuffer(payload, np.uint8)
            self._marked[row] = True              # the audio after it begins anew
            return len(payload)
        if not talker.busy:
            del self._talkers[row]
        return samples
