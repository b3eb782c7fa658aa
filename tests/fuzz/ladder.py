"""D-channel frames of any octets, in words: every one of them has some."""

from appliance.box.traces.drawing import ASCII, Drawing, as_json
from appliance.isdn.ladder import LinkWatch, Step, describe
from appliance.isdn.lapd import Side
from tests.isdn.captured import captured
from tests.webui.facts import AGENT, CALLER

_watch = LinkWatch(network_side=True)
_drawing = Drawing(100, ASCII, 0.0, details=True)


def corpus() -> list[bytes]:
    return [octets for script in (AGENT, CALLER) for _, _, octets in captured(script, Side.NETWORK, 0.0)]


def fuzz(data: bytes) -> None:
    for sent in (True, False):
        again, _ = _watch.see(sent, data)
        step = Step(1.0, describe(data, sent, network_side=True, again=again))
        assert step.rung.title
        assert all(line.isascii() and line.isprintable() for line in _drawing.lines(step))
        assert as_json(step)["octets"] == data.hex()
