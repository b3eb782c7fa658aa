"""Layer 2 of one primary-rate D-channel: a LAPD data link. Octets, requests and `now` go in; frames,
events and the next deadline come out.

link.py is the way in, table.py says what happens in which state (Annex B), connection.py and transfer.py what
is done then, entity.py what a link is made of.

Ref: ITU-T Q.921 (09/97); in every file of this package a bare clause number or figure is Q.921's.
"""
from appliance.isdn.q921.events import (
    TROUBLES,
    Established,
    LinkEvent,
    Received,
    ReceivedUnit,
    Released,
    Trouble,
)
from appliance.isdn.q921.link import Link
from appliance.isdn.q921.states import MODULO, UP, On, Parameters, State
from appliance.isdn.q921.statistics import LinkCounters, LinkStatistics
from appliance.isdn.q921.table import REFERENCES, TABLE

__all__ = ["MODULO", "REFERENCES", "TABLE", "TROUBLES", "UP", "Established", "Link", "LinkCounters",
           "LinkEvent", "LinkStatistics", "On", "Parameters", "Received", "ReceivedUnit", "Released", "State",
           "Trouble"]
