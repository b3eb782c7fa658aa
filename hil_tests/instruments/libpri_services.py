"""The supplementary services of libpri: what to ask of it, and what it tells in an event's subcommands.

Numbers and names are in libpri's own terms (libpri.h).
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CDEF = """
#define PRI_EVENT_FACILITY ...
#define PRI_EVENT_NOTIFY ...
#define PRI_SUBCMD_REDIRECTING ...
#define PRI_SUBCMD_CONNECTED_LINE ...
#define PRI_SUBCMD_REROUTING ...
#define PRI_SUBCMD_TRANSFER_CALL ...
#define PRI_SUBCMD_AOC_CHARGING_REQ ...
#define PRI_SUBCMD_MCID_REQ ...
#define PRI_SUBCMD_MCID_RSP ...
#define PRI_AOC_DE_CHARGE_NOT_AVAILABLE ...
#define PRI_AOC_DE_CHARGE_FREE ...
#define PRI_AOC_DE_CHARGE_CURRENCY ...
#define PRI_AOC_DE_CHARGE_UNITS ...
#define PRI_AOC_RATE_TYPE_DURATION ...
#define PRI_AOC_CHARGED_ITEM_BASIC_COMMUNICATION ...
#define PRI_REDIR_FORWARD_ON_NO_REPLY ...
#define PRI_REROUTING_RSP_OK_CLEAR ...
#define PRI_REROUTING_RSP_NOT_ALLOWED ...

struct pri_party_name { int valid; int presentation; int char_set; char str[64]; };
struct pri_party_number { int valid; int presentation; int plan; char str[64]; };
struct pri_party_subaddress {
    int valid; int type; int odd_even_indicator; int length; unsigned char data[32];
};
struct pri_party_id {
    struct pri_party_name name; struct pri_party_number number; struct pri_party_subaddress subaddress;
};
struct pri_party_connected_line { struct pri_party_id id; };
struct pri_party_redirecting {
    struct pri_party_id from; struct pri_party_id to; struct pri_party_id orig_called;
    int count; int orig_reason; int reason;
};
struct pri_rerouting_data {
    struct pri_party_id caller; struct pri_party_redirecting deflection; int subscription_option;
    int invoke_id;
};
struct pri_subcmd_transfer {
    q931_call *call_1; q931_call *call_2; int is_call_1_held; int is_call_2_held; int invoke_id;
};
struct pri_aoc_amount { long cost; int multiplier; };
struct pri_aoc_time { long length; int scale; };
struct pri_aoc_recorded_currency { struct pri_aoc_amount amount; char currency[11]; };
struct pri_aoc_units_element { long number; int type; };
struct pri_aoc_recorded_units { int num_items; struct pri_aoc_units_element item[32]; };
struct pri_aoc_duration {
    struct pri_aoc_amount amount; struct pri_aoc_time time; struct pri_aoc_time granularity;
    int charging_type; char currency[11];
};
struct pri_aoc_flat { struct pri_aoc_amount amount; char currency[11]; };
struct pri_aoc_volume { struct pri_aoc_amount amount; int unit; char currency[11]; };
struct pri_aoc_s_element {
    int chargeable; int rate_type;
    union {
        struct pri_aoc_duration duration; struct pri_aoc_flat flat; struct pri_aoc_volume volume; int special;
    } rate;
};
struct pri_subcmd_aoc_s { int num_items; struct pri_aoc_s_element item[10]; };
struct pri_subcmd_aoc_d {
    int charge; int billing_accumulation; int billing_id;
    union { struct pri_aoc_recorded_currency money; struct pri_aoc_recorded_units unit; } recorded;
};
struct pri_aoc_e_charging_association {
    union { struct pri_party_number number; int id; } charge; int charging_type;
};
struct pri_subcmd_aoc_e {
    int charge; int billing_id;
    union { struct pri_aoc_recorded_currency money; struct pri_aoc_recorded_units unit; } recorded;
    struct pri_aoc_e_charging_association associated;
};
struct pri_subcmd_aoc_request_response {
    struct pri_subcmd_aoc_s aoc_s; int valid_aoc_s; int charging_request; int charging_response;
};
struct pri_subcmd_aoc_request { int charging_request; int invoke_id; };
struct pri_subcmd_mcid_req { struct pri_party_id originator; struct pri_party_id answerer; };
struct pri_subcmd_mcid_rsp { int status; int fail_code; };
struct pri_subcommand {
    int cmd;
    union {
        char reserve_space[512]; struct pri_party_connected_line connected_line;
        struct pri_party_redirecting redirecting; struct pri_rerouting_data rerouting;
        struct pri_subcmd_transfer transfer; struct pri_subcmd_aoc_request aoc_request;
        struct pri_subcmd_aoc_request_response aoc_request_response; struct pri_subcmd_aoc_s aoc_s;
        struct pri_subcmd_aoc_d aoc_d; struct pri_subcmd_aoc_e aoc_e; struct pri_subcmd_mcid_req mcid_req;
        struct pri_subcmd_mcid_rsp mcid_rsp;
    } u;
};
struct pri_subcommands { int counter_subcmd; struct pri_subcommand subcmd[8]; };
struct pri_event_facility { int channel; q931_call *call; struct pri_subcommands *subcmds; ...; };

