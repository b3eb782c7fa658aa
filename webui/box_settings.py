"""The box's own settings: a new box made ours, name, clock, keys, network on trial, and a factory reset."""

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_interface
from pathlib import Path
from typing import Any, TypeGuard

import yaml
from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    ChangeProvision,
    ConfirmNetwork,
    GetProvision,
    Provide,
    ProvisionReply,
    ResetBox,
    RevertNetwork,
    SetWallClock,
    TryNetwork,
)
from webui.access.again import knows_password
from webui.access.doors import may, need, needs
from webui.doing import ACT_S, do, why
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment
from webui.server import HERE

bp = Blueprint("box_settings", __name__, url_prefix="/box/settings")

TRIAL_S = 300.0
LOOK_S = 2.0                                      # how old the state of a trial on an open page may get
KNOWN_S = 10.0                                    # root's first answer after a start takes a while
MOST_WAYS = 8
FIRST_RUN = ("network", "time")                   # steps that have these forms, too
ONE, MANY = ("port", "vlan", "ipv4", "gateway4", "ipv6", "gateway6"), ("dns", "search")
NET = Path("/sys/class/net")

Way = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    mac: str
    cable: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person is asked to confirm before it is done. `addresses`: where the box is afterwards."""

    kind: str                                     # network, first
    kept: str                                     # as JSON, what the form sends again
    claim: str
    why: str
    ways: list[Way]
    addresses: list[str]
    hostname: str = ""


@bp.get("/")
@needs("box")
def index() -> str:
    return _index()


@bp.get("/events")
@needs("box")
def events() -> Response:
    def fragments(floor: Floor) -> Iterator[Fragment]:
        yield trial(_known())
    return stream(fragments, turn_s=LOOK_S)


@bp.get("/<any(own, first, network, keep, undo, time, reset):act>")
@needs("box")
def again(act: str) -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return _back()


@bp.post("/own")
@needs("box", by_hand=True)
def own() -> Any:
    """What changed of name, time zone, clock servers, hub and keys."""
    by, found = need("box"), _known()
    if found is None:
        abort(404)
    now = _document(found)
    keys = {name: value for name, value in _own(request.form, now).items() if value != now.get(name)}
    if not keys:
        return _back()
    return _act("settings", by, ChangeProvision(keys=keys, by="web"), ", ".join(sorted(keys)))


@bp.post("/first")
@needs("box", by_hand=True)
def first() -> Any:
    """A new box: its document is checked, and in force once the person has seen where the box will be."""
    by, claim = need("box"), request.form.get("claim", "").strip()
    if "kept" in request.form:
        kept = request.form["kept"]
        refused = do("first", by, Provide(document=kept, claim=claim, by="web"), why=why())
        return (_index(refused), 409) if refused else _back()
    document = {name: value for name, value in _own(request.form, {}).items() if value}
    document |= {"network": ways} if (ways := _ways(request.form)) else {}
    text = json.dumps(document, ensure_ascii=False)
    try:
        parts().exchange.ask(Provide(document=text, claim=claim, by="web", check=True), ACT_S)
    except Refused as error:
        return _index(str(error)), 409
    return _confirmed(Wanted(
        "first", text, claim, why(), ways, _addresses(ways), document.get("hostname", "")))


@bp.post("/network")
@needs("box", by_hand=True)
def network() -> Any:
    by, reason = need("box"), why()
    if "kept" in request.form:
        ways = _kept_ways(request.form["kept"])
        asked = TryNetwork(network=ways, by="web", for_s=TRIAL_S)
        return _act("network", by, asked, "; ".join(_in_words(way) for way in ways))
    ways = _ways(request.form)
    if not ways or not reason:
        return _index(gettext("Give a reason: it is kept.") if ways else
                      gettext("Name at least one port: without one nobody reaches the box.")), 409
    return _confirmed(Wanted("network", json.dumps(ways), "", reason, ways, _addresses(ways)))


@bp.post("/keep")
@needs("box", by_hand=True)
def keep() -> Any:
    """The network on trial stays: this came by it."""
    by = need("box")
    return _act("keep-network", by, ConfirmNetwork(through=_here(), by="web"), _here(), reasoned=False)


@bp.post("/undo")
@needs("box", by_hand=True)
def undo() -> Any:
    by = need("box")
    return _act("undo-network", by, RevertNetwork(), reasoned=False)


@bp.post("/time")
@needs("box", by_hand=True)
def set_time() -> Any:
    by = need("box")
    try:
        at = datetime.fromisoformat(request.form.get("at", "")).timestamp()
    except (ValueError, OverflowError, OSError):
        return _index(gettext("Write date and time like 2031-05-24 13:45.")), 409
    return _act("time", by, SetWallClock(to=at), request.form["at"])


@bp.post("/reset")
@needs("box", by_hand=True)
def reset() -> Any:
    """Only with the box's name and the own password typed, a reason, and the word that it is meant."""
    by, reason, name = need("box"), why(), request.form.get("name", "").strip()
    if not reason or "sure" not in request.form:
        return _index(gettext("Give a reason and tick the box above the button.")), 409
    if not knows_password():
        return _index(gettext("This is not your password.")), 409
    if refused := do("reset", by, ResetBox(name=name, by="web"), name, reason):
        return _index(refused), 409
    return render_template("box/gone.html")


