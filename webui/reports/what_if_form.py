"""A form of changes -> the simulator's words. Pure; docs/simulator.md has what each word means."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from flask_babel import gettext

from appliance.bus.messages import RehearsalOrder
from appliance.bus.messages.rehearsal import MOST_DAYS, MOST_SEEDS, MOST_TITLE
from appliance.config.queues import Strategy

ROWS = 3                                          # of each kind that can be there more than once
STRATEGIES = tuple(one for one in get_args(Strategy) if one != "percentage")
SHARES = ("calls", "handling", "patience")        # by so many per cent more or less
INTERVALS = (15, 30, 60)

_WHOLE = re.compile(r"[+-]?[0-9]{1,4}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}(?:\.[0-9]{1,2})?")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


def read(form: Mapping[str, str], days: Sequence[str]) -> RehearsalOrder:
    """ValueError: with a sentence for people."""
    if not 1 <= len(days) <= MOST_DAYS:
        raise ValueError(gettext("Choose from one to %(most)d days.", most=MOST_DAYS))
    changes = list(changes_of(form))
    if not changes:
        raise ValueError(gettext("Change something: else there is nothing to compare."))
    return RehearsalOrder(
        days=list(days), changes=changes, seeds=_between(form.get("seeds", "5"), 1, MOST_SEEDS),
        interval_min=_one_of(form.get("interval", "30")), title=form.get("title", "").strip()[:MOST_TITLE])


def changes_of(form: Mapping[str, str]) -> Iterator[str]:
    """ValueError: with a sentence for people."""
    for row in range(ROWS):
        if by := _by(form, f"agents-{row}", _WHOLE):
            yield f"agents{_of(form, f'agents-queue-{row}')}={by}"
        if by := _by(form, f"staff-{row}", _WHOLE):
            begins, ends = (_given(form, f"staff-{end}-{row}", _TIME) for end in ("from", "to"))
            if not (begins and ends):
                raise ValueError(gettext("Say from when to when there are more or fewer agents."))
            yield f"staff{_of(form, f'staff-queue-{row}')}={begins}-{ends}:{by}"
        if queue := _name(form, f"serve-queue-{row}"):
            sign = "-" if form.get(f"serve-sign-{row}") == "-" else "+"
            yield f"serve.{queue}={sign}{_wanted(form, f'serve-agent-{row}')}"
        if agent := _name(form, f"skill-agent-{row}"):
            level = _between(form.get(f"skill-level-{row}", ""), 0, 10)
            yield f"skill.{agent}={_wanted(form, f'skill-name-{row}')}:{level}"
        if queue := _name(form, f"strategy-queue-{row}"):
            strategy = form.get(f"strategy-{row}", "")
            if strategy not in STRATEGIES:
                raise ValueError(gettext("Choose how the agent is chosen in queue %(queue)s.", queue=queue))
            yield f"strategy.{queue}={strategy}"
        if queue := _name(form, f"overflow-queue-{row}"):
            to = _name(form, f"overflow-to-{row}")
            after = _given(form, f"overflow-after-{row}", _NUMBER)
            yield f"overflow.{queue}=none" if not to else f"overflow.{queue}={after or '0'}:{to}"
        if seconds := _given(form, f"wrap-up-{row}", _NUMBER):
            yield f"wrap-up{_of(form, f'wrap-up-queue-{row}')}={seconds.lstrip('+')}"
    for name in SHARES:
        if by := _by(form, name, _NUMBER):
            yield f"{name}={by}%"
    if share := _given(form, "no-answer", _NUMBER):
        yield f"no-answer={share.lstrip('+')}%"


def _given(form: Mapping[str, str], name: str, kind: re.Pattern[str]) -> str:
    text = form.get(name, "").strip()
    if text and not kind.fullmatch(text):
        raise ValueError(gettext("%(said)s cannot be read: write it as the others are.", said=text[:40]))
    return text


def _by(form: Mapping[str, str], name: str, kind: re.Pattern[str]) -> str:
    """So many more or fewer, with its sign; none is no change."""
    text = _given(form, name, kind)
    return "" if not text or float(text) == 0 else text if text[0] in "+-" else f"+{text}"


def _of(form: Mapping[str, str], name: str) -> str:
    queue = _name(form, name)
    return f".{queue}" if queue else ""


def _name(form: Mapping[str, str], name: str) -> str:
    return _given(form, name, _NAME) if form.get(name) else ""


def _wanted(form: Mapping[str, str], name: str) -> str:
    if not (found := _name(form, name)):
        raise ValueError(gettext("A name is missing beside another: fill in the whole row."))
    return found


def _between(text: str, low: int, high: int) -> int:
    if len(text) > 6 or not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(gettext("%(said)s: a whole number from %(low)d to %(high)d.", said=text[:20] or "–",
                                 low=low, high=high))
    return int(text)


def _one_of(text: str) -> int:
    if text not in map(str, INTERVALS):
        raise ValueError(gettext("%(said)s cannot be read: write it as the others are.", said=text[:40]))
    return int(text)
