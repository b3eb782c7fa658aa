"""Who serves what, and the work shared out anew: agents moved between queues, other skills, for a time."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from msgspec.structs import replace

from appliance.bus.client import Refused
from appliance.bus.messages import (
    AssignAgents,
    Assigning,
    AssignmentInfo,
    CrewEffect,
    CrewMember,
    CrewReply,
    GetCrew,
    TryAssignment,
)
from webui.access.doors import Subject, may, need, needs, noted, outcome, range_of
from webui.floor import ranges
from webui.floor.blueprint import bp
from webui.floor.said import said
from webui.parts import parts

MOST_LEVEL = 10
MOST_AGENTS = 500
MOST_NOTED = 500                                  # characters in the log
ENDS = ("log-out", "time", "open")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form asks of each chosen agent."""

    agents: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    skill: str = ""
    level: str = ""                               # "0": without the skill
    ends: str = "log-out"
    until: str = ""                               # HH:MM
    reset: bool = False                           # as configured again

    def in_words(self) -> str:
        """For the log."""
        what = [*(f"+{queue}" for queue in self.also), *(f"-{queue}" for queue in self.without),
                *([f"{self.skill} {self.level}"] if self.skill and self.level else ()),
                *(["as configured"] if self.reset else [self.ends, self.until])]
        return f"{', '.join(self.agents)}: {' '.join(what)}"[:MOST_NOTED].strip()

    @property
    def something(self) -> bool:
        return self.reset or bool(self.also or self.without or (self.skill and self.level))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows; within the reader's range."""

    crew: CrewReply
    agents: tuple[CrewMember, ...]
    queues: tuple[str, ...]
    groups: tuple[str, ...]
    group: str
    steers: bool
    skills: bool                                  # whether he may change them
    wanted: Wanted = field(default_factory=Wanted)
    effect: CrewEffect | None = None
    wrong: str = ""


@bp.get("/crew")
@needs("watch")
def crew() -> str:
    return _page(Wanted())


@bp.post("/crew/try")
@needs("steer", by_hand=True)
def try_crew() -> Any:
    """The effect on every queue of his, before anything is done."""
    wanted = _wanted()
    try:
        effect = parts().exchange.ask(TryAssignment(assignments=_assignments(wanted)))
    except (Refused, ValueError) as error:
        return _page(wanted, wrong=said(str(error))), 422
    return _page(wanted, effect)


@bp.post("/crew/assign")
@needs("steer", act="floor-assign", by_hand=True)
def assign() -> Any:
    wanted = _wanted()
    with noted("floor-assign", wanted.in_words()):
        try:
            parts().exchange.ask(AssignAgents(assignments=_assignments(wanted), by=current_user.name))
        except (Refused, ValueError) as error:
            outcome(str(error))
            return _page(wanted, wrong=said(str(error))), 422
    flash(ngettext("%(num)d agent serves others from now on.", "%(num)d agents serve others from now on.",
                   len(wanted.agents)))
    return redirect(url_for("floor.crew", group=request.form.get("group", "")), 303)


def _wanted() -> Wanted:
    form = request.form
    wanted = Wanted(
        agents=tuple(dict.fromkeys(form.getlist("agent")))[:MOST_AGENTS], also=tuple(form.getlist("also")),
        without=tuple(form.getlist("without")), skill=form.get("skill", "") if _may_skills() else "",
        level=form.get("level", ""), ends=form.get("ends", ENDS[0]), until=form.get("until", "")[:5],
        reset=form.get("reset") == "yes")
    if wanted.ends not in ENDS:
        abort(400)
    for name in wanted.agents:
        need("steer", of=Subject(agent=name))
    for name in (*wanted.also, *wanted.without):
        need("steer", of=Subject(queue=name))
    return wanted


def _may_skills() -> bool:
    """A skill leads to any queue: it is not for who has only some of them."""
    return range_of(current_user).queues is None


