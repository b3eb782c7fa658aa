"""`e1ctl capture`: the D-channel or a timeslot of a line into a file, as it comes."""

from typing import BinaryIO

from e1_driver import D_TIMESLOT, Block
from e1_driver.ctl.runner import Part
from e1_driver.ctl.status import Facts
from e1_driver.ctl.table import paragraph, spoken_s
from e1_driver.watch import pcap
from e1_driver.watch.wav import SAMPLES_PER_S, TimeslotWav


class DChannelFile(Part):
    """Every frame that comes in, for Wireshark; the file is whole after each tick."""

    def __init__(self, file: BinaryIO, network_side: bool) -> None:
        self._file, self._network_side = file, network_side
        self._frames = 0
        file.write(pcap.FILE_HEADER)

    def frame(self, now: float, unix_s: float, frame: bytes) -> None:
        self._file.write(pcap.record(unix_s, False, frame, self._network_side))
        self._frames += 1

    def tick(self, now: float, unix_s: float) -> None:
        self._file.flush()

    def facts(self) -> Facts:
        return {"timeslot": D_TIMESLOT, "frames": self._frames}


class TimeslotFile(Part):
    """Both directions of one timeslot, received left, sent right."""

    def __init__(self, file: BinaryIO, timeslot: int) -> None:
        self._wav, self._timeslot = TimeslotWav(file), timeslot

    def block(self, now: float, received: Block, sent: Block) -> None:
        self._wav.add(received[self._timeslot], sent[self._timeslot])

    def facts(self) -> Facts:
        """The file is whole from here on."""
        self._wav.finish()
        return {"timeslot": self._timeslot, "samples": self._wav.samples}


def table(facts: Facts, width: int) -> list[str]:
    what = (f"{facts['frames']:,} D-channel frames" if "frames" in facts
            else f"{spoken_s(facts['samples'] / SAMPLES_PER_S)} of timeslot {facts['timeslot']}")
    standing = [alarm.upper() for alarm, stands in facts["alarms"].items() if stands]
    text = f"{facts['file']}: {what} in {spoken_s(facts['seconds'])}, {facts['octets']:,} octets"
    if standing:
        text += f"; the line has {', '.join(standing)}"
    return paragraph("", text, width, indent=0)