void pri_aoc_events_enable(struct pri *, int);
void pri_transfer_enable(struct pri *, int);
void pri_reroute_enable(struct pri *, int);
void pri_mcid_enable(struct pri *, int);
int pri_aoc_s_send(struct pri *, q931_call *, const struct pri_subcmd_aoc_s *);
int pri_aoc_d_send(struct pri *, q931_call *, const struct pri_subcmd_aoc_d *);
int pri_aoc_e_send(struct pri *, q931_call *, const struct pri_subcmd_aoc_e *);
int pri_mcid_req_send(struct pri *, q931_call *);
int pri_channel_bridge(q931_call *, q931_call *);
int pri_reroute_call(struct pri *, q931_call *, const struct pri_party_id *,
                     const struct pri_party_redirecting *, int subscription_option);
int pri_rerouting_rsp(struct pri *, q931_call *, int invoke_id, int code);
int pri_transfer_rsp(struct pri *, q931_call *, int invoke_id, int is_successful);
int pri_connected_line_update(struct pri *, q931_call *, const struct pri_party_connected_line *);
int pri_redirecting_update(struct pri *, q931_call *, const struct pri_party_redirecting *);
void pri_sr_set_redirecting_parties(struct pri_sr *, const struct pri_party_redirecting *);
void pri_sr_set_caller_party(struct pri_sr *, const struct pri_party_id *);
"""

Reader = Callable[[Any, Any], dict[str, Any]]

ALLOWED_AND_PASSED = 0x01                         # presentation allowed, user's number, verified and passed


@dataclass(frozen=True, slots=True)
class Told:
    """A subcommand of an event: its name and what of it is looked at."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)


def told(ffi: Any, lib: Any, commands: Any) -> tuple[Told, ...]:
    """All subcommands of an event, copied."""
    if commands == ffi.NULL:
        return ()
    readers = _readers(lib)
    each = (commands.subcmd[at] for at in range(commands.counter_subcmd))
    return tuple(_copied(ffi, readers, one) for one in each)


def _copied(ffi: Any, readers: dict[int, tuple[str, Reader]], command: Any) -> Told:
    name, read = readers.get(command.cmd, (f"subcommand {command.cmd}", _none))
    return Told(name, read(ffi, command.u))


