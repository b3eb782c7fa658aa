"""recordd's own answers about quality, out of a real catalogue, behind the pages of a test."""

from typing import Any

from appliance.bus.client import Refused
from appliance.bus.messages import Request
from appliance.errors import StateError
from appliance.recording.quality.requests import ANSWERS
from tests.recording.quality.box import Box
from tests.webui.conftest import NAME, FakeExchange

PEOPLE = f"""\
    - {{name: {NAME}, may: [score, see, coach, decide, calibrate, publish]}}
  sampling:
    - {{name: monthly, form: service, period: week, per_agent: 2, scorers: [{NAME}]}}
"""


def answering(exchange: FakeExchange, box: Box) -> Any:
    """An `ask` for the exchange: of quality the box is asked, others as before."""
    others = exchange.ask

    def ask(request: Request[Any], timeout_s: float = 2.0) -> Any:
        if type(request) not in ANSWERS:
            return others(request, timeout_s)
        try:
            return box.ask(request)
        except StateError as error:
            raise Refused(str(error)) from None
    return ask
