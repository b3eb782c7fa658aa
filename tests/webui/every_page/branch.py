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
    GetFigureCounts,
    GetFigures,
    GetLineTests,
    Reply,
    Request,
)
from appliance.recording.prompts.requests import ANSWERS
from tests.webui.centre.conftest import DOCUMENT
from tests.webui.centre.conftest import Branch as CentreBranch
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.facts import Branch
from tests.webui.floor.facts import FloorBranch
from tests.webui.flows.shelf import FlowShelf, row
from tests.webui.lines.facts import Lines, fill
from tests.webui.prompts.facts import PromptBranch, prompt_branch
from tests.webui.reports.month import month_in
from tests.webui.shelf import Shelf
from tests.webui.system.conftest import Upkeep, line
from tests.webui.system.test_what_if import Player
from webui.access.ranges import UNLIMITED
from webui.alerts.rules import Rule
from webui.notices.audience import Audience
from webui.users import Users

FLOW, PERSON = "main.yaml", "li"


class Everything(Branch):
    """A busy branch; what it is not asked of, one of the others answers."""

    def __init__(self, morning: Branch, shelf: Shelf, prompts: PromptBranch) -> None:
        super().__init__()
        self.__dict__.update(morning.__dict__)
        self.shelf = shelf
        self._others = (prompts, FloorBranch())
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
    """All areas, each asked before those that were there."""
    prompts = prompt_branch(folder / "prompts")
    everything = Everything(morning, shelf, prompts)
    fill(Lines(everything))
    exchange = FakeExchange(everything)
    exchange.mirror.load(everything.reply(GetLineTests()))
    upkeep, player = Upkeep(), Player()
    player.one = replace(player.one, order=replace(player.one.order, title="增加两人"))
    upkeep.lines = [line(2, "span telco: LOS", level="error"), line(1, "begun", "boxd")]
    with contextlib.ExitStack() as ends, month_in(folder) as month:
        ends.callback(prompts.desk.box.parts.database.close)
        flows = FlowShelf(exchange, folder / "flows")
        ends.callback(flows.close)
        flows.figures = [row(node, 40, by_digit_1=30) for node in ("greeting", "menu", "sales")]
        CentreBranch(exchange)
        ends.callback(Kept(exchange, folder / "document", DOCUMENT).close)
        between = exchange.ask

        def ask(request: Any, timeout_s: float = 2.0) -> Any:
            if type(request) in ANSWERS:
                return prompts.reply(request)
            answer = upkeep.answer(request) or player.answer(request)
            if answer is None and isinstance(request, GetFigures | GetFigureCounts) and request.of != "node":
                answer = month.answer(request)
            return answer or between(request, timeout_s)
        exchange.ask = ask                        # type: ignore[method-assign]
        yield exchange


def people_and_words(app: Flask, users: Users) -> None:
    """What webui keeps itself: an administrator, another person, a notice, an alert."""
    parts, now = app.extensions["branchline"], time.time()
    users.create_first(NAME, PASSWORD)
    users.add(PERSON, PASSWORD, "supervisor", UNLIMITED, NAME)
    parts.notices.add(NAME, "价目表 7 生效", "normal", "blue", Audience(True), now, now + 3600.0, now)
    parts.alerts.add(Rule(name="排队过多", what="waiting"), NAME, "en", UNLIMITED, now)