def _assignments(wanted: Wanted) -> list[Assigning]:
    """On top of what is assigned already. ValueError: nothing is chosen."""
    if not wanted.agents:
        raise ValueError(gettext("Choose at least one agent."))
    if not wanted.something:
        raise ValueError(gettext("Choose a queue or a skill, or: as configured."))
    members = {one.agent.name: one for one in parts().exchange.ask(GetCrew()).agents}
    until = _until(wanted)
    return [_assignment(members.get(name), name, wanted, until) for name in wanted.agents]


def _assignment(member: CrewMember | None, name: str, wanted: Wanted, until: float) -> Assigning:
    if member is None:                            # acdd says so
        return Assigning(agent=name)
    was = member.agent.assigned
    if wanted.reset:
        return _taken_back(name, was)
    also, without = (list(was.also), list(was.without)) if was else ([], [])
    also = [one for one in dict.fromkeys([*also, *wanted.also]) if one not in wanted.without]
    without = [one for one in dict.fromkeys([*without, *wanted.without]) if one not in wanted.also]
    skills = was.skills if was else None
    if wanted.skill and wanted.level:
        skills = dict(member.configured if skills is None else skills)
        skills.pop(wanted.skill, None)
        if (level := _level(wanted)):
            skills[wanted.skill] = level
    if was and _others(was):                      # what others have done does not end with one's own
        return Assigning(agent=name, skills=skills, also=also, without=without, until=was.until,
                         until_log_out=was.until_log_out)
    return Assigning(agent=name, skills=skills, also=also, without=without, until=until,
                     until_log_out=wanted.ends == "log-out")


def _others(was: AssignmentInfo) -> AssignmentInfo | None:
    """The part that is outside his range; None: nothing is."""
    also = tuple(one for one in was.also if not may(current_user, "steer", Subject(queue=one)))
    without = tuple(one for one in was.without if not may(current_user, "steer", Subject(queue=one)))
    skills = None if _may_skills() else was.skills
    return replace(was, skills=skills, also=also, without=without) if also or without or skills else None


def _taken_back(name: str, was: AssignmentInfo | None) -> Assigning:
    """As configured, but for what is outside his range."""
    left = _others(was) if was else None
    if left is None:
        return Assigning(agent=name)
    return Assigning(agent=name, skills=left.skills, also=list(left.also), without=list(left.without),
                     until=left.until, until_log_out=left.until_log_out)


def _level(wanted: Wanted) -> int:
    if not wanted.level.isascii() or not wanted.level.isdigit() or int(wanted.level) > MOST_LEVEL:
        raise ValueError(gettext("The level is 0 to 10; 0 takes the skill away."))
    return int(wanted.level)


def _until(wanted: Wanted) -> float:
    """The next time that the box's clock shows this. 0: it does not end by time."""
    if wanted.ends != "time":
        return 0.0
    try:
        at = datetime.strptime(wanted.until, "%H:%M").time()
    except ValueError:
        raise ValueError(gettext("Until when? Write hours and minutes, as 18:00.")) from None
    now = datetime.fromtimestamp(time.time())
    then = datetime.combine(now.date(), at)
    return (then if then > now else then + timedelta(days=1)).timestamp()


def _page(wanted: Wanted, effect: CrewEffect | None = None, wrong: str = "") -> str:
    found = parts().exchange.ask(GetCrew())
    board, steers = ranges.board(), may(current_user, "steer")
    groups = ranges.groups(board)
    group = request.values.get("group", "")
    if group and group not in groups:
        abort(404)
    seen = {one.name for one in board.agents} & (groups[group] if group else {
        one.name for one in board.agents})
    queues = tuple(one.name for one in found.queues if may(current_user, "watch", Subject(queue=one.name)))
    return render_template("floor/sharing.html", levels=range(MOST_LEVEL + 1), shown=Shown(
        found, tuple(one for one in found.agents if one.agent.name in seen), queues, tuple(sorted(groups)),
        group, steers, steers and _may_skills(), wanted,
        None if effect is None else CrewEffect(
            queues=[one for one in effect.queues if one.queue in queues], agents=effect.agents), wrong))
