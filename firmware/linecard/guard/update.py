"""New firmware from the host: into the slot that does not run, looked at there, started on trial.

What is refused is refused by the head, before anything is written. Until the host confirms what is on trial
the slot before it is the confirmed one: a trial that starts too often, or lasts too long, is over.
"""

from firmware.control import CHUNK_OCTETS, PHASES
from firmware.image import ImageError, matches, verified
from firmware.linecard.guard.slots import PAYLOAD_AT
from firmware.linecard.hal import PAGE_OCTETS, SECTOR_OCTETS, since_ms

try:
    from firmware.image import Head
    from firmware.linecard.guard.slots import Record
    from firmware.linecard.hal import Slot
except ImportError:                               # MicroPython: annotations are not looked at
    pass

TRIAL_MS = 300_000
SILENT_MS = 60_000                                # a host that sends an image is not silent for so long

IDLE, RECEIVING, STAGED, TRIAL = range(len(PHASES))


class Update:
    """A refusal is a sentence; "": done. All of it may come twice."""

    def __init__(self, slots: "tuple[Slot, Slot]", record: "Record", running: int,
                 version: "tuple[int, int, int]", hardware: str, modulus: int, now_ms: int) -> None:
        """`running`: slot or BUILT_IN; `version` of what runs."""
        self._slots, self._record, self._running = slots, record, running
        self._version, self._hardware, self._modulus = version, hardware, modulus
        self._into = 1 if running == 0 else 0
        self._head: Head | None = None
        self._octets = b""                        # the head as it came
        self._began_ms = now_ms                   # of the trial; of the last step of what is sent
        self._moved_to = -1                       # the offset then
        self.offset = 0                           # what of the payload is wanted next
        self.phase = TRIAL if record.trial is not None and record.trial == running else IDLE

    @property
    def on_trial(self) -> bool:
        """What runs is."""
        return self.phase == TRIAL

    @property
    def octets(self) -> int:
        """Of the payload that is on its way."""
        return self._head.octets if self._head is not None else 0

    def begin(self, forced: bool, octets: bytes) -> str:
        """`octets`: the head. `forced`: an older version, too."""
        if self.phase == TRIAL:
            return "the firmware that runs is on trial: confirm it, or wait until it is over"
        if self._head is not None and octets == self._octets:
            return ""                             # it goes on where it was
        try:
            head = verified(octets, self._modulus)
            self._check(head, forced)
            self._slots[self._into].erase(0)      # from now on there is no image in it
        except ImageError as error:
            return str(error)
        except OSError as error:
            return f"the slot cannot be written: {error}"
        self._head, self._octets, self.offset, self.phase = head, bytes(octets), 0, RECEIVING
        return ""

    def chunk(self, at: int, octets: bytes) -> str:
        """CHUNK_OCTETS, fewer only at the end. What is not wanted now is left: `offset` says what is."""
        if self.phase == RECEIVING and at == self.offset:
            if len(octets) != min(CHUNK_OCTETS, self.octets - at) or not octets:
                return f"a chunk of {len(octets)} octets at {at}"
            slot = self._slots[self._into]
            try:
                if at % SECTOR_OCTETS == 0:
                    slot.erase(PAYLOAD_AT + at)
                slot.write(PAYLOAD_AT + at, _padded(octets))
            except OSError as error:
                self._forget()
                return f"the slot cannot be written: {error}"
            self.offset += len(octets)
        return ""

    def end(self) -> str:
        """The payload is read back; its head follows when it is what was signed."""
        if self.phase == STAGED:
            return ""
        head, slot = self._head, self._slots[self._into]
        if head is None or self.phase != RECEIVING or self.offset != head.octets:
            return f"{self.offset} of {self.octets} octets are here"
        if not matches(head, slot.view()[PAYLOAD_AT:]):
            self._forget()
            return "the payload is not the one that was signed: send it again"
        try:
            slot.write(0, _padded(self._octets))
        except OSError as error:
            self._forget()
            return f"the slot cannot be written: {error}"
        self.phase = STAGED
        return ""

    def activate(self) -> str:
        """What was staged is on trial from the next start on, which is up to the caller."""
        if self.phase != STAGED:
            return "nothing is staged"
        return self._keep(self._record.confirmed, self._into)

    def confirm(self) -> str:
        if self.phase == TRIAL:
            refusal = self._keep(self._running, None)
            if refusal:
                return refusal
            self.phase = IDLE
        return "" if self._running == self._record.confirmed else "nothing is on trial"

    def over(self, now_ms: int) -> bool:
        """Nobody confirmed the trial in time: the next start is of the confirmed slot.

        What is sent, and goes on no more, is forgotten.
        """
        if self.phase in (RECEIVING, STAGED):
            if self.offset != self._moved_to:
                self._moved_to, self._began_ms = self.offset, now_ms
            elif since_ms(now_ms, self._began_ms) >= SILENT_MS:
                self._forget()
        if self.phase != TRIAL or since_ms(now_ms, self._began_ms) < TRIAL_MS:
            return False
        self._began_ms = now_ms                   # where it cannot be kept, later
        return not self._keep(self._record.confirmed, None)

    def _check(self, head: "Head", forced: bool) -> None:
        if head.hardware != self._hardware:
            raise ImageError(f"the image is for {head.hardware}, this card is {self._hardware}")
        if head.version < self._version and not forced:
            raise ImageError(f"version {head.version_text} is older than what runs: say so if you want it")
        room = self._slots[self._into].octets - PAYLOAD_AT
        if not 0 < head.octets <= room:
            raise ImageError(f"a payload of {head.octets} octets, there is room for {room}")

    def _keep(self, confirmed: int, trial: int | None) -> str:
        try:
            self._record.keep(confirmed, trial, 0)
        except OSError as error:
            return f"it cannot be kept: {error}"
        return ""

    def _forget(self) -> None:
        self._head, self._octets, self.offset, self.phase, self._moved_to = None, b"", 0, IDLE, -1


def _padded(octets: bytes) -> bytes:
    return octets + b"\xff" * (-len(octets) % PAGE_OCTETS)
