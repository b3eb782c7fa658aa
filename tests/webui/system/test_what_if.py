"""What if: the form becomes the simulator's words, what boxd says becomes a page, a chart and a file."""

import html
import re
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.box.rehearsal.area import _why as why
from appliance.box.rehearsal.ordered import mistake
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    BeginRehearsal,
    Done,
    GetRehearsal,
    GetRehearsals,
    Rehearsal,
    RehearsalOrder,
    RehearsalReply,
    Rehearsals,
    RehearsalState,
    Reply,
    Request,
    StopRehearsal,
)
from appliance.errors import ConfigError
from appliance.sim.what_if import vary
from tests.sim.branches import branch
from tests.webui.conftest import FakeExchange, token
from webui.reports import what_if_charts, what_if_said
from webui.reports.what_if_form import changes_of, read

NAME = "1900000000-0123abcd"


def interval(at: str, level: float | None) -> dict[str, Any]:
    figures = {"offered": [30.0, 1.0], "answered": [28.0, 2.0], "service_level": [level, 0.05],
               "abandonment": [0.1, None], "asa_s": [12.0, 3.0], "occupancy": [0.7, 0.02]}
    return {"at": at, "base": figures, "changed": {**figures, "service_level": [0.9, 0.01]}}


def result() -> dict[str, Any]:
    pair = {"base": [100.0, 3.0], "changed": [120.0, 4.0], "change": [20.0, 2.0]}
    metrics = {name: {"formula": "x", "share": name in ("service_level", "abandonment", "occupancy"),
                      "unit": "s" if name.endswith("_s") else ""}
               for name in ("calls", "answered", "service_level", "abandonment", "asa_s", "occupancy")}
    shares = {"base": [0.6, 0.05], "changed": [0.7, 0.04], "change": [0.02, 0.05]}
    figures = {name: shares if metrics[name]["share"] else pair for name in metrics}
    intervals = [interval("09:00", 0.5), interval("09:30", None), interval("10:00", 0.7)]
    of_queue = {"figures": figures, "intervals": intervals, "target": 0.8}
    return {"metrics": metrics, "queues": {"": of_queue, "sales": of_queue, "=cmd": of_queue}, "plays": 5,
            "days": ["2026-03-02"], "left_out": {"call": 3, "agent": 1},
            "real": {"answered": 90.0, "abandoned": 10.0, "waited_s": 900.0}}


class Player:
    def __init__(self) -> None:
        order = RehearsalOrder(days=["2026-03-02"], changes=["agents=+2"], title="two more <b>")
        self.one = Rehearsal(rehearsal=NAME, order=order, by="li", began_at=time.time(), phase="done")
        self.did: list[Request[Any]] = []
        self.refusal = ""

    def answer(self, request: Request[Any]) -> Reply | None:
        match request:
            case GetRehearsals():
                return Rehearsals(rehearsals=[self.one], days=["2026-03-02", "2026-03-01"])
            case GetRehearsal():
                if request.rehearsal != NAME:
                    raise Refused("no rehearsal is called so")
                return RehearsalReply(rehearsal=self.one, result=result() if self.one.phase == "done" else {})
            case BeginRehearsal() | StopRehearsal():
                if self.refusal:
                    raise Refused(self.refusal)
                self.did.append(request)
                return RehearsalReply(rehearsal=self.one, result={}) if isinstance(
                    request, BeginRehearsal) else Done()
        return None


@pytest.fixture
def player(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Player:
    player, other = Player(), exchange.ask
    monkeypatch.setattr(exchange, "ask", lambda request, timeout_s=2.0: (
        player.answer(request) or other(request, timeout_s)))
    return player


def words(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])).split())


def send(client: FlaskClient, path: str, **form: Any) -> Any:
    return client.post(path, data=form | {"csrf_token": token(client, "/box/")})


