"""A new flow's text: from a template, with the names that there are."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from appliance.bus.messages.flows import FlowKind
from webui.flows.shown import to_yaml

FILE = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*\.yaml")
LONGEST_FILE = 100
LANGUAGES = ("zh", "en")


def file_name(given: str) -> str:
    """"": it cannot be called so."""
    name = given.strip()
    name = name if name.endswith(".yaml") else f"{name}.yaml"
    return name if FILE.fullmatch(name) and len(name) <= LONGEST_FILE else ""


def choices(kinds: Iterable[FlowKind], of: str) -> list[str]:
    """All names of queues, prompts, ... that some field may have."""
    return sorted({name for kind in kinds for field in kind.fields if field.of == of
                   for name in field.choices})


def begun(template: str, language: str, names: Mapping[str, str]) -> str:
    """`names`: of a queue, a calendar, a box, the prompts greeting and menu. "" leaves the node's mistake."""
    greeting = {"kind": "play", "prompt": names.get("greeting", ""), "next": "menu"}
    nodes: dict[str, Any] = {"greeting": greeting}
    queue: dict[str, Any] = {"kind": "queue", "queue": names.get("queue", "")}
    start = "greeting"
    if template == "empty":
        nodes["greeting"]["next"] = "end"
    elif template == "hours":
        start = "hours"
        nodes["greeting"]["next"] = "waiting"
        nodes = {
            "hours": {"kind": "hours", "calendar": names.get("calendar", ""), "open": "greeting",
                      "closed": "message"},
            **nodes,
            "waiting": {**queue, "overflow_s": 300, "next": "message"},
            "message": {"kind": "voicemail", "box": names.get("box", ""), "next": "end"}}
    else:
        nodes |= {
            "menu": {"kind": "menu", "prompt": names.get("menu", ""), "digits": {1: "waiting"},
                     "default": "waiting"},
            "waiting": queue}
    if template != "menu":
        nodes["end"] = {"kind": "hangup"}
    return "\n".join([f"language: {language}", f"start: {start}", "nodes:", *_written(nodes)]) + "\n"


def _written(nodes: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """A node a line, as in files that people write."""
    def one(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {one(inner)}" for key, inner in value.items()) + "}"
        return to_yaml(value)
    return [f"  {name}: {one(node)}" for name, node in nodes.items()]
