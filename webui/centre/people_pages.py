"""Agents: who they are, many changed at once, and their skills as a grid."""

from typing import Any

from flask import abort, redirect, request, url_for

from webui.access.doors import needs
from webui.centre.blueprint import bp, crew_of, meanwhile, now, offered, present, shown, skills
from webui.centre.held import Held, of_version, part_of
from webui.centre.pages import proposed
from webui.centre.sheets import regroup

SHOWN = 200                                       # agents of a page
GRID_AGENTS = 60                                  # of a page of the grid: a form has 64 KiB
MOST_SKILLS = 60                                  # its columns
SORTS = ("name", "extension", "trunk", "skills", "queues")


@bp.get("/agents/")
@needs("configure", whole=True)
def agents() -> str:
    return _agents(now())


def _agents(held: Held, wrong: Any = None) -> str:
    asked = request.values
    crew, here = crew_of(held), present()
    groups: dict[str, list[str]] = {}
    for group in held.config.quality.groups:
        for name in group.agents:
            groups.setdefault(name, []).append(group.name)
    rows: list[dict[str, Any]] = [
        {"agent": one, "groups": groups.get(one.name, []), "queues": crew[one.name],
         "present": one.name in here} for one in held.config.centre.agents]
    total = len(rows)
    if text := asked.get("text", "").strip().lower():
        rows = [row for row in rows if text in row["agent"].name or text in (row["agent"].extension or "")]
    for key in ("group", "queue"):
        if wanted := asked.get(f"only_{key}"):
            rows = [row for row in rows if wanted in row[f"{key}s"]]
    if wanted := asked.get("only_skill"):
        rows = [row for row in rows if wanted in row["agent"].skills]
    sort = asked.get("sort", "")
    if sort in SORTS:
        rows.sort(key=lambda row: _sorted_by(sort, row))
    page = max(request.args.get("page", 0, int), 0)
    return shown("agents", "agents", held, rows=rows[page * SHOWN:(page + 1) * SHOWN], found=len(rows),
                 total=total, page=page, pages=-(-len(rows) // SHOWN), offered=offered(held), wrong=wrong,
                 chosen=set(request.form.getlist("agent")), sort=sort)


def _sorted_by(sort: str, row: Any) -> Any:
    agent = row["agent"]
    return {"name": agent.name, "extension": agent.extension or "~", "trunk": agent.trunk or "~",
            "skills": -len(agent.skills), "queues": -len(row["queues"])}[sort]


@bp.get("/agents/bulk")
@needs("configure", whole=True)
def to_agents() -> Any:
    return redirect(url_for("centre.agents"), 303)


@bp.post("/agents/bulk")
@needs("commit", by_hand=True, whole=True)
def bulk() -> Any:
    """What the form says, done to those that are chosen."""
    held = now()
    draft = held.draft()
    chosen = request.form.getlist("agent")
    by_name = {one["name"]: one for one in part_of(draft, ("centre", "agents"))}
    for name in chosen:
        if name not in by_name:
            abort(404)
        _skill(by_name[name])
        _telephone(by_name[name])
    _groups(draft, chosen)
    return proposed(held, draft, url_for("centre.agents"), lambda refusal: _agents(
        held, [one.what for one in refusal.mistakes]))


def _skill(agent: dict[str, Any]) -> None:
    act, skill = request.form.get("skill_act", ""), request.form.get("skill", "").strip()
    level = request.form.get("level", 1, int)
    if not act or not skill:
        return
    had = dict(agent.get("skills") or {})
    match act:
        case "set":
            had[skill] = level
        case "raise" if skill in had:
            had[skill] = min(10, had[skill] + level)
        case "lower" if skill in had:
            had[skill] = max(1, had[skill] - level)
        case "remove":
            had.pop(skill, None)
    if had or agent.get("skills") is not None:
        agent["skills"] = had


def _telephone(agent: dict[str, Any]) -> None:
    if (trunk := request.form.get("trunk", "")) and agent.get("extension") is not None:
        agent["trunk"] = trunk
    starts = request.form.get("starts", "")
    if starts and starts != agent.get("starts", "ready"):
        agent["starts"] = starts


def _groups(draft: dict[str, Any], chosen: list[str]) -> None:
    act, name = request.form.get("group_act", ""), request.form.get("group", "")
    groups = part_of(draft, ("quality", "groups"))
    if not act or not name:
        return
    if not any(one["name"] == name for one in groups):
        abort(404)
    for agent in chosen:
        is_in = [one["name"] for one in groups if agent in one["agents"] and one["name"] != name]
        regroup(draft, agent, [*is_in, name] if act == "add" else is_in)


# --- the grid

@bp.get("/matrix")
@needs("configure", whole=True)
def matrix() -> str:
    return _matrix(now())


def _matrix(held: Held, wrong: Any = None) -> str:
    asked = request.values
    group, queue, new = asked.get("group", ""), asked.get("queue", ""), asked.get("skill", "").strip()
    members = {one.name: set(one.agents) for one in held.config.quality.groups}
    crew = crew_of(held)
    agents = [one for one in held.config.centre.agents
              if (not group or one.name in members.get(group, ())) and (not queue or queue in crew[one.name])]
    columns = skills(held)
    if new and new not in columns:
        columns.append(new)
    page = max(asked.get("page", 0, int), 0)
    return shown("matrix", "matrix", held, columns=columns[:MOST_SKILLS], left_out=len(columns) > MOST_SKILLS,
                 agents=agents[page * GRID_AGENTS:(page + 1) * GRID_AGENTS], group=group, queue=queue,
                 skill=new, page=page, pages=-(-len(agents) // GRID_AGENTS), offered=offered(held),
                 wrong=wrong,
                 places={one.name: place for place, one in enumerate(held.config.centre.agents)},
                 sent=_sent(held, columns))


def _sent(held: Held, columns: list[str]) -> dict[str, str]:
    """Fields of the form that came, by the places that agents and skills have now; of a form that was made
    from another version only those in which something else was written."""
    cells = {field: text for field, text in request.form.items() if "." in field}
    head = request.form.get("head", 0, int)
    if not cells or head == held.head:
        return cells
    was = of_version(head)
    if was is None:
        return {}
    had = skills(was)
    if (new := request.form.get("skill", "").strip()) and new not in had:
        had.append(new)
    agents, found = was.config.centre.agents, {}
    places = {one.name: place for place, one in enumerate(held.config.centre.agents)}
    for field, text in cells.items():
        at, skill = (_whole(part) for part in field.split(".", 1))
        if at is None or skill is None or at >= len(agents) or skill >= len(had):
            continue
        agent, name = agents[at], had[skill]
        if agent.name in places and name in columns and text.strip() != str(agent.skills.get(name, "")):
            found[f"{places[agent.name]}.{columns.index(name)}"] = text
    return found


@bp.post("/matrix")
@needs("commit", by_hand=True, whole=True)
def save_matrix() -> Any:
    """Fields are called by the places of agent and skill: 3.0; the new skill's place is the last one."""
    held = now()
    if request.form.get("head", 0, int) != held.head:
        return _matrix(held, [meanwhile(held)]), 409
    draft = held.draft()
    columns = skills(held)
    if (new := request.form.get("skill", "").strip()) and new not in columns:
        columns.append(new)
    agents = part_of(draft, ("centre", "agents"))
    for field, text in request.form.items():
        at, _, column = field.partition(".")
        agent, skill = _whole(at), _whole(column)
        if agent is None or skill is None:
            continue
        if agent >= len(agents) or skill >= len(columns):
            abort(400)
        _set(agents[agent], columns[skill], text.strip())
    return proposed(held, draft, url_for("centre.matrix"), lambda refusal: _matrix(
        held, [one.what for one in refusal.mistakes]))


def _whole(text: str) -> int | None:
    """None: it is no whole number, or longer than any of these is."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None


def _set(agent: dict[str, Any], skill: str, text: str) -> None:
    had = agent.get("skills") or {}
    whole = _whole(text)
    level: Any = whole if whole is not None else text or 0
    if level == had.get(skill, 0):
        return
    if level == 0:
        agent["skills"] = {name: one for name, one in had.items() if name != skill}
    else:
        agent["skills"] = {**had, skill: level}
