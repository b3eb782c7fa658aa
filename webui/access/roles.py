"""Roles: what each may do, and how high it stands. A pure table; docs/access.md shows it.

A role is given by who stands higher, has every right of it, and whose own range covers the range given.
"""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webui.access.ranges import Range

RIGHTS: dict[str, LazyString] = {
    "watch": _l("see the live board"),
    "find": _l("find contacts and recordings"),
    "listen": _l("hear recordings"),
    "download": _l("take recordings home"),
    "share": _l("give links to recordings"),
    "export": _l("make signed bundles of recordings"),
    "hold": _l("hold recordings for a case"),
    "release": _l("release held recordings"),
    "erase": _l("erase recordings"),
    "keep": _l("see how recordings are stored"),
    "results": _l("see results of quality"),
    "appraise": _l("judge calls"),
    "report": _l("see reports"),
    "line": _l("see lines and their signalling"),
    "test": _l("run tests that take a line"),
    "steer": _l("listen in, whisper, barge in, take over, release, set states"),
    "notify": _l("write notices to people on the pages"),
    "configure": _l("see the configuration"),
    "commit": _l("change the configuration"),
    "people": _l("make people and give them roles"),
    "audit": _l("read the log of what people did"),
    "box": _l("tend the box: updates, network, reset"),
}

# About the whole box, and so for nobody whose range has limits.
WHOLE = frozenset({"export", "erase", "keep", "configure", "commit", "audit", "box"})


@dataclass(frozen=True, slots=True)
class Role:
    level: int
    rights: frozenset[str]
    own: bool = False                             # within what he did himself as an agent, whatever is given


def _role(level: int, rights: str, own: bool = False) -> Role:
    return Role(level, frozenset(rights.split()), own)


_LEADS = "watch find listen steer notify results appraise report"

ROLES: dict[str, Role] = {                        # in the order in which pages offer them
    "agent": _role(1, "listen results", own=True),
    "team_leader": _role(3, _LEADS),
    "quality": _role(3, "find listen share results appraise report"),
    "supervisor": _role(5, f"{_LEADS} download share hold line people"),
    "installer": _role(4, "watch line test configure commit box"),
    "auditor": _role(6, "find keep results report configure audit"),
    "admin": _role(9, " ".join(RIGHTS)),
}
NOBODY = Role(0, frozenset())
HIGHEST = max(role.level for role in ROLES.values())


def role_of(name: str) -> Role:
    """NOBODY: no role is called so, as after an older version took this one's place."""
    return ROLES.get(name, NOBODY)


def may(role: str, right: str, of: Range) -> bool:
    """Whether the role has the right, for a person whose range is `of`."""
    return right in role_of(role).rights and not (right in WHOLE and of.limited)


def outranks(giver: str, of: Range, role: str) -> bool:
    """The highest have nobody above them: those of them without limits are one another's givers."""
    mine, theirs = role_of(giver), role_of(role)
    return mine.level > theirs.level or (mine.level == HIGHEST and not of.limited)


def may_give(giver: str, of: Range, role: str, given: Range) -> bool:
    """Whether a `giver` within `of` may make somebody `role` within `given`, or take it from him. Of a role
    that is for what people did themselves `given` is that agent alone."""
    mine, theirs = role_of(giver), role_of(role)
    inside = (given.agents is not None and all(of.names("agents", one) for one in given.agents)
              if theirs.own else of.covers(given))
    return (inside and may(giver, "people", of) and outranks(giver, of, role)
            and theirs.rights <= mine.rights and not (of.limited and theirs.rights & WHOLE))
