"""Rules, obstacles, quota and levels: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.retention import LowSpaceConfig, QuotaConfig, RetentionConfig, RetentionRule
from appliance.recording.life.rules import (
    DAY_S,
    EVER,
    Kept,
    Obstacle,
    due_at,
    expired,
    obstacle,
    rule_of,
    to_free,
)
from appliance.recording.life.space import GIB, MIB, Disk, Level, level, over

NOW = 1_790_000_000.0
RULES = RetentionConfig(
    rules=[RetentionRule(name="complaints", queues=["complaints"], keep_days=None),
           RetentionRule(name="fraud", tags=["fraud", "legal"], keep_days=3650),
           RetentionRule(name="messages", kinds=["message"], direction="in", keep_days=10),
           RetentionRule(name="hub", trunks=["hub"], agents=["zhang"], keep_days=20)],
    keep_days=90, least_days=5)


@pytest.mark.need(18)
@pytest.mark.parametrize(("facts", "rule", "days"), [
    ({"queue": "complaints", "kind": "message"}, "complaints", None),
    ({"queue": "sales", "tags": frozenset({"vip", "legal"})}, "fraud", 3650),
    ({"kind": "message", "direction": "in"}, "messages", 10),
    ({"kind": "message", "direction": "out"}, "", 90),
    ({"trunk": "hub", "agent": "zhang"}, "hub", 20),
    ({"trunk": "hub", "agent": "li"}, "", 90),
    ({}, "", 90),
])
def test_the_first_rule_whose_conditions_all_hold(
        facts: dict[str, str], rule: str, days: float | None) -> None:
    kept = Kept(number=1, ended_at=NOW, octets=1, **facts)              # type: ignore[arg-type]
    assert rule_of(RULES, kept) == (rule, days)
    assert due_at([RULES], kept) == (EVER if days is None else NOW + days * DAY_S)


@pytest.mark.need(18)
def test_a_shorter_rule_counts_when_the_one_before_is_gone_and_a_longer_one_at_once() -> None:
    kept = Kept(number=1, ended_at=NOW, octets=1)
    shorter, longer = (RetentionConfig(keep_days=days) for days in (10, 100))
    assert due_at([longer, shorter], kept) == due_at([longer], kept) == due_at([shorter, longer], kept)


@pytest.mark.parametrize("document", [
    {"least_days": 30, "keep_days": 10}, {"least_days": 30, "rules": [{"name": "a", "keep_days": 1}]},
    {"rules": [{"name": "a", "keep_days": 1}, {"name": "a", "keep_days": 2}]}, {"at": "3:30"},
    {"low_space": {"warn_percent": 5, "urgent_percent": 10}}])
def test_rules_that_contradict_themselves_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"least_days|there is twice|pattern|urgent_percent|twice"):
        RetentionConfig.model_validate(document)


recordings = st.lists(st.builds(
    Kept, number=st.integers(0, 10**6), ended_at=st.floats(NOW - 100 * DAY_S, NOW),
    octets=st.integers(1, 1000),
    known=st.booleans(), held=st.booleans(), archived=st.booleans(),
    queue=st.sampled_from(["complaints", "sales"]), kind=st.sampled_from(["talk", "message"]),
    tags=st.frozensets(st.sampled_from(["fraud", "vip"]))), max_size=30)


@pytest.mark.need(18)
@given(recordings, st.booleans(), st.floats(0, 50))
def test_what_is_held_young_or_not_archived_never_goes(
        given_: list[Kept], archives: bool, least_days: float) -> None:
    config = RULES.model_copy(update={"least_days": least_days})
    going = [kept for kept, why in expired([config], given_, NOW, needs_archive=archives) if why is None]
    going += to_free(config, given_, 10**9, NOW, needs_archive=archives)
    for kept in going:
        assert not kept.held
        assert kept.ended_at + least_days * DAY_S <= NOW
        assert kept.archived or not archives
    for kept, why in expired([config], given_, NOW, needs_archive=archives):
        assert rule_of(config, kept)[0] != "complaints"
        assert (why is Obstacle.HELD) == kept.held


@pytest.mark.need(18)
@given(recordings, st.integers(0, 20_000), st.booleans())
def test_enough_goes_or_all_that_may_and_the_oldest_first(
        given_: list[Kept], octets: int, archives: bool) -> None:
    oldest_first = sorted(given_, key=lambda kept: kept.number)
    going = to_free(RULES, oldest_first, octets, NOW, needs_archive=archives)
    allowed = [kept for kept in oldest_first if obstacle(RULES, kept, NOW, needs_archive=archives) is None]
    assert going == allowed[:len(going)]
    freed = sum(kept.octets for kept in going)
    assert freed >= octets or going == allowed
    assert not going or freed - going[-1].octets < octets           # not one more than needed


@pytest.mark.need(5)
def test_levels_do_not_flicker() -> None:
    config = LowSpaceConfig(warn_percent=20, urgent_percent=10, full_mebibytes=256)

    def at(free: int, before: Level) -> Level:
        return level(Disk(100 * GIB, free, 1000), config, before)
    assert at(20 * GIB, Level.OK) is Level.OK
    assert at(20 * GIB - 1, Level.OK) is Level.LOW
    assert at(21 * GIB, Level.LOW) is Level.LOW
    assert at(22 * GIB, Level.LOW) is Level.OK
    assert at(9 * GIB, Level.LOW) is Level.URGENT
    assert at(255 * MIB, Level.OK) is Level.FULL
    assert at(270 * MIB, Level.FULL) is Level.FULL
    assert at(30 * GIB, Level.FULL) is Level.OK
    # 480 channels: an hour of their journal is more than the shares of a small disk.
    assert level(Disk(100 * GIB, 25 * GIB, 480 * 16_000), config, Level.OK) is Level.LOW


@given(st.integers(0, 100 * GIB), st.integers(0, 100 * GIB), st.sampled_from(Level))
def test_more_room_is_never_a_graver_level(free: int, more: int, before: Level) -> None:
    config = LowSpaceConfig()
    least, most = sorted((free, more))
    assert (level(Disk(100 * GIB, most, 480_000), config, before)
            <= level(Disk(100 * GIB, least, 480_000), config, before))


def test_the_smaller_quota_counts_and_without_one_nothing_goes() -> None:
    disk, low = Disk(100 * GIB, 50 * GIB, 1000), LowSpaceConfig()
    assert over(disk, 30 * GIB, QuotaConfig(gib=25, percent=50), low, Level.OK) == 5 * GIB
    assert over(disk, 30 * GIB, QuotaConfig(gib=50, percent=20), low, Level.OK) == 10 * GIB
    assert over(disk, 30 * GIB, QuotaConfig(), low, Level.FULL) == 0
    short = Disk(100 * GIB, GIB, 1000)
    assert over(short, GIB, QuotaConfig(gib=50), low, Level.URGENT) == int(5 * GIB * 1.1) - GIB
