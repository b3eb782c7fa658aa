"""What happens in which state: all cells of Annex B, each with the figure or the clause that it is from."""
from collections.abc import Callable

from appliance.isdn.q921 import connection as c
from appliance.isdn.q921 import transfer as t
from appliance.isdn.q921.entity import Entity
from appliance.isdn.q921.states import On, State

Cell = Callable[[Entity], None]

# Columns: states 4 to 8, then where each of the five cells is from: a figure of Annex B, the clause that says
# what is passed over, or that for which a thing cannot happen in the state.
_ROWS: dict[On, tuple[Cell, Cell, Cell, Cell, Cell, str]] = {
    On.ESTABLISH: (c.begin, c.begin_instead, c.begin_later, c.begin, c.begin, "B.4 B.5 B.6 B.7 B.8"),
    On.RELEASE: (c.end_at_once, c.end_later, c.end_after_all, c.end, c.end, "B.4 B.5 B.6 B.7 B.8"),
    On.DATA: (c.refuse, t.enqueue_if_resetting, c.refuse, t.enqueue, t.enqueue, "4.2.2 B.5 4.2.2 B.7 B.8"),
    On.UNIT_DATA: (c.send_unit, c.send_unit, c.send_unit, c.send_unit, c.send_unit, "B.9 B.9 B.9 B.9 B.9"),
    On.DEACTIVATED: (c.ignore, c.deactivated, c.deactivated, c.deactivated, c.deactivated,
                     "B.4 B.5 B.6 B.7 B.8"),
    On.BUSY: (t.note_busy, t.note_busy, t.note_busy, t.turn_busy, t.turn_busy, "5.6.6 5.6.6 5.6.6 B.7 B.8"),
    On.READY: (t.note_ready, t.note_ready, t.note_ready, t.turn_ready, t.turn_ready,
               "5.6.6 5.6.6 5.6.6 B.7 B.8"),
    On.QUEUED: (c.ignore, c.ignore, c.ignore, t.send_queued, c.ignore, "5.5.4 B.5 5.5.3.2 B.7 B.8"),
    On.ACKNOWLEDGE: (c.ignore, c.ignore, c.ignore, t.acknowledge, t.acknowledge,
                     "5.6.3.1 5.6.3.1 5.6.3.1 B.7 B.8"),
    On.SABME: (c.accept, c.answer_crossing, c.refuse_sabme, c.accept_reset, c.accept_reset,
               "B.4 B.5 B.6 B.7 B.8"),
    On.DISC: (c.refuse_disc, c.refuse_disc, c.agree_to_disc, c.be_released, c.be_released,
              "B.4 B.5 B.6 B.7 B.8"),
    On.UA: (c.unasked_ua, c.established, c.released, c.unasked_ua, c.unasked_ua, "B.4 B.5 B.6 B.7 B.8"),
    On.DM: (c.invited, c.refused, c.released_already, c.unasked_dm, c.lost_peer, "B.4 B.5 B.6 B.7 B.8"),
    On.FRMR: (c.ignore, c.ignore, c.ignore, c.frame_reject, c.frame_reject, "5.8.6 5.8.6 5.8.6 B.7 B.8"),
    On.INFORMATION: (c.ignore, c.after_crossing(t.information), c.ignore, t.information,
                     t.information_recovering, "5.5.4 5.5.1.2 5.5.3.2 B.7 B.8"),
    On.RR: (c.ignore, c.after_crossing(t.ready), c.ignore, t.ready, t.recover,
            "5.5.4 5.5.1.2 5.5.3.2 B.7 B.8"),
    On.RNR: (c.ignore, c.after_crossing(t.not_ready), c.ignore, t.not_ready, t.recover,
             "5.5.4 5.5.1.2 5.5.3.2 B.7 B.8"),
    On.REJ: (c.ignore, c.after_crossing(t.rejected), c.ignore, t.rejected, t.recover,
             "5.5.4 5.5.1.2 5.5.3.2 B.7 B.8"),
    On.UI: (c.unit, c.unit, c.unit, c.unit, c.unit, "B.9 B.9 B.9 B.9 B.9"),
    On.XID: (c.answer_xid, c.answer_xid, c.answer_xid, c.answer_xid, c.answer_xid,
             "3.6.12 3.6.12 3.6.12 3.6.12 3.6.12"),
    On.BAD: (c.report_bad, c.report_bad, c.report_bad, c.reset_for_bad, c.reset_for_bad,
             "B.9 B.9 B.9 B.9 B.9"),
    On.T200: (c.ignore, c.sabme_again, c.disc_again, t.ask_for_acknowledgement, t.ask_again,
              "5.9.1 B.5 B.6 B.7 B.8"),
    On.T203: (c.ignore, c.ignore, c.ignore, t.ask_for_life, c.ignore, "5.9.8 5.9.8 5.9.8 B.7 5.9.8"),
}
TABLE: dict[State, dict[On, Cell]] = {
    state: {on: row[:5][column] for on, row in _ROWS.items()} for column, state in enumerate(State)}
REFERENCES: dict[tuple[State, On], str] = {
    (state, on): reference for on, row in _ROWS.items()
    for state, reference in zip(State, row[5].split(), strict=True)}
