"""What holds for all queues together: targets, the order of service, what grades of customers are worth."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request, url_for
from flask_babel import lazy_gettext as _l

from appliance.config.schema import CentreConfig
from webui.access.doors import needs
from webui.centre import targets
from webui.centre.blueprint import bp, meanwhile, now, shown
from webui.centre.forms import Field, Wrong, read, text_of
from webui.centre.forms import sent as form_sent
from webui.centre.forms import shown as form_shown
from webui.centre.held import Held, Mistake, of_version
from webui.centre.kinds import Kind
from webui.centre.labels import sheet
from webui.centre.pages import both, proposed

COMMON = Kind("common", ("centre",), CentreConfig, _l("For all queues"), _l("For all queues"), ())
WHO_FIRST = ("order", "grades")


@bp.get("/common")
@needs("configure", whole=True)
def common() -> str:
    return _form(now(), None)


@bp.post("/common")
@needs("commit", by_hand=True, whole=True)
def save_common() -> Any:
    held = now()
    draft = held.draft()
    centre = draft.get("centre") or {}
    bad: list[Wrong] = []
    sent = form_sent(targets.of_all(), request.form)
    if request.form.get("head", -1, int) != held.head and (merged := _merged(held, sent)) is not None:
        return _form(held, merged, {"": [meanwhile(held)]}), 409
    new = targets.without_rows(read(targets.of_all(), sent, targets.with_rows(centre), bad), bad)
    wrong: dict[str, list[str]] = {}
    for one in bad:
        wrong.setdefault(one.key.partition("[")[0], []).append(f"{sheet(one.why)}: {one.about}")
    if wrong:
        return _form(held, sent, wrong), 422
    draft["centre"] = new
    return proposed(held, draft, url_for("centre.common"),
                    lambda refusal: _form(held, sent, _placed(refusal.mistakes)))


def _form(held: Held, values: Mapping[str, Any] | None, wrong: Mapping[str, list[str]] | None = None) -> str:
    fields = targets.of_all()
    laid_out = [(_l("Whom an agent of several queues serves first"),
                 [one for one in fields if one.key in WHO_FIRST]),
                (_l("Targets of all queues"), [one for one in fields if one.key not in WHO_FIRST])]
    return shown(
        "form", "common", held, kind=COMMON, name="", laid_out=laid_out, wrong=wrong or {}, place=0, count=0,
        values=_values(held) if values is None else values, offered={}, serves={}, rows=_rows(held),
        own=targets.OF_QUEUE, options=lambda field, prefix="": field.options)


def _values(held: Held) -> dict[str, Any]:
    return form_shown(targets.of_all(), targets.with_rows(held.plain.get("centre") or {}))


def _rows(held: Held) -> list[tuple[str, list[tuple[Field, str, bool]]]]:
    """Each queue's targets, and whether they are its own."""
    centre, own = held.config.centre, targets.OF_QUEUE
    found = []
    for queue in centre.queues:
        plain = targets.of_queue(held.plain, queue.name)["targets"]
        keys = [(field, field.key.partition(".")[2]) for field in own]
        found.append((queue.name, [
            (field, text_of(field, centre.targets.value(key, queue.name)), key in plain)
            for field, key in keys]))
    return found


def _merged(held: Held, sent: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was sent, with what others have changed of it since the form was made; None: nothing."""
    was, here = of_version(request.form.get("head", 0, int)), _values(held)
    if was is None:
        return here
    if here == (before := _values(was)):
        return None
    fields = {field.key: field for field in targets.of_all()}
    return {key: both(fields[key], here[key], before[key], sent.get(key, before[key])) for key in here}


def _placed(mistakes: Sequence[Mistake]) -> dict[str, list[str]]:
    """Field -> what is wrong there; "": what is about none."""
    keys = sorted((field.key for field in targets.of_all()), key=len, reverse=True)
    found: dict[str, list[str]] = {}
    for one in mistakes:
        rest = one.key.removeprefix("centre.")
        key = next((key for key in keys if rest == key or rest.startswith((f"{key}.", f"{key}["))), "")
        found.setdefault(key, []).append(one.what)
    return found
