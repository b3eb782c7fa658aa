"""Targets: those of one queue as fields of its form, those of all as a form of their own. Pure.

In the document they are beside the queues: centre.targets.queues.NAME.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from appliance.config.schema import CentreConfig
from appliance.config.targets import QueueTargets, TargetsConfig
from webui.centre.forms import Field, Wrong, fields_of, read, text_of
from webui.centre.held import Mistake

_HEAD = "targets."
_OF_QUEUES = f"centre.{_HEAD}queues."
OF_QUEUE = tuple(replace(field, key=f"{_HEAD}{field.key}") for field in fields_of(QueueTargets).values())
GRADES = Field("grades", "rows", [], fields=(
    Field("name", "text"), Field("more", "number", least=0, most=100, whole=True)))


def of_all() -> list[Field]:
    """What holds for all queues together, with the grades as rows."""
    common = fields_of(TargetsConfig)
    return [fields_of(CentreConfig)["order"], GRADES,
            *(replace(field, key=f"{_HEAD}{key}") for key, field in common.items() if key != "queues")]


def with_common(fields: Sequence[Field], targets: TargetsConfig) -> list[Field]:
    """An empty field of a queue's target shows what holds for all."""
    return [replace(field, default=getattr(targets, field.key.removeprefix(_HEAD)))
            if field in OF_QUEUE else field for field in fields]


def of_queue(plain: Mapping[str, Any], queue: str) -> dict[str, Any]:
    """As a part that OF_QUEUE reads."""
    targets = (plain.get("centre") or {}).get("targets") or {}
    return {"targets": (targets.get("queues") or {}).get(queue) or {}}


def put(draft: dict[str, Any], queue: str, values: Mapping[str, Any] | None, wrong: list[Wrong]) -> None:
    """Into the draft; None: the queue goes, and its targets with it. What is empty then is not written."""
    old = of_queue(draft, queue)
    new = read(OF_QUEUE, values, old, wrong).get("targets") or {} if values is not None else {}
    if new == old["targets"]:
        return
    centre = draft.setdefault("centre", {})
    targets = centre.get("targets") or {}
    queues = {name: one for name, one in (targets.get("queues") or {}).items() if name != queue}
    if new:
        queues[queue] = new
    targets = {key: value for key, value in targets.items() if key != "queues"}
    if queues:
        targets["queues"] = queues
    if targets:
        centre["targets"] = targets
    else:
        centre.pop("targets", None)


def at_queue(mistakes: Sequence[Mistake], queue: str, place: int) -> list[Mistake]:
    """What is wrong in a queue's targets, as if they stood with the queue."""
    head = f"{_OF_QUEUES}{queue}."
    return [replace(one, key=f"centre.queues[{place}].{_HEAD}{one.key.removeprefix(head)}")
            if one.key.startswith(head) else one for one in mistakes]


# --- grades, which are names of any kind: rows in the form

def with_rows(centre: Mapping[str, Any]) -> dict[str, Any]:
    rows = [{"name": str(name), "more": more} for name, more in (centre.get("grades") or {}).items()]
    return {**centre, "grades": rows} if rows else {**centre}


def without_rows(centre: Mapping[str, Any], wrong: list[Wrong]) -> dict[str, Any]:
    """The grades as the document writes them."""
    found: dict[str, Any] = {}
    for row in centre.get("grades") or ():
        name = str(row.get("name", ""))
        if not name or name in found or "more" not in row:
            wrong.append(Wrong("grades", "grade", name or text_of(GRADES.fields[1], row.get("more"))))
        found[name] = row.get("more")
    rest = {key: value for key, value in centre.items() if key != "grades"}
    return {**rest, "grades": found} if found else rest
