"""What two ends say to each other, frame by frame: real links, so that layer 2 is as on a line."""
from collections.abc import Iterable

from appliance.isdn.ladder import Frame
from appliance.isdn.lapd import Side
from appliance.isdn.q921 import Link
from appliance.isdn.q931 import Message, encode

Said = tuple[Side, Message]


def captured(messages: Iterable[Said], box: Side, start_unix_s: float, gap_s: float = 0.01) -> list[Frame]:
    """The frames as the box at side `box` sees them: link up, the messages, `gap_s` between frames."""
    links = {side: Link(side) for side in Side}
    frames: list[Frame] = []

    def carry() -> None:
        while taken := [(side, octets) for side, link in links.items() for octets in link.take_frames()]:
            for side, octets in taken:
                frames.append((start_unix_s + gap_s * len(frames), side is box, octets))
                links[side.peer].receive(octets, 0.0)

    links[Side.USER].establish(0.0)
    carry()
    for side, message in messages:
        links[side].send(encode(message), 0.0)
        carry()
    return frames
