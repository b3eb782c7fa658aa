"""What acdd says in English is known to the pages: every sentence is one that acdd made."""

from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from appliance.bus.messages import (
    AssignAgents,
    Assigning,
    EndTalk,
    ExplainAgent,
    ExplainContact,
    FindTelephone,
    LogOut,
    Monitor,
    Request,
    SetNotReady,
    SetPriority,
    SetReady,
    StopMonitor,
    TakeOver,
)
from appliance.centre.choice.floor import Why
from appliance.config.agents import ReasonConfig
from appliance.errors import StateError
from tests.centre.office import CENTRE, Office, in_queue, setup
from tests.centre.test_assigning import WRONG
from tests.centre.test_choosing import SERVICE, queue
from tests.centre.test_choosing import office as skilled
from webui.floor.said import said

LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")


def in_both(app: Flask, sentence: str, names: tuple[str, ...]) -> None:
    """In Chinese nothing of the English is left but names."""
    with app.test_request_context(), force_locale("zh"):
        chinese = said(sentence)
    for name in sorted(names, key=len, reverse=True):
        chinese = chinese.replace(name, "")
    assert not LATIN & set(chinese), f"{sentence!r} -> {chinese!r}"
    with app.test_request_context(), force_locale("en"):
        assert said(sentence)


@pytest.fixture
def office() -> Office:
    return Office(setup(CENTRE.model_copy(update={
        "not_ready": [ReasonConfig(name="lunch"), ReasonConfig(name="training")]})))


def refusals(office: Office) -> list[Request[Any]]:
    """Each is refused, in a way of its own; ann talks, eve is logged out."""
    for name in ("bo", "cy"):
        office.command(SetNotReady(agent=name, reason="lunch"))
    in_queue(office, "c1")
    [ring] = office.ringing().values()
    office.answer(ring)
    office.command(LogOut(agent="eve"))
    office.command(Monitor(agent="ann", at="8100", by="boss"))
    return [
        Monitor(agent="nobody", at="8100"), Monitor(agent="bo", at="8100"), Monitor(agent="eve", at="8100"),
        Monitor(agent="ann", at="eve"), Monitor(agent="ann", at="ann"), Monitor(agent="ann", at="x99"),
        Monitor(agent="ann", at="queue:sales"), StopMonitor(agent="ann", at="8101"),
        TakeOver(agent="ann", at="8100"), EndTalk(agent="dee"), FindTelephone(at="0"), FindTelephone(at=""),
        SetReady(agent="eve"), SetReady(agent="nobody"), SetNotReady(agent="bo", reason=""),
        SetNotReady(agent="bo", reason="tired"), SetPriority(contact="x", priority=1), LogOut(agent="nobody"),
    ]


def test_every_refusal_of_steering_is_known(app: Flask, office: Office) -> None:
    names = ("ann", "bo", "cy", "dee", "eve", "nobody", "8100", "8101", "x99", "queue:sales", "lunch",
             "training", "tired", "centre.outbound")
    asked = refusals(office)
    for one in asked:
        with pytest.raises(StateError) as refused:
            office.command(one)
        in_both(app, str(refused.value), names)
    second = in_queue(office, "c2")
    with pytest.raises(StateError) as refused:
        office.command(SetPriority(contact=second, priority=101))
    in_both(app, str(refused.value), ())


def test_every_explanation_is_known(app: Flask, office: Office) -> None:
    names = ("ann", "bo", "cy", "dee", "eve", "sales", "service", "en")
    told: list[str] = []

    def look(*contacts: str) -> None:
        for contact in contacts:
            explained: Any = office.command(ExplainContact(contact=contact))
            told.extend([explained.words, *(one.words for one in explained.agents)])
        for agent in names[:5]:
            explained = office.command(ExplainAgent(agent=agent))
            told.append(explained.words)

    look()
    refusals(office)
    waiting = in_queue(office, "c2")
    look(waiting)
    for agent in ("bo", "cy"):
        office.command(LogOut(agent=agent))
    look(waiting)
    office.command(EndTalk(agent="ann", by="boss"))
    look(waiting)
    assert len(set(told)) > 6
    for sentence in set(told):
        in_both(app, sentence, names)


def test_every_refusal_of_sharing_is_known(app: Flask) -> None:
    branch = skilled(queue(agents=[], skills={"billing": 7}), SERVICE)
    branch.command(LogOut(agent="eve"))
    for what, _ in WRONG:
        with pytest.raises(StateError) as refused:
            branch.command(AssignAgents(assignments=[Assigning(**what)]))
        in_both(app, str(refused.value),
                ("ann", "bo", "nobody", "billing", "chess", "lost", "sales", "service", "eve"))
    assert len(WRONG) > 5


@pytest.mark.parametrize("strategy", [
    "longest-idle", "fewest-calls", "least-occupied", "round-robin", "best-skill", "ring-all",
    "last-agent-first", "percentage"])
def test_every_reason_for_an_agent_is_known(app: Flask, strategy: str) -> None:
    in_both(app, Why(strategy, 3, 2, reserve=True, behind=4, unfit=1).in_words(), ())
    in_both(app, Why(strategy, 1, 0).in_words(), ())


@pytest.mark.parametrize("sentence", [
    "from ring 2 on, in 15 s: en 3 is asked for and it has none, is not in the queue's list",
    "en 3 is asked for and it has 2", "held back until the queue is in need", "reserve: talking",
    "nobody can serve it yet; 2 can from a later ring on", "nobody can serve it, not even later",
    "serves other queues", "is free; nobody waits whom it may serve: 3 wait for others",
    "was taken out of the queue by hand, en 3 is asked for and it has 2",
    "number is being called already", "0123: is being called already",
])
def test_rarer_ones_are_known(app: Flask, sentence: str) -> None:
    if sentence == "number is being called already":
        with app.test_request_context(), force_locale("zh"):
            assert said(sentence) == sentence     # what nobody says is shown as it is
    else:
        in_both(app, sentence, ("en",))