def _act(act: str, by: str, asked: Any, what: str = "", *, reasoned: bool = True) -> Any:
    reason = why()
    if reasoned and not reason:
        return _index(gettext("Give a reason: it is kept.")), 409
    if refused := do(act, by, asked, what, reason):
        return _index(refused), 409
    return _back()


def _step() -> str:
    """The step of the first run whose form this is; "": it is of the page of the settings."""
    step = request.values.get("then", "")
    return step if step in FIRST_RUN and may(current_user, "commit") else ""


def _address() -> str:
    """Of the page that the form is on."""
    return url_for("first.show", step=step) if (step := _step()) else url_for("box_settings.index")


def _back() -> AnyResponse:
    return redirect(_address(), 303)


def _index(wrong: str = "") -> str:
    if wrong and (step := _step()):
        from webui.first.pages import page  # which stands on this room

        return page(step, wrong)
    found, why_not = _asked()
    return render_template(
        "box/settings.html", wrong=wrong, refused_because=why_not, name=socket.gethostname(),
        clock=parts().exchange.mirror.floor.time_of_day, fragments=[trial(found)[1]],
        **fields(found, request.form if wrong else {}))


def fields(found: ProvisionReply | None, typed: Mapping[str, str]) -> dict[str, Any]:
    """What box/ways.html stands on. `typed`: what was sent and is not taken."""
    document = _document(found) if found is not None and found.provisioned else {}
    ways = _typed_ways(typed)
    if "kept" in typed:                           # the second step, which has only that
        own, ways = _read_again(typed["kept"])
        typed = {**typed, **own}
    return {"found": found, "document": document, "typed": typed, "ports": _ports(), "most": MOST_WAYS,
            "ways": ways or document.get("network") or [{}],
            "now_here": datetime.now().strftime("%Y-%m-%dT%H:%M")}


