"""A box whose prompts recordd's own code keeps, in folders of a test; acdd says who uses which."""

import time
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from appliance.bus.client import Refused
from appliance.bus.messages import (
    Done,
    GetPromptTakes,
    GetPromptUses,
    PromptTake,
    PromptTakeBegun,
    PromptTakes,
    PromptUse,
    PromptUses,
    Reply,
    Request,
    StopTake,
    TakePrompt,
)
from appliance.errors import StateError
from appliance.recording.prompts.requests import ANSWERS
from tests.recording.prompts.desk import Desk, tone
from tests.recording.vault.box import make_box
from tests.webui.facts import Branch, busy_branch

USES = {
    "zh/greeting": [PromptUse(kind="flow", where="main.yaml", what="hello")],
    "en/greeting": [PromptUse(kind="flow", where="main.yaml", what="hello")],
    "zh/closed": [PromptUse(kind="entry", where="announce:closed", what="only")],
    "en/closed": [PromptUse(kind="entry", where="announce:closed", what="only")],
    "zh/number/1": [PromptUse(kind="values", where="main.yaml", what="balance")],
    "music/default": [PromptUse(kind="queue", where="sales", what="music")],
}


class PromptBranch(Branch):
    desk: Desk
    refusal = ""                                  # of the next act

    def reply(self, request: Request[Any]) -> Reply:
        match request:
            case _ if self.refusal and isinstance(request, TakePrompt | StopTake):
                refusal, self.refusal = self.refusal, ""
                raise Refused(refusal)
            case GetPromptUses(name=name):
                return PromptUses(uses={one: by for one, by in USES.items() if name in ("", one)})
            case TakePrompt():
                return PromptTakeBegun(take=take(name=request.name, at=request.at, by=request.by))
            case GetPromptTakes():
                return PromptTakes(takes=[])
            case StopTake():
                return Done()
            case _ if type(request) in ANSWERS:
                self.asked.append(request)
                try:
                    return self.desk.ask(request)  # type: ignore[no-any-return]
                except StateError as error:
                    raise Refused(str(error)) from None
            case _:
                return super().reply(request)


def take(**said: Any) -> PromptTake:
    return replace(PromptTake(take="f" * 32, name="zh/greeting", at="810", by="admin", step="ringing",
                              began_at=time.time()), **said)


def prompt_branch(folder: Path) -> PromptBranch:
    """A few prompts in both languages, one that is missing, and most words of values."""
    branch, morning = PromptBranch(), busy_branch()
    for name in ("contacts", "queues", "agents", "busy", "calls", "legs", "traces"):
        setattr(branch, name, getattr(morning, name))
    folder.mkdir()
    box = make_box(folder / "recordings")
    box.parts.now = time.time
    branch.desk = desk = Desk(box, folder / "prompts")
    for name, hz, seconds, peak in (
            ("zh/greeting", 500, 3.0, 3800), ("en/greeting", 600, 2.4, 3500), ("zh/closed", 700, 1.5, 900),
            ("zh/old-one", 800, 1.0, 4200), ("music/default", 440, 5.0, 30000),
            ("zh/number/1", 900, 0.5, 8000)):
        desk.there(name, tone(hz, seconds, peak))
    desk.uses = USES
    return branch
