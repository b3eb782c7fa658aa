"""A page waits once for a daemon that does not answer; an act as long as it takes."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import GetBoard, GetFitness, GetHealth, Request
from webui.mirror import Mirror
from webui.patience import AFTER_FAILURE_S, AWAY_S, Patient


class Hung:
    """Nobody answers; how long who waited for whom. `now` goes on by that."""

    def __init__(self) -> None:
        self.mirror = Mirror(0.0)
        self.now, self.waited = 0.0, list[tuple[str, float]]()
        self.error: type[BusError] = BusError

    def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Any:
        self.waited.append((request.owner, timeout_s))
        self.now += timeout_s
        raise self.error("no answer")


@pytest.fixture
def hung() -> Hung:
    return Hung()


@pytest.fixture
def patient(hung: Hung) -> Patient:
    return Patient(hung, lambda: hung.now)


@pytest.fixture
def looking() -> Iterator[None]:
    with Flask(__name__).test_request_context("/"):
        yield


def asked(patient: Patient, *requests: Request[Any]) -> None:
    for request in requests:
        with pytest.raises(BusError):
            patient.ask(request, 20.0)


@pytest.mark.usefixtures("looking")
def test_a_page_waits_for_each_daemon_once(hung: Hung, patient: Patient) -> None:
    asked(patient, GetHealth(), GetFitness(), GetHealth(), GetBoard(), GetBoard(), GetFitness())
    assert hung.waited == [("boxd", 20.0), ("acdd", 20.0), ("boxd", 20.0)]
    hung.waited.clear()
    hung.now += AFTER_FAILURE_S
    asked(patient, GetBoard())
    assert hung.waited == [("acdd", 20.0)]


@pytest.mark.usefixtures("looking")
def test_who_has_fallen_silent_is_given_little_time(hung: Hung, patient: Patient) -> None:
    hung.mirror.check(1000.0)
    assert "boxd" in patient.mirror.floor.away
    asked(patient, GetHealth())
    assert hung.waited == [("boxd", AWAY_S)]


@pytest.mark.usefixtures("looking")
def test_who_refuses_has_answered(hung: Hung, patient: Patient) -> None:
    hung.error = Refused
    asked(patient, GetHealth(), GetHealth())
    assert len(hung.waited) == 2


def test_acts_and_what_no_page_asks_wait_as_they_are_told(hung: Hung, patient: Patient) -> None:
    hung.mirror.check(1000.0)
    asked(patient, GetHealth(), GetHealth())
    with Flask(__name__).test_request_context("/", method="POST"):
        asked(patient, GetHealth(), GetHealth())
    assert hung.waited == 4 * [("boxd", 20.0)]