def _confirmed(wanted: Wanted) -> str:
    port, back = request.host.rpartition("]")[2].partition(":")[2], _address()
    links = [f"{request.scheme}://{one}{f':{port}' if port else ''}{back}" for one in wanted.addresses]
    return render_template("box/confirm.html", wanted=wanted, minutes=int(TRIAL_S // 60), links=links,
                           then=_step(), back=back)


def trial(found: ProvisionReply | None, then: str = "") -> Fragment:
    """`then`: the step of the first run that shows it."""
    left_s = 0 if found is None else int(found.trial_left_s)
    return "trial", render_template("box/trial.html", name="trial", left_s=left_s, here=_here(), then=then)


def _known() -> ProvisionReply | None:
    """None: this machine is no installed box, or boxd does not answer."""
    return _asked()[0]


def _asked() -> tuple[ProvisionReply | None, str]:
    """And why it is refused, as on a machine that is no installed box; "": it is not."""
    try:
        return parts().exchange.ask(GetProvision(), KNOWN_S), ""
    except Refused as error:
        return None, str(error)
    except BusError:
        return None, ""


def _document(found: ProvisionReply) -> dict[str, Any]:
    document = yaml.safe_load(found.document)
    return document if isinstance(document, dict) else {}


def _own(form: Mapping[str, str], now: Mapping[str, Any]) -> dict[str, Any]:
    """The keys but `network`, as the form has them; what it has not stays, as PTP."""
    ntp = form.get("ntp", "").replace(",", " ").split()
    clock = dict(now.get("time", {}))
    if "ntp" in form and ntp != clock.get("ntp", []):
        clock = {"ntp": ntp}
    said = {"hostname": form.get("hostname", "").strip(), "time_zone": form.get("time_zone", "").strip(),
            "time": clock, "hub": form.get("hub", "").strip() or None,
            "admin_keys": [line.strip() for line in form.get("admin_keys", "").splitlines() if line.strip()]}
    return {name: value for name, value in said.items() if name == "time" or name in form or not now}


def _ways(form: Mapping[str, str]) -> list[Way]:
    """Those that have anything in them and are to stay."""
    return [way for way in _typed_ways(form) if not way.pop("gone", False)]


def _typed_ways(form: Mapping[str, str]) -> list[Way]:
    found = []
    for number in range(MOST_WAYS):
        way: Way = {name: text for name in ONE if (text := form.get(f"{name}-{number}", "").strip())}
        way |= {name: words for name in MANY
                if (words := form.get(f"{name}-{number}", "").replace(",", " ").split())}
        if way.get("vlan", "").isdecimal():
            way["vlan"] = int(way["vlan"])
        if way and f"gone-{number}" in form:
            way["gone"] = True
        if way:
            found.append(way)
    return found


def _kept_ways(text: str) -> list[Way]:
    try:
        found = json.loads(text)
    except ValueError:
        abort(400)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        abort(400)
    return found


def _read_again(text: str) -> tuple[dict[str, str], list[Way]]:
    """The fields and the ports of what waited to be confirmed; what makes no sense is left out."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}, []
    document = found if isinstance(found, dict) else {"network": found}
    clock = document.get("time")
    own = {name: value for name in ("hostname", "time_zone", "hub")
           if isinstance(value := document.get(name), str)}
    own |= {name: end.join(value) for name, value, end in (
        ("ntp", clock.get("ntp") if isinstance(clock, dict) else None, " "),
        ("admin_keys", document.get("admin_keys"), "\n")) if _texts(value)}
    ways = document.get("network")
    return own, [_sound(one) for one in ways[:MOST_WAYS] if isinstance(one, dict)] if isinstance(
        ways, list) else []


def _sound(way: Way) -> Way:
    return {name: value for name, value in way.items()
            if (name in ONE and isinstance(value, str | int)) or (name in MANY and _texts(value))}


def _texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _addresses(ways: list[Way]) -> list[str]:
    """Where the box is to be found, as part of a URL; those that a DHCP server gives nobody knows yet."""
    found = []
    for way in ways:
        for text in (way.get("ipv4", ""), way.get("ipv6", "")):
            try:
                address = ip_interface(text).ip
            except ValueError:
                continue
            found.append(f"[{address}]" if isinstance(address, IPv6Address) else str(address))
    return found


def _in_words(way: Way) -> str:
    return " ".join(f"{name}={' '.join(value) if isinstance(value, list) else value}"
                    for name, value in way.items())


def _here() -> str:
    """The box's address that the browser came to; "": nobody knows."""
    try:
        address = ip_address(str(request.environ.get(HERE, "")).partition("%")[0])
    except ValueError:
        return ""
    return str(address.ipv4_mapped or address) if isinstance(address, IPv6Address) else str(address)


def _ports() -> list[Port]:
    try:
        return [Port(one.name, _text(one / "address"), _text(one / "carrier") == "1")
                for one in sorted(NET.iterdir()) if (one / "device").exists()]
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:                               # a port that is down has no carrier to read
        return ""
