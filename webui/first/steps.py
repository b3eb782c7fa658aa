"""The steps of the first run, and how far each is by what the box shows. Pure."""

from dataclasses import dataclass

from webui.first.kept import Told

LANGUAGE, ADMIN, NETWORK, TIME, LINES, NUMBERS, PEOPLE, CALL, DONE = (
    "language", "admin", "network", "time", "lines", "numbers", "people", "call", "done")
STEPS = (LANGUAGE, ADMIN, NETWORK, TIME, LINES, NUMBERS, PEOPLE, CALL, DONE)
PAGES = tuple(step for step in STEPS if step != ADMIN)           # that one is before anybody signs in
BY_HAND = (LANGUAGE, NUMBERS, PEOPLE)             # done when somebody says that they are right


@dataclass(frozen=True, slots=True)
class Seen:
    """Of the box. `network` and `clock`: in order, None: not this page's to change; `links`: of the spans'
    D-channels; `waits`: a change of the lines is on trial."""

    network: bool | None
    clock: bool | None
    links: dict[str, bool]
    waits: bool
    numbers: int
    people: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`state`: done, skipped, todo."""

    step: str
    state: str


def standings(seen: Seen, told: Told) -> list[Standing]:
    return [Standing(step, _state(step, seen, told)) for step in STEPS]


def current(all_of_them: list[Standing]) -> str:
    """The first that is neither done nor left out."""
    return next((one.step for one in all_of_them if one.state == "todo"), DONE)


def after(step: str) -> str:
    """The page that follows."""
    place = PAGES.index(step)
    return PAGES[min(place + 1, len(PAGES) - 1)]


def before(step: str) -> str:
    """"": none does."""
    place = PAGES.index(step)
    return PAGES[place - 1] if place else ""


def _state(step: str, seen: Seen, told: Told) -> str:
    how = told.passed.get(step, "")
    if _is_done(step, seen, told, how):
        return "done"
    return "skipped" if how == "skipped" else "todo"


def _is_done(step: str, seen: Seen, told: Told, how: str) -> bool:
    if step in (NUMBERS, PEOPLE):
        there = seen.numbers if step == NUMBERS else seen.people
        return how == "agreed" and there > 0
    return {
        LANGUAGE: how == "agreed", ADMIN: True, NETWORK: seen.network is not False,
        TIME: seen.clock is not False, CALL: told.came_in is not None, DONE: told.ended_at > 0,
        LINES: bool(seen.links) and all(seen.links.values()) and not seen.waits,
    }[step]
