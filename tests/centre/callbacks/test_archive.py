"""What is over, out of a real log: who went without a talk and what was done since, surveys, messages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus.messages import (
    AbandonedInfo,
    CallBack,
    CloseAbandoned,
    GetAbandoned,
    GetSurvey,
    LogIn,
)
from appliance.centre.callbacks.archive import Archive
from appliance.centre.figures.counting import FigureCounting
from appliance.centre.projector import ContactProjector
from appliance.centre.turn import Setup
from appliance.errors import StateError
from appliance.store.events import EventLog
from tests.centre.callbacks.home import CUSTOMER, branch, only, out, with_flow
from tests.centre.callbacks.test_survey import CENTRE_ASKS, asked
from tests.centre.office import Office


class Kept(Office):
    """An office whose log is on a disk, too."""

    def __init__(self, setup: Setup, path: Path) -> None:
        super().__init__(setup)
        self.disk, self.written = EventLog(path, ContactProjector(), FigureCounting()), 0

    def past(self) -> Archive:
        self.disk.append(self.log[self.written:])
        self.written = len(self.log)
        return Archive(self.disk, self.setup, self.engine.state.callbacks, self.now)

    def abandoned(self, *, every: bool = False) -> list[AbandonedInfo]:
        return self.past().abandoned(GetAbandoned(every=every)).contacts

    def call_back(self, contact: str, agent: str = "") -> None:
        self.command(self.past().book(CallBack(contact=contact, agent=agent, by=agent)))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Kept]:
    office = Kept(branch(), tmp_path / "acd.sqlite")
    yield office
    office.past()
    again = [office.disk.contact(name) for name in office.records]
    assert again == list(office.records.values())
    office.disk.rebuild()
    assert [office.disk.contact(name) for name in office.records] == again
    office.disk.close()


def gives_up(office: Kept, leg: str, calling: str = CUSTOMER, waits_s: float = 30.0) -> str:
    only(office)
    name = office.call(leg, "5001", calling=calling)
    office.pass_time(waits_s)
    office.hang_up(leg)
    return name


@pytest.mark.need(23)
def test_who_gave_up_is_listed_with_reason_number_and_how_often(office: Kept) -> None:
    first = gives_up(office, "c1")
    office.pass_time(60.0)
    second = gives_up(office, "c2", waits_s=12.0)
    withheld = gives_up(office, "c3", calling="")
    office.call("c4", "5000")                     # gives up in the menu
    office.hang_up("c4")
    menu, *found = office.abandoned()
    assert (menu.where, menu.queue, menu.times) == ("flow", "", 3)
    assert [(one.contact, one.number, one.queue, one.wait_s, one.times) for one in found] == [
        (withheld, "", "sales", 30.0, 1), (second, CUSTOMER, "sales", 12.0, 3),
        (first, CUSTOMER, "sales", 30.0, 3)]
    with pytest.raises(StateError, match="the caller's number is not known"):
        office.call_back(withheld)


@pytest.mark.need(23)
def test_who_went_last_stands_first(office: Kept) -> None:
    only(office)
    waits = office.call("c1", "5001", calling="13911111111")
    office.pass_time(20.0)
    hurries = gives_up(office, "c2", waits_s=5.0)
    office.pass_time(9.0)
    office.hang_up("c1")                          # who came first has gone last
    assert [one.contact for one in office.abandoned()] == [waits, hurries]


@pytest.mark.need(23)
def test_one_click_calls_back_and_closes_it_when_they_have_talked(office: Kept) -> None:
    lost = gives_up(office, "c1")
    office.command(LogIn(agent="ann", ready=True))
    office.call_back(lost, agent="ann")
    assert office.abandoned()[0].callback
    office.pass_time(3.0)
    office.answer(office.ringing()["8001"])
    called_at = office.now
    office.hang_up(out(office)[CUSTOMER], 17)
    office.clear()
    [one] = office.abandoned()
    assert (one.called_back_at, one.called_back_by, one.closed_at) == (called_at, "ann", 0.0)
    office.pass_time(600.0)
    office.answer(office.ringing()["8001"])
    office.answer(out(office)[CUSTOMER])
    assert not office.abandoned()
    [one] = office.abandoned(every=True)
    assert (one.closed_at, one.closed_by) == (office.now, "ann") and one.closed_in in office.records


def test_it_keeps_the_place_that_the_customer_had(office: Kept) -> None:
    lost = gives_up(office, "c1")
    began = office.records[lost].segments[-1].began_at
    office.call("c2", "5001", calling="13911111111")
    office.call_back(lost)
    line = office.engine.state.line("sales")
    assert {one.record.contact: one.joined_at for one in line}[next(iter(
        office.engine.state.callbacks.values()))] == began


@pytest.mark.need(23)
def test_what_came_of_it_is_written_down(office: Kept) -> None:
    lost = gives_up(office, "c1")
    close = CloseAbandoned(contact=lost, code="solved", note="by mail", by="boss")
    office.past().closable(close)
    office.command(close)
    assert not office.abandoned()
    [one] = office.abandoned(every=True)
    assert (one.disposition, one.note, one.closed_by) == ("solved", "by mail", "boss")


def test_who_calls_again_and_is_served_is_off_the_list(office: Kept) -> None:
    gives_up(office, "c1")
    office.command(LogIn(agent="ann", ready=True))
    office.call("c2", "5001", calling="0" + CUSTOMER)
    office.answer(office.ringing()["8001"])
    assert not office.abandoned()


def test_answers_are_read_from_the_log(tmp_path: Path) -> None:
    office = Kept(with_flow(CENTRE_ASKS), tmp_path / "acd.sqlite")
    asked(office, "c1", "5", "1")
    asked(office, "c2", "0")
    found = office.past().survey(GetSurvey(survey="satisfaction"))
    assert (found.begun, found.complete, found.declined) == (2, 1, 1)
    assert office.past().survey(GetSurvey(survey="satisfaction", until=office.now - 1000.0)).begun == 0
    with pytest.raises(StateError, match="moon: no survey is or was called so, there are satisfaction"):
        office.past().survey(GetSurvey(survey="moon"))
    office.disk.close()


@pytest.mark.parametrize(("ask", "sentence"), [
    (CallBack(contact="x"), "x: no contact is called so"),
    (CloseAbandoned(contact="x", code="y"), "x: no contact is called so"),
    (GetAbandoned(days=0.0), "days: more than 0, at most 90")])
def test_what_cannot_be_is_refused(office: Kept, ask: CallBack | CloseAbandoned | GetAbandoned,
                                   sentence: str) -> None:
    past = office.past()
    with pytest.raises(StateError, match=sentence):
        if isinstance(ask, CallBack):
            past.book(ask)
        elif isinstance(ask, CloseAbandoned):
            past.closable(ask)
        else:
            past.abandoned(ask)
