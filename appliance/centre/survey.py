"""Questions to a customer about the talk: keys 1 to 5, one question after the other. Pure.

What moves a survey gives True when it is over.
"""

from collections.abc import Iterable, Mapping

from appliance.bus.messages import AnswersInfo, Hangup, StopPlay, SurveyResults
from appliance.centre import agents, announce, events, recording
from appliance.centre.control import media, parties
from appliance.centre.events import decode
from appliance.centre.state import Agent, Contact, Survey
from appliance.centre.turn import NORMAL, Turn
from appliance.config.callbacks import SurveyConfig
from appliance.errors import StateError
from appliance.store.events import Entry

TO = "survey:"                                    # a customer is transferred there
AFTER_TALK = "survey"                             # state of a contact whose agent has gone
_SAMPLES = 10_000


def follows(turn: Turn, contact: Contact, gone_leg: str = "") -> bool:
    """The agent goes: True when the customer stays for the survey of the queue."""
    agent = turn.state.agents.get(contact.record.agent)
    config = next((one for one in turn.setup.surveys.values() if contact.record.queue in one.queues), None)
    if config is None or agent is None or contact.conference or not _is_drawn(contact, config):
        return False
    _begin_after_talk(turn, agent, contact, config, "telephone", gone_leg)
    return True


def transfer(turn: Turn, agent: Agent, contact: Contact, to: str, by: str) -> None:
    """The agent sends the customer there. StateError: there is no such survey."""
    config = turn.setup.surveys.get(to.removeprefix(TO))
    if config is None:
        raise StateError(f"{to}: no survey is called so, there are {', '.join(turn.setup.surveys) or 'none'}")
    _begin_after_talk(turn, agent, contact, config, by, "")


def begin(turn: Turn, contact: Contact, config: SurveyConfig, agent: str, queue: str) -> bool:
    recording.resume(turn, contact, "")           # its keys are to be kept
    turn.log(events.SurveyBegun(survey=config.name, agent=agent, queue=queue), contact)
    if config.intro:
        _play(turn, contact, config.intro)
        return False
    return _ask(turn, contact, config, 0, 0)


def play_over(turn: Turn, contact: Contact) -> bool:
    survey, config = _now(turn, contact)
    if survey is None or config is None or survey.over:
        return True
    if survey.question < 0:
        return _ask(turn, contact, config, 0, 0)
    turn.log(events.DigitAwaited(until=turn.now + config.timeout_s), contact)
    return False


def digit(turn: Turn, contact: Contact, key: str) -> bool:
    survey, config = _now(turn, contact)
    if survey is None or config is None:
        return True
    if survey.over:
        return False
    if key == config.no_thanks:
        return _over(turn, contact, survey, config, "declined")
    if survey.question < 0:
        return False
    question = config.questions[survey.question]
    if key not in "123456789"[:question.best]:
        return _again(turn, contact, survey, config, config.invalid)
    turn.log(events.SurveyAnswered(survey=config.name, question=question.name, answer=int(key),
                                   agent=survey.agent, queue=survey.queue), contact)
    if survey.question + 1 < len(config.questions):
        return _ask(turn, contact, config, survey.question + 1, 0)
    return _over(turn, contact, survey, config, "complete")


def no_digit(turn: Turn, contact: Contact) -> bool:
    survey, config = _now(turn, contact)
    if survey is None or config is None or survey.over:
        return True
    return _again(turn, contact, survey, config, [])


def after_talk(turn: Turn, contact: Contact, over: bool) -> None:
    """Where no flow goes on."""
    if over:
        turn.end(contact, "answered", "agent", NORMAL)


