"""What settings a line wants: the run over an open line, and what it found as facts."""

from dataclasses import asdict
from typing import Any

from e1_driver import Block, check_url
from e1_driver.ctl.runner import Line, Part
from e1_driver.ctl.status import Facts
from e1_driver.testing.detection import Detection, Phase

CRC4 = "crc4"
AUTO = "auto"                                     # both are found with it, and both far ends are content


class Detector(Part):
    def __init__(self, line: Line, detection: Detection) -> None:
        self.detection = detection
        self._line = line
        self._frames: list[bytes] = []

    @property
    def phase(self) -> Phase:
        return self.detection.phase

    def block(self, now: float, received: Block, sent: Block) -> None:
        self.detection.look(received)

    def frame(self, now: float, unix_s: float, frame: bytes) -> None:
        self._frames.append(frame)

    def tick(self, now: float, unix_s: float) -> None:
        span = self._line.span
        frames, self._frames = self._frames, []
        for frame in self.detection.turn(now, frames, span.status(), span.counters()):
            span.send_frame(frame)


def url_for(url: str) -> str:
    """With CRC-4 left to the line, where the interface can; else as it is. ValueError: it is wrong."""
    check_url(url)
    return with_crc4(url, AUTO) or url


def with_crc4(url: str, value: str) -> str:
    """`url` with this word on CRC-4; "": its interface takes none."""
    place, _, query = url.partition("?")
    options = [one for one in query.split("&") if one and not one.startswith(f"{CRC4}=")]
    try:
        return check_url(f"{place}?{'&'.join([*options, f'{CRC4}={value}'])}")
    except ValueError:
        return ""


def facts(line: Line, detector: Detector) -> Facts:
    """As JSON has them."""
    detection = detector.detection
    found: dict[str, Any] = {
        "command": "detect", "url": line.url, "up": detection.up, "looped": detection.looped,
        "findings": [asdict(one) for one in detection.findings()]}
    return found