@pytest.mark.parametrize(("form", "words_"), [
    ({"agents-0": "2"}, ["agents=+2"]), ({"agents-0": "-1", "agents-queue-0": "sales"}, ["agents.sales=-1"]),
    ({"staff-1": "3", "staff-from-1": "09:00", "staff-to-1": "12:00"}, ["staff=09:00-12:00:+3"]),
    ({"calls": "10", "handling": "-5.5", "patience": "0"}, ["calls=+10%", "handling=-5.5%"]),
    ({"wrap-up-0": "0", "wrap-up-queue-0": "sales"}, ["wrap-up.sales=0"]),
    ({"no-answer": "5"}, ["no-answer=5%"]),
    ({"strategy-queue-0": "sales", "strategy-0": "fewest-calls"}, ["strategy.sales=fewest-calls"]),
    ({"overflow-queue-0": "sales", "overflow-to-0": "service", "overflow-after-0": "30"},
     ["overflow.sales=30:service"]),
    ({"overflow-queue-0": "sales"}, ["overflow.sales=none"]),
    ({"serve-queue-2": "sales", "serve-sign-2": "-", "serve-agent-2": "anna"}, ["serve.sales=-anna"]),
    ({"skill-agent-0": "anna", "skill-name-0": "en", "skill-level-0": "5"}, ["skill.anna=en:5"])])
def test_a_form_becomes_words(form: dict[str, str], words_: list[str]) -> None:
    assert list(changes_of(form)) == words_


@pytest.mark.parametrize("form", [
    {}, {"agents-0": "many"}, {"agents-0": "1,box=/etc/shadow"}, {"staff-0": "1"},
    {"staff-0": "1", "staff-from-0": "9", "staff-to-0": "10:00"},
    {"strategy-queue-0": "sales", "strategy-0": "x"},
    {"serve-queue-0": "sales"}, {"skill-agent-0": "anna", "skill-name-0": "EN!", "skill-level-0": "5"},
    {"skill-agent-0": "anna", "skill-name-0": "en", "skill-level-0": "99"}, {"agents-0": "1", "seeds": "0"},
    {"agents-0": "1", "interval": "7"}, {"agents-0": "1", "day": []},
    {"agents-0": "1", "day": [f"2026-03-{day:02}" for day in range(1, 12)]}])
def test_what_cannot_be_read_is_said_and_begins_nothing(
        client: FlaskClient, player: Player, form: dict[str, Any]) -> None:
    answer = send(client, "/reports/what-if/begin", **{"day": "2026-03-02", **form})
    assert answer.status_code == 409 and "refused" in answer.text and not player.did


def test_one_is_begun_looked_at_and_removed(client: FlaskClient, player: Player) -> None:
    said = words(client, "/reports/what-if/")
    assert "2026-03-01" in said and "two more <b>" in said and "sales" in said
    answer = send(client, "/reports/what-if/begin", **{"day": "2026-03-02", "agents-0": "2", "seeds": "3"})
    assert answer.location == f"/reports/what-if/{NAME}"
    (begun,) = player.did
    assert isinstance(begun, BeginRehearsal)
    assert (begun.by, begun.order.changes, begun.order.seeds) == ("admin", ["agents=+2"], 3)
    player.refusal = "one runs: wait until it has ended, or stop it"
    again = send(client, "/reports/what-if/begin", **{"day": "2026-03-02", "agents-0": "2"})
    assert "One is being played already" in again.text
    player.refusal = ""
    assert send(client, f"/reports/what-if/{NAME}/stop").status_code == 303
    assert client.get("/reports/what-if/nothing").status_code == 404
    assert "What-if begun" in words(client, "/log/")


def test_what_came_of_it_is_drawn_and_taken_home(client: FlaskClient, player: Player) -> None:
    said = words(client, f"/reports/what-if/{NAME}")
    for part in ("Service level 60.0 % ±5.0 % 70.0 %", "90 answered, 10 gave up", "ASA 10.0 s",
                 "3 calls, 1 agent"):
        assert part in said, part
    page = client.get(f"/reports/what-if/{NAME}?queue=sales").text
    assert page.count("<svg viewBox=") == 4 and "style=" not in page and 'class="number surely"' in page
    assert client.get(f"/reports/what-if/{NAME}?queue=none").status_code == 200
    answer = client.get(f"/reports/what-if/{NAME}.csv")
    assert answer.mimetype == "text/csv" and "'=cmd" in answer.text
    assert "service_level,0.6,0.05" in answer.text


