"""The pages of people and queues under one address, and what all of them need."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template
from flask_babel import gettext

from appliance.bus.client import BusError
from appliance.bus.messages import GetPrompts
from webui.centre import labels, said
from webui.centre.effect import serves
from webui.centre.forms import Field, text_of, value_of
from webui.centre.held import Held, Mistake, held
from webui.centre.kinds import KINDS, OFFERED, Kind
from webui.parts import parts

bp = Blueprint("centre", __name__, url_prefix="/centre")
bp.add_app_template_filter(said.said, "of_centre")
bp.add_app_template_filter(said.of_sheet, "of_sheet")

ASK_S = 2.0


def shown(template: str, here: str, now: Held, **values: Any) -> str:
    """`here`: the kind, or csv, matrix."""
    return render_template(
        f"centre/{template}.html", here=here, held=now, kinds=KINDS, label=labels.label,
        help_of=labels.help_of, choice=labels.choice, unit=labels.unit, text_of=text_of, value_of=value_of,
        **values)


def offered(now: Held) -> dict[str, list[str]]:
    """What fields may name, by OFFERED's words."""
    centre = now.config.centre
    return {
        "agents": [one.name for one in centre.agents], "queues": [one.name for one in centre.queues],
        "groups": [one.name for one in now.config.quality.groups],
        "trunks": sorted({span.trunk for span in now.config.spans}), "skills": skills(now),
        "prompts": _prompts()}


def skills(now: Held) -> list[str]:
    """That somebody has, or a queue asks for."""
    centre = now.config.centre
    return sorted({skill for agent in centre.agents for skill in agent.skills}
                  | {skill for queue in centre.queues for skill in (*queue.skills, *queue.preferred)})


def options(kind: str, field: Field, given: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """What this field may be; none: anything."""
    source = OFFERED.get(f"{kind}.{field.key}", OFFERED.get(field.key, ""))
    return field.options or given.get(source, ())


def _prompts() -> list[str]:
    """By their whole names, and as flows and queues name them in every language; none: nobody says."""
    try:
        names = [one.name for one in parts().exchange.ask(GetPrompts(), ASK_S).prompts]
    except BusError:
        return []
    return sorted({*names, *(rest for one in names if (rest := one.partition("/")[2])
                             and one.partition("/")[0] in ("zh", "en"))})


def placed(kind: Kind, index: int, mistakes: Sequence[Mistake]) -> dict[str, list[str]]:
    """Field -> what is wrong there, of the part at that place of its list; "": what is about none."""
    head = f"{'.'.join(kind.path)}[{index}]"
    keys = sorted((field.key for field in (*kind.fields, *kind.beside)), key=len, reverse=True)
    found: dict[str, list[str]] = {}
    for one in mistakes:
        rest = one.key.removeprefix(head).lstrip(".") if one.key.startswith(head) else None
        key = next((key for key in keys if rest is not None and (
            rest == key or rest.startswith((f"{key}[", f"{key}.")))), "")
        found.setdefault(key, []).append(one.what)
    return found


def crew_of(now: Held) -> dict[str, list[str]]:
    """Agent -> queues that it may serve."""
    queues = now.config.centre.queues
    return {agent.name: list(serves(agent, queues)) for agent in now.config.centre.agents}


def present() -> frozenset[str]:
    """Who is logged in; nobody when the board is not there."""
    board = parts().exchange.mirror.floor.board
    return frozenset(one.name for one in board.agents if one.state != "logged-out") if board else frozenset()


def now() -> Held:
    return held()


def meanwhile(now: Held) -> str:
    """Why a form made from another version is not taken."""
    words = gettext("Meanwhile there is version %(number)d of the configuration. Below is what it says now, "
                    "and what you wrote: look again.", number=now.head)
    return str(words)
