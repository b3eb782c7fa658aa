"""Which recordings may go, and when. Pure: facts, rules and the time in; what may go out.

Every way to delete a recording asks `obstacle` first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.config.retention import RetentionConfig, RetentionRule

DAY_S = 86400.0
EVER = 253_402_214_400.0                          # 9999-12-31: nothing is due then
UNKNOWN_S = 7 * DAY_S                             # so long a recording waits to be known by acdd's log
CLOCK_SET_AT = 1_577_836_800.0                    # 2020: who says to have ended before, had no clock
OTHERS = ""                                       # the rule of what no rule takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What counts of one recording."""

    number: int                                   # in the order of time
    ended_at: float
    octets: int
    known: bool = True                            # acdd's log has said what it is
    held: bool = False
    archived: bool = False
    kind: str = ""
    direction: str = ""
    trunk: str = ""
    queue: str = ""
    agent: str = ""
    tags: frozenset[str] = frozenset()


class Obstacle(StrEnum):
    """Why a recording may not go."""

    HELD = "held"
    YOUNG = "young"                               # below least_days
    UNARCHIVED = "unarchived"
    UNKNOWN = "unknown"


def takes(rule: RetentionRule, kept: Kept) -> bool:
    """All conditions that the rule has are true of the recording."""
    return (all(getattr(kept, key) in wanted for key, wanted in (
                ("queue", rule.queues), ("agent", rule.agents), ("trunk", rule.trunks), ("kind", rule.kinds))
                if wanted)
            and rule.direction in (None, kept.direction)
            and (not rule.tags or not kept.tags.isdisjoint(rule.tags)))


def rule_of(config: RetentionConfig, kept: Kept) -> tuple[str, float | None]:
    """The name of the first rule that takes it, and its days."""
    for rule in config.rules:
        if takes(rule, kept):
            return rule.name, rule.keep_days
    return OTHERS, config.keep_days


def due_at(policies: Sequence[RetentionConfig], kept: Kept) -> float:
    """When its time is over by all of `policies`: one that became shorter counts once the others are gone."""
    return max(_due_at(policy, kept) for policy in policies)


def _due_at(config: RetentionConfig, kept: Kept) -> float:
    days = rule_of(config, kept)[1]
    if days is None or kept.ended_at < CLOCK_SET_AT:                 # nobody knows how old it is
        return EVER
    return kept.ended_at + max(days, config.least_days) * DAY_S


def obstacle(config: RetentionConfig, kept: Kept, now: float, *, needs_archive: bool) -> Obstacle | None:
    """What keeps it whatever its rule says; the gravest first. None: it may go."""
    if kept.held:
        return Obstacle.HELD
    if now < kept.ended_at + config.least_days * DAY_S:
        return Obstacle.YOUNG
    if not kept.known and now < kept.ended_at + UNKNOWN_S:
        return Obstacle.UNKNOWN
    if needs_archive and not kept.archived:
        return Obstacle.UNARCHIVED
    return None


def expired(policies: Sequence[RetentionConfig], recordings: Iterable[Kept], now: float, *,
            needs_archive: bool) -> Iterator[tuple[Kept, Obstacle | None]]:
    """Recordings whose time is over, and what keeps each of them; the last of `policies` is in force."""
    for kept in recordings:
        if due_at(policies, kept) <= now:
            yield kept, obstacle(policies[-1], kept, now, needs_archive=needs_archive)


def to_free(config: RetentionConfig, oldest_first: Iterable[Kept], octets: int, now: float, *,
            needs_archive: bool) -> list[Kept]:
    """The oldest that may go, until they are so many octets or there are no more."""
    going: list[Kept] = []
    for kept in oldest_first:
        if octets <= 0:
            break
        if (kept.ended_at >= CLOCK_SET_AT
                and obstacle(config, kept, now, needs_archive=needs_archive) is None):
            going.append(kept)
            octets -= kept.octets
    return going


def in_words(rule: RetentionRule) -> str:
    """Its conditions, for people."""
    said = [f"{key} {' or '.join(wanted)}" for key, wanted in (
        ("queue", rule.queues), ("agent", rule.agents), ("trunk", rule.trunks), ("tag", rule.tags),
        ("kind", rule.kinds)) if wanted]
    return ", ".join([*said, *([f"direction {rule.direction}"] if rule.direction else [])]) or "all"
