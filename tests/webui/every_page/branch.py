"""A branch of which every page can be looked at: what the tests of each area know, behind one exchange."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from msgspec.structs import replace

from appliance.bus.client import BusError
from appliance.bus.messages import (
    BeginCalibration,
    BeginEvaluation,
    GetFigureCounts,
    GetFigures,
    GetLineTests,
    GetProvision,
    GetRestore,
    PublishQualityForm,
    Reply,
    Request,
    RoutineState,
    SaveEvaluation,
)
from appliance.recording.prompts.requests import ANSWERS
from appliance.recording.quality import worklists
from tests.recording.quality.box import Box, make_box, said
from tests.webui.boxes import RELEASE, installed, rehearsed
from tests.webui.centre.conftest import DOCUMENT
from tests.webui.centre.conftest import Branch as CentreBranch
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.facts import RECORDING, Branch
from tests.webui.floor.facts import FloorBranch
from tests.webui.flows.shelf import FlowShelf, row
from tests.webui.lines.facts import Lines, fill
from tests.webui.prompts.facts import PromptBranch, prompt_branch
from tests.webui.quality import PEOPLE, answering
from tests.webui.reports.month import month_in
from tests.webui.shelf import Shelf
from tests.webui.system.conftest import Upkeep, line, looked
from tests.webui.system.test_restore import OUTCOME, Boxd, seen
from tests.webui.system.test_what_if import Player
from tests.webui.test_box import Root
from webui.access.ranges import UNLIMITED
from webui.alerts.rules import Rule
from webui.notices.audience import Audience
from webui.users import Users

FLOW, PERSON = "main.yaml", "li"
ASKED_OF_BOXD = (GetProvision, GetRestore)


class Everything(Branch):
    """A busy branch; what it is not asked of, one of the others answers."""

    def __init__(self, morning: Branch, shelf: Shelf, prompts: PromptBranch) -> None:
        super().__init__()
        self.__dict__.update(morning.__dict__)
        self.shelf = shelf
        floor = FloorBranch()
        floor.agents, floor.queues = self.agents, self.queues
        self._others = (prompts, floor)
        self.prompts = prompts

    def reply(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        for reply in (super().reply, *(one.reply for one in self._others)):
            try:
                return reply(request)
            except (AssertionError, KeyError):    # it does not know of such things
                continue
        raise BusError(f"{type(request).__name__}: nobody answers")


@contextlib.contextmanager
def exchange_in(folder: Path, shelf: Shelf, morning: Branch) -> Iterator[FakeExchange]:
    """All areas, each asked before those that were there; an installed box, updated and restored before."""
    installed(morning)
    morning.update = rehearsed(folder)[-1]
    (folder / "release").write_text(RELEASE)
    root, boxd = Root(), Boxd()
    boxd.says = {"prepared": seen(), "outcome": OUTCOME, "back": True, "back_until": 2e9}
    prompts = prompt_branch(folder / "prompts")
    everything = Everything(morning, shelf, prompts)
    fill(Lines(everything))
    exchange = FakeExchange(everything)
    exchange.mirror.load(everything.reply(GetLineTests()))
    upkeep, player, now = Upkeep(), Player(), time.time()
    upkeep.rounds = [
        RoutineState(kind="weekly", state="waiting", next_at=now, results=looked(), left=["restore"]),
        RoutineState(kind="monthly", state="planned", next_at=now + 86_400.0)]
    player.one = replace(player.one, order=replace(player.one.order, title="增加两人"))
    upkeep.lines = [line(2, "span telco: LOS", level="error"), line(1, "begun", "boxd")]
    with contextlib.ExitStack() as ends, month_in(folder) as month:
        ends.callback(prompts.desk.box.parts.database.close)
        exchange.ask = answering(exchange, judged(folder / "quality", ends))     # type: ignore[method-assign]
        flows = FlowShelf(exchange, folder / "flows")
        ends.callback(flows.close)
        flows.figures = [row(f"{FLOW}: {node}", 40, by_digit_1=30) for node in ("greeting", "menu", "sales")]
        CentreBranch(exchange)
        ends.callback(Kept(exchange, folder / "document", DOCUMENT).close)
        between = exchange.ask

        def ask(request: Any, timeout_s: float = 2.0) -> Any:
            if type(request) in ANSWERS:
                return prompts.reply(request)
            if isinstance(request, ASKED_OF_BOXD):
                return root.answer(request) or boxd.answer(request)
            answer = upkeep.answer(request) or player.answer(request)
            if answer is None and isinstance(request, GetFigures | GetFigureCounts) \
                    and request.since < month.now:        # figures of now are the floor's and the flows'
                answer = month.answer(request)
            return answer or between(request, timeout_s)
        exchange.ask = ask                        # type: ignore[method-assign]
        yield exchange


def judged(folder: Path, ends: contextlib.ExitStack) -> Box:
    """recordd's quality: a call that was judged, one that is, a calibration, a worklist."""
    folder.mkdir()
    box = make_box(folder, PEOPLE)
    ends.callback(box.parts.database.close)
    box.clock[0] = time.time()
    box.ask(PublishQualityForm(name="service", by="sun"))
    for number in range(1, 9):
        box.record(number, began_at=box.clock[0] - 86_400.0 * number,
                   agent=("li", "wang", "zhao")[number % 3])
    worklists.tend(box.parts, box.clock[0])
    heard = box.record(int(RECORDING, 16))        # one that the shelf has the sound of
    for by in ("chen", NAME):
        begun = box.ask(BeginEvaluation(recording=heard, form="service", by=by)).info.evaluation
        box.ask(SaveEvaluation(evaluation=begun, by=by, answers=said(), remarks=[], submit=by != NAME))
    box.ask(BeginCalibration(recording=heard, form="service", by=NAME, scorers=["sun", "wang"]))
    return box


def people_and_words(app: Flask, users: Users) -> None:
    """What webui keeps itself: an administrator, another person, a notice, an alert."""
    parts, now = app.extensions["branchline"], time.time()
    users.create_first(NAME, PASSWORD)
    users.add(PERSON, PASSWORD, "supervisor", UNLIMITED, NAME)
    parts.notices.add(NAME, "价目表 7 生效", "normal", "blue", Audience(True), now, now + 3600.0, now)
    parts.alerts.add(Rule(name="排队过多", what="waiting"), NAME, "en", UNLIMITED, now)
