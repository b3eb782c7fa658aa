"""After the talk: questions, keys, and what becomes of them."""

import pytest

from appliance.bus.messages import EndTalk, Transfer
from appliance.centre.flow import Flow, HangupNode, SurveyNode
from appliance.centre.survey import results
from appliance.config.callbacks import QuestionConfig, SurveyConfig
from appliance.errors import StateError
from tests.centre.callbacks.home import only, with_flow
from tests.centre.office import CENTRE, Office, in_queue

SURVEY = SurveyConfig(
    name="satisfaction", intro=["please-stay"], invalid=["one-to-five"], thanks=["thanks"], queues=["sales"],
    questions=[QuestionConfig(name="service", prompt=["how-was-it"]),
               QuestionConfig(name="solved", prompt=["solved"], best=2)])
CENTRE_ASKS = CENTRE.model_copy(update={"surveys": [SURVEY]})


@pytest.fixture
def office() -> Office:
    return Office(with_flow(CENTRE_ASKS))


def talk(office: Office, leg: str) -> str:
    """With ann; her leg."""
    only(office, "ann")
    in_queue(office, leg)
    ann = office.ringing()["8001"]
    office.answer(ann)
    return ann


def asked(office: Office, leg: str, *keys: str) -> None:
    """The agent hangs up, and the customer answers as far as the keys go."""
    office.hang_up(talk(office, leg))
    office.played(leg)                            # the intro
    for key in keys:
        office.press(leg, key)
    office.pass_time(5.0)                         # ann's wrap-up


def test_both_questions_are_answered_and_the_agent_is_free_meanwhile(office: Office) -> None:
    ann = talk(office, "c1")
    [name] = office.engine.state.contacts
    office.hang_up(ann)
    assert office.hears("c1") == ["zh/please-stay"] and not office.recording
    assert office.agent("ann").state == "wrap-up" and office.agent("ann").contact == ""
    office.played("c1")
    assert office.hears("c1") == ["zh/how-was-it"]
    office.restart()
    office.press("c1", "4")                       # while it is being asked
    assert office.hears("c1") == ["zh/solved"]
    office.played("c1")
    office.press("c1", "5")
    assert office.hears("c1") == ["zh/one-to-five", "zh/solved"]
    office.press("c1", "2")
    assert office.hears("c1") == ["zh/thanks"]
    office.played("c1")
    office.clear()
    record = office.records[name]
    assert (record.outcome, record.ended_by, record.agent) == ("answered", "agent", "ann")
    assert record.segments[-1].kind == "survey" and not office.calls
    found = results("satisfaction", SURVEY, office.log)
    assert (found.begun, found.complete, found.declined) == (1, 1, 0)
    assert [(one.question, one.average, one.counts) for one in found.questions] == [
        ("service", 4.0, [0, 0, 0, 1, 0]), ("solved", 2.0, [0, 1])]


def test_results_count_who_answers_and_who_does_not(office: Office) -> None:
    asked(office, "c1", "5", "1")
    asked(office, "c2", "2")                      # and hangs up
    office.hang_up("c2")
    asked(office, "c3", "0")                      # no, thanks
    asked(office, "c4")                           # says nothing at all
    office.played("c4")
    office.pass_time(6.0)
    assert office.hears("c4") == ["zh/how-was-it"]
    office.played("c4")
    office.pass_time(6.0)
    assert office.hears("c4") == ["zh/thanks"]
    found = results("satisfaction", SURVEY, office.log)
    assert (found.begun, found.complete, found.declined) == (4, 1, 1)
    service, solved = found.questions
    assert (service.asked, service.answered, service.average) == (4, 2, 3.5)
    assert (solved.asked, solved.answered) == (2, 1)
    assert results("satisfaction", SURVEY, office.log, agent="bo").begun == 0
    assert results("satisfaction", SURVEY, office.log, queue="sales").begun == 4


@pytest.mark.parametrize("way", ["click", "transfer", "customer", "supervisor"])
def test_who_ends_the_talk_decides(office: Office, way: str) -> None:
    talk(office, "c1")
    if way == "click":
        office.command(EndTalk(agent="ann", by="ann"))
    elif way == "transfer":
        office.command(Transfer(agent="ann", to="survey:satisfaction"))
    elif way == "customer":
        office.hang_up("c1")
    else:
        office.command(EndTalk(agent="ann", by="boss"))
    office.clear()
    assert ("c1" in office.calls) is (way in ("click", "transfer"))


def test_a_share_of_the_talks_is_enough() -> None:
    rare = SURVEY.model_copy(update={"percent": 0.01})
    office = Office(with_flow(CENTRE.model_copy(update={"surveys": [rare]})))
    office.hang_up(talk(office, "c1"))
    office.clear()
    assert not office.calls
    office.pass_time(5.0)
    talk(office, "c2")
    with pytest.raises(StateError, match="survey:moon: no survey is called so, there are satisfaction"):
        office.command(Transfer(agent="ann", to="survey:moon"))


def test_a_flow_asks_and_goes_on() -> None:
    flow = Flow(start="ask", nodes={"ask": SurveyNode(kind="survey", survey="satisfaction", next="bye"),
                                    "bye": HangupNode(kind="hangup")})
    office = Office(with_flow(CENTRE_ASKS, flow))
    office.call("c1", "5001")
    office.played("c1")
    office.press("c1", "3", "1")
    office.played("c1")
    office.clear()
    assert not office.calls and results("satisfaction", SURVEY, office.log).complete == 1