def _readers(lib: Any) -> dict[int, tuple[str, Reader]]:
    return {
        lib.PRI_SUBCMD_REDIRECTING: ("redirecting", lambda ffi, u: _redirecting(ffi, u.redirecting)),
        lib.PRI_SUBCMD_CONNECTED_LINE: ("connected line", lambda ffi, u: _party(ffi, u.connected_line.id)),
        lib.PRI_SUBCMD_REROUTING: ("rerouting", lambda ffi, u: {
            **_redirecting(ffi, u.rerouting.deflection), "invoke": u.rerouting.invoke_id}),
        lib.PRI_SUBCMD_TRANSFER_CALL: ("transfer", lambda ffi, u: {
            "calls": (u.transfer.call_1, u.transfer.call_2), "invoke": u.transfer.invoke_id}),
        lib.PRI_SUBCMD_AOC_CHARGING_REQ: ("charging request", lambda ffi, u: {
            "cases": u.aoc_request.charging_request, "invoke": u.aoc_request.invoke_id}),
        lib.PRI_SUBCMD_MCID_REQ: ("malicious call", _none),
        lib.PRI_SUBCMD_MCID_RSP: ("malicious call answered", lambda ffi, u: {"status": u.mcid_rsp.status}),
    }


def _none(ffi: Any, u: Any) -> dict[str, Any]:
    return {}


def _party(ffi: Any, party: Any) -> dict[str, Any]:
    return {"number": _text(ffi, party.number), "name": _text(ffi, party.name),
            "presentation": party.number.presentation}


def _redirecting(ffi: Any, redirecting: Any) -> dict[str, Any]:
    return {"from": _text(ffi, getattr(redirecting, "from").number),
            "to": _text(ffi, redirecting.to.number), "original": _text(ffi, redirecting.orig_called.number),
            "count": redirecting.count, "reason": redirecting.reason}


def _text(ffi: Any, part: Any) -> str:
    return str(ffi.string(part.str).decode("latin-1")) if part.valid else ""