def test_progress_comes_by_itself_and_then_the_result(
        client: FlaskClient, exchange: FakeExchange, player: Player) -> None:
    player.one = msgspec.structs.replace(player.one, phase="running", done=1, of=4)
    assert "1 of 4 plays" in words(client, f"/reports/what-if/{NAME}")
    answer = client.get(f"/reports/what-if/{NAME}/events", buffered=False)
    events = answer.iter_encoded()
    assert b"1 of 4 plays" in b"".join(next(events) for _ in range(2))
    player.one = msgspec.structs.replace(player.one, phase="done")
    exchange.mirror.hear(RehearsalState(rehearsal=player.one), time.monotonic())
    assert b"data-ended" in next(events) and client.get("/reports/what-if/x/events").status_code == 404
    answer.close()
    player.one = msgspec.structs.replace(player.one, phase="failed", trouble="no call\nof that day")
    assert "no call of that day" in words(client, f"/reports/what-if/{NAME}")
    assert client.get(f"/reports/what-if/{NAME}.csv").status_code == 404


def test_a_result_that_boxd_could_not_tell_is_asked_for_again(
        client: FlaskClient, exchange: FakeExchange, player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    player.one = msgspec.structs.replace(player.one, phase="running", done=1, of=4)
    monkeypatch.setattr("webui.live.LOOK_S", 0.05)
    answer = client.get(f"/reports/what-if/{NAME}/events", buffered=False)
    events = answer.iter_encoded()
    assert b"1 of 4 plays" in b"".join(next(events) for _ in range(2))
    ask, left = exchange.ask, [1]

    def away(request: Any, timeout_s: float = 2.0) -> Any:
        if isinstance(request, GetRehearsal) and left[0]:
            left[0] -= 1
            raise BusError("boxd is not there")
        return ask(request, timeout_s)
    monkeypatch.setattr(exchange, "ask", away)
    player.one = msgspec.structs.replace(player.one, phase="done")
    exchange.mirror.hear(RehearsalState(rehearsal=player.one), time.monotonic())
    assert b"data-ended" in next(events) and left == [0]
    answer.close()


def orders() -> Iterator[RehearsalOrder]:
    good = RehearsalOrder(days=["2026-03-02"], changes=["agents=+2"])
    wrongs: list[dict[str, Any]] = [
        {"days": []}, {"days": ["2.3."]}, {"seeds": 0}, {"title": "x" * 200}, {"changes": ["x"]},
        {"changes": ["agents=+2"] * 41}]
    for wrong in wrongs:
        yield msgspec.structs.replace(good, **wrong)


def test_what_boxd_and_the_simulator_say_is_said_in_chinese(app: Flask) -> None:
    told = [wrong for one in orders() if (wrong := mistake(one))]
    for change in ("agents=-99", "agents.nobody=+1", "staff=10:00-09:00:+1", "wrap-up=9999",
                   "overflow.sales=9:nobody", "no-answer=900%", "agents=+9999", "strategy=longest-idle",
                   "skill.agent1=a:11"):
        with pytest.raises(ConfigError) as error:
            vary(branch(), change)
        told.append(str(error.value))
    told += [why(-24), why(1), "one runs: wait until it has ended, or stop it", "no rehearsal is called 'x'",
             "/x/y.json: No space left on device: nothing was begun",
             "what it came to could not be kept: No space left on device"]
    with app.test_request_context(headers={"Cookie": "language=zh"}):
        for text in told:
            assert re.search("[\u4e00-\u9fff]", what_if_said.said(text)), text
    with app.test_request_context(headers={"Cookie": "language=en"}):
        assert what_if_said.said("an unknown one\nline") == "an unknown one\nline"


@pytest.mark.parametrize("seeds", ["0000051", "1" * 5000, "²", "-1"])
def test_a_number_is_judged_as_it_is_taken(seeds: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        read({"agents-0": "1", "seeds": seeds}, ["2026-03-02"])


def test_nothing_to_draw_is_no_chart() -> None:
    assert what_if_charts.draw("service_level", "share", [interval("09:00", 0.5)], None) is None
    empty = [{"at": "09:00", "base": {}, "changed": {}}] * 3
    assert what_if_charts.draw("service_level", "share", empty, 0.8) is None
    wild = [interval("09:00", 1.2), interval("10:00", -1.0)]
    chart = what_if_charts.draw("service_level", "share", wild, 0.8)
    assert chart is not None and all(0 <= float(point.split(",")[1]) <= 250
                                     for line in chart.base.lines for point in line.split())