def results(name: str, config: SurveyConfig | None, entries: Iterable[Entry], agent: str = "",
            queue: str = "") -> SurveyResults:
    """Out of the survey's events; agent, queue: of these talks only."""
    begun: set[str] = set()
    ended = {"complete": 0, "declined": 0}
    asked: dict[str, int] = {}
    counts: dict[str, dict[int, int]] = {}
    order = [question.name for question in config.questions] if config is not None else []
    for entry in entries:
        match decode(entry):
            case events.SurveyBegun(survey=survey, agent=of, queue=at) if survey == name:
                if agent in ("", of) and queue in ("", at):
                    begun.add(entry.contact)
            case events.SurveyAsked(name=question, tries=0) if entry.contact in begun:
                asked[question] = asked.get(question, 0) + 1
            case events.SurveyAnswered(question=question, answer=answer) if entry.contact in begun:
                found = counts.setdefault(question, {})
                found[answer] = found.get(answer, 0) + 1
            case events.SurveyOver(why=why) if entry.contact in begun and why in ended:
                ended[why] += 1
    best = {question.name: question.best for question in config.questions} if config is not None else {}
    return SurveyResults(
        survey=name, begun=len(begun), **ended,
        questions=[_answers(question, asked[question], counts.get(question, {}), best.get(question, 5))
                   for question in sorted(asked, key=lambda one: (one not in order, order.index(one)
                                                                  if one in order else 0, one))])


def _answers(question: str, asked: int, counts: Mapping[int, int], best: int) -> AnswersInfo:
    answered = sum(counts.values())
    return AnswersInfo(
        question=question, asked=asked, answered=answered,
        average=sum(answer * number for answer, number in counts.items()) / answered if answered else 0.0,
        counts=[counts.get(answer, 0) for answer in range(1, max([best, *counts]) + 1)])


def _begin_after_talk(turn: Turn, agent: Agent, contact: Contact, config: SurveyConfig, by: str,
                      gone_leg: str) -> None:
    queue = contact.record.queue
    media.stop_recording(turn, contact)
    parties.leave_all(turn, contact)
    if contact.agent_leg != gone_leg:
        turn.do(Hangup(leg=contact.agent_leg, cause=NORMAL))
    agents.finish(turn, contact, gone_leg)
    turn.log(events.LetGo(agent=agent.name, why=AFTER_TALK, by=by), contact)
    after_talk(turn, contact, begin(turn, contact, config, agent.name, queue))


def _ask(turn: Turn, contact: Contact, config: SurveyConfig, question: int, tries: int,
         first: Iterable[str] = ()) -> bool:
    asked = config.questions[question]
    turn.log(events.SurveyAsked(question=question, name=asked.name, tries=tries), contact)
    _play(turn, contact, [*first, *asked.prompt])
    return False


def _again(turn: Turn, contact: Contact, survey: Survey, config: SurveyConfig, first: list[str]) -> bool:
    if survey.tries == config.retries:
        return _over(turn, contact, survey, config, "no answer")
    return _ask(turn, contact, config, survey.question, survey.tries + 1, first)


def _over(turn: Turn, contact: Contact, survey: Survey, config: SurveyConfig, why: str) -> bool:
    turn.log(events.SurveyOver(survey=config.name, why=why, agent=survey.agent, queue=survey.queue), contact)
    if config.thanks:
        _play(turn, contact, config.thanks)
    elif contact.play:
        turn.log(events.PlayOver(), contact)
        turn.do(StopPlay(leg=contact.arrived_leg))
    return not config.thanks


def _play(turn: Turn, contact: Contact, names: Iterable[str]) -> None:
    turn.play(contact, [one for name in names for one in announce.prompt(contact.language, name)])


def _now(turn: Turn, contact: Contact) -> tuple[Survey | None, SurveyConfig | None]:
    survey = contact.survey
    config = None if survey is None else turn.setup.surveys.get(survey.survey)
    if survey is not None and config is not None and survey.question >= len(config.questions):
        config = None                             # it has been shortened meanwhile
    return survey, config


def _is_drawn(contact: Contact, config: SurveyConfig) -> bool:
    """By the contact's name, which is random: the same again after a restart."""
    return int(contact.record.contact[-8:], 16) % _SAMPLES < config.percent * _SAMPLES / 100