class Services:
    """What a Controller can be asked beyond calls. RuntimeError when libpri refuses."""

    def __init__(self, ffi: Any, lib: Any, pri: Any) -> None:
        self._ffi, self._lib, self._pri = ffi, lib, pri

    def enable(self) -> None:
        """All of them."""
        self._lib.pri_facility_enable(self._pri)
        for switch_on in (self._lib.pri_aoc_events_enable, self._lib.pri_transfer_enable,
                          self._lib.pri_reroute_enable, self._lib.pri_mcid_enable):
            switch_on(self._pri, 1)

    def charge_units(self, handle: Any, units: int, *, end: bool) -> None:
        charge = self._charge(end)
        charge.charge = self._lib.PRI_AOC_DE_CHARGE_UNITS
        charge.recorded.unit.num_items = 1
        charge.recorded.unit.item[0].number, charge.recorded.unit.item[0].type = units, -1
        self._send_charge(handle, charge, end)

    def charge_currency(self, handle: Any, cost: int, multiplier: int, currency: str, *, end: bool) -> None:
        """`multiplier`: 0 to 6 for thousandths to thousands."""
        charge = self._charge(end)
        charge.charge = self._lib.PRI_AOC_DE_CHARGE_CURRENCY
        charge.recorded.money.amount.cost, charge.recorded.money.amount.multiplier = cost, multiplier
        charge.recorded.money.currency = currency.encode()
        self._send_charge(handle, charge, end)

    def charge_nothing(self, handle: Any, *, free: bool, end: bool) -> None:
        """Free of charge, or: charge not available."""
        charge = self._charge(end)
        charge.charge = (self._lib.PRI_AOC_DE_CHARGE_FREE if free
                         else self._lib.PRI_AOC_DE_CHARGE_NOT_AVAILABLE)
        self._send_charge(handle, charge, end)

    def tell_rate(self, handle: Any, cost: int, multiplier: int, currency: str, per_s: int) -> None:
        rates = self._ffi.new("struct pri_subcmd_aoc_s *")
        rates.num_items = 1
        rates.item[0].chargeable = self._lib.PRI_AOC_CHARGED_ITEM_BASIC_COMMUNICATION
        rates.item[0].rate_type = self._lib.PRI_AOC_RATE_TYPE_DURATION
        duration = rates.item[0].rate.duration
        duration.amount.cost, duration.amount.multiplier = cost, multiplier
        duration.time.length, duration.time.scale = per_s, 2          # seconds
        duration.currency = currency.encode()
        self._done("pri_aoc_s_send", self._lib.pri_aoc_s_send(self._pri, handle, rates))

    def _charge(self, end: bool) -> Any:
        charge = self._ffi.new("struct pri_subcmd_aoc_e *" if end else "struct pri_subcmd_aoc_d *")
        if not end:
            charge.billing_accumulation = 1       # the total so far
        return charge

    def _send_charge(self, handle: Any, charge: Any, end: bool) -> None:
        send = self._lib.pri_aoc_e_send if end else self._lib.pri_aoc_d_send
        self._done("pri_aoc_send", send(self._pri, handle, charge))

    def trace_malicious(self, handle: Any) -> None:
        self._done("pri_mcid_req_send", self._lib.pri_mcid_req_send(self._pri, handle))

    def transfer(self, handle: Any, other: Any) -> None:
        """Two B-channel transfer, in the manner of the switch type."""
        self._done("pri_channel_bridge", self._lib.pri_channel_bridge(handle, other))

    def answer_transfer(self, handle: Any, invoke: int, granted: bool) -> None:
        self._done("pri_transfer_rsp", self._lib.pri_transfer_rsp(self._pri, handle, invoke, granted))

    def deflect(self, handle: Any, to: str, own: str, reason: int) -> None:
        """Call rerouting or deflection to `to`; reason as PRI_REDIR_*."""
        deflection = self._redirecting(own, to, reason)
        self._done("pri_reroute_call", self._lib.pri_reroute_call(
            self._pri, handle, self._ffi.NULL, deflection, 0))

    def answer_deflection(self, handle: Any, invoke: int, granted: bool) -> None:
        code = (self._lib.PRI_REROUTING_RSP_OK_CLEAR if granted
                else self._lib.PRI_REROUTING_RSP_NOT_ALLOWED)
        self._done("pri_rerouting_rsp", self._lib.pri_rerouting_rsp(self._pri, handle, invoke, code))

    def connected_line(self, handle: Any, number: str, name: str) -> None:
        """Who is at our end: before the answer for CONNECT, during the call as a transfer."""
        line = self._ffi.new("struct pri_party_connected_line *")
        self._fill(line.id, number, name)
        self._done("pri_connected_line_update",
                   self._lib.pri_connected_line_update(self._pri, handle, line))

    def subaddress(self, octets: bytes) -> Any:
        """User specified, for a setup request."""
        subaddress = self._ffi.new("struct pri_party_subaddress *")
        subaddress.valid, subaddress.type, subaddress.length = 1, 2, len(octets)
        self._ffi.memmove(subaddress.data, octets, len(octets))
        return subaddress

    def redirecting(self, request: Any, own: str, reason: int) -> None:
        """Into a setup request: it was diverted from `own`."""
        self._lib.pri_sr_set_redirecting_parties(request, self._redirecting(own, "", reason))

    def redirected(self, handle: Any, own: str, to: str, reason: int) -> None:
        """The call goes from `own` to `to` now."""
        self._done("pri_redirecting_update", self._lib.pri_redirecting_update(
            self._pri, handle, self._redirecting(own, to, reason)))

    def _redirecting(self, own: str, to: str, reason: int) -> Any:
        redirecting = self._ffi.new("struct pri_party_redirecting *")
        self._fill(getattr(redirecting, "from"), own, "")
        if to:
            self._fill(redirecting.to, to, "")
        self._fill(redirecting.orig_called, own, "")
        redirecting.count, redirecting.reason, redirecting.orig_reason = 1, reason, reason
        return redirecting

    def _fill(self, party: Any, number: str, name: str) -> None:
        party.number.valid, party.number.presentation, party.number.plan = 1, ALLOWED_AND_PASSED, 0
        party.number.str = number.encode()
        if name:
            party.name.valid, party.name.char_set = 1, 1
            party.name.str = name.encode("latin-1")

    def _done(self, what: str, code: int) -> None:
        if code < 0:
            raise RuntimeError(f"{what}: refused")
