"""Ranges and roles: pure."""

import itertools

import pytest

from tests.webui.facts import busy_branch
from webui.access.ranges import KINDS, NOTHING, UNLIMITED, Range, Subject, read
from webui.access.roles import RIGHTS, ROLES, WHOLE, may, may_give, outranks
from webui.access.sight import narrowed
from webui.mirror import Floor

SALES = Range(queues=frozenset({"sales"}))
ANNA = Range(agents=frozenset({"anna"}))
BOTH = Range(queues=frozenset({"sales"}), agents=frozenset({"anna"}))


@pytest.mark.parametrize(("within", "subject", "held"), [
    (UNLIMITED, Subject(), True),
    (SALES, Subject("sales", "anna", "telco"), True),
    (SALES, Subject("support", "anna"), False),
    (SALES, Subject("", "anna", "telco"), False),           # an agent's own call: no limit names it
    (BOTH, Subject("sales"), True),                         # a caller who waits
    (BOTH, Subject("", "anna"), True),                      # a call of her own
    (BOTH, Subject("sales", "ben"), False),
    (BOTH, Subject("support", "anna"), False),
    (BOTH, Subject("", "", "telco"), False),                # in a menu
    (BOTH, Subject(), False),
    (NOTHING, Subject("sales", "anna", "telco"), False),
    (Range(trunks=frozenset({"telco"})), Subject("sales", "anna", "telco"), True),
    (Range(trunks=frozenset({"telco"})), Subject("sales", "anna", "pbx"), False),
])
def test_a_call_is_within_when_no_limit_leaves_it_out_and_one_names_it(
        within: Range, subject: Subject, held: bool) -> None:
    assert within.holds(subject) is held
    asked = within.asked()
    assert held is (asked is None or asked.holds(subject.queue, subject.agent, subject.trunk))


def test_a_queue_an_agent_or_a_trunk_itself_is_judged_by_its_own_limit() -> None:
    assert SALES.covers_subject(Subject(agent="anybody"))
    assert not SALES.covers_subject(Subject(queue="support"))
    assert not ANNA.covers_subject(Subject(agent="ben"))
    assert not SALES.covers_subject(Subject())
    assert not SALES.covers_subject(Subject(agent="anybody", call=True))
    assert SALES.covers_subject(Subject(queue="sales", call=True))


def test_groups_are_resolved_anew_and_one_that_is_gone_has_nobody() -> None:
    team = Range(groups=frozenset({"early", "gone"}), agents=frozenset({"zoe"}))
    assert team.limited
    assert team.resolved({"early": ["anna", "ben"]}) == Range(agents=frozenset({"anna", "ben", "zoe"}))
    assert Range(groups=frozenset({"gone"})).resolved({}) == Range(agents=frozenset())


def test_a_range_is_kept_as_it_was_and_a_damaged_one_shows_nothing() -> None:
    limits = [None, frozenset(), frozenset({"a", "b"})]
    for queues, agents, trunks in itertools.product(limits, repeat=3):
        for groups in (frozenset[str](), frozenset({"early"})):
            within = Range(queues, agents, trunks, groups)
            assert read(within.written()) == within
    for damaged in ("", "junk", "[]", '{"queues": 1}', '{"all": ["x"]}'):
        assert read(damaged) == NOTHING


def test_nobody_gives_a_right_that_he_has_not_nor_beyond_his_range() -> None:
    for giver, role in itertools.product(ROLES, repeat=2):
        for of, given in itertools.product((UNLIMITED, SALES, ANNA, BOTH, NOTHING), repeat=2):
            if not may_give(giver, of, role, given):
                continue
            assert "people" in ROLES[giver].rights
            assert ROLES[role].rights <= ROLES[giver].rights
            assert ROLES[role].level < ROLES[giver].level or (giver == "admin" and not of.limited)
            for right in ROLES[role].rights:
                assert not may(role, right, given) or may(giver, right, of)
            if not ROLES[role].own:
                for kind in KINDS:
                    mine, theirs = getattr(of, kind), getattr(given, kind)
                    assert mine is None or (theirs is not None and theirs <= mine)


def test_who_gives_what() -> None:
    anna = Range(agents=frozenset({"anna"}))
    assert may_give("admin", UNLIMITED, "admin", UNLIMITED)
    assert not may_give("admin", SALES, "admin", SALES)
    assert may_give("supervisor", UNLIMITED, "team_leader", SALES)
    assert may_give("supervisor", BOTH, "agent", anna)
    assert not may_give("supervisor", BOTH, "agent", Range(agents=frozenset({"ben"})))
    assert not may_give("supervisor", SALES, "team_leader", UNLIMITED)
    assert not may_give("supervisor", UNLIMITED, "supervisor", SALES)
    assert not may_give("supervisor", UNLIMITED, "installer", UNLIMITED)
    assert not may_give("team_leader", UNLIMITED, "agent", anna)
    assert not may_give("nobody", UNLIMITED, "agent", anna)
    assert not outranks("supervisor", UNLIMITED, "admin")


def test_roles_have_known_rights_and_what_is_about_the_whole_box_needs_no_limits() -> None:
    assert all(role.rights <= set(RIGHTS) for role in ROLES.values())
    assert ROLES["admin"].rights == set(RIGHTS)
    assert set(RIGHTS) >= WHOLE
    for right in RIGHTS:
        assert may("admin", right, UNLIMITED)
        assert may("admin", right, SALES) is (right not in WHOLE)
        assert not may("a role of a newer version", right, UNLIMITED)


def test_the_floor_is_narrowed() -> None:
    board = busy_branch().board()
    whole = Floor(board=board, numbers={"leg": ("1", "2")})
    assert narrowed(whole, UNLIMITED) is whole
    seen = narrowed(whole, BOTH)
    assert seen.board is not None
    assert {one.name for one in seen.board.queues} == {"sales"}
    assert {one.name for one in seen.board.agents} == {"anna"}
    assert all(one.queue in ("sales", "") and one.agent in ("anna", "") for one in seen.board.contacts)
    assert seen.numbers == {}
    assert narrowed(whole, NOTHING).board.contacts == []             # type: ignore[union-attr]
