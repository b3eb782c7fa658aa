"""The signalling on the pages of contacts and spans: asked from trunkd, drawn as a ladder, sent as pcap."""

import time
from collections.abc import Iterable

from flask import Response, render_template

from appliance.bus.client import BusError
from appliance.bus.messages import (
    CallTrace,
    ContactLeg,
    GetCallTrace,
    GetContactLegs,
    GetSpanTrace,
    SpanTrace,
)
from e1_driver.watch import pcap
from webui.ladder_view import LadderView, contact_ladder, span_rows
from webui.parts import parts
from webui.rendered import Fragment

NAME = "signalling"                               # of the fragment
PAGE_FRAMES = 400
FILE_FRAMES = 20_000
LAST_S = 300.0                                    # of a span's file, unless told
LONGEST_S = 600.0                                 # that trunkd keeps of a span


def of_contact(contact: str) -> LadderView | None:
    """None: acdd or trunkd does not answer at this moment."""
    try:
        return contact_ladder(_traces(contact))
    except BusError:
        return None


def _traces(contact: str) -> list[tuple[ContactLeg, list[CallTrace]]]:
    ask = parts().exchange.ask
    return [(leg, ask(GetCallTrace(leg=leg.leg)).calls) for leg in ask(GetContactLegs(contact=contact)).legs]


def contact_fragment(contact: str, view: LadderView | None, ended: bool) -> Fragment:
    """`ended`: with it the page has all that it will ever show."""
    return NAME, render_template(
        "contacts/signalling.html", name=NAME, contact=contact, view=view, ended=ended)


def span_fragment(span: str) -> Fragment:
    try:
        rows = span_rows(parts().exchange.ask(GetSpanTrace(span=span, frames=PAGE_FRAMES)))
    except BusError:
        rows = None
    return NAME, render_template("spans/signalling.html", name=NAME, span=span, rows=rows)


def contact_file(contact: str) -> Response:
    """Of all its calls, by time. BusError: somebody does not answer."""
    found = [(frame.at, frame.sent, frame.octets, trace.network_side)
             for _, traces in _traces(contact) for trace in traces for frame in trace.frames]
    return _file(contact, (pcap.record(*frame) for frame in sorted(found)))


def span_file(span: str, last_s: float = LAST_S) -> Response:
    """The last `last_s`. BusError: trunkd does not answer."""
    found: SpanTrace = parts().exchange.ask(
        GetSpanTrace(span=span, since=time.time() - last_s, frames=FILE_FRAMES), 5.0)
    return _file(span, (pcap.record(frame.at, frame.sent, frame.octets, found.network_side)
                        for frame in found.frames))


def _file(name: str, records: Iterable[bytes]) -> Response:
    response = Response(b"".join((pcap.FILE_HEADER, *records)), mimetype="application/vnd.tcpdump.pcap")
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.pcap")
    return response
