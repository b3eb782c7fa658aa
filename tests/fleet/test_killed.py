"""A run that is killed anywhere, and goes on: what it says is true, and nothing is done twice."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.fleet import documents, health
from appliance.fleet.course import End, State
from appliance.fleet.driving import Doing, Note
from appliance.fleet.link import Limits, Said
from appliance.fleet.pushing import pushing
from appliance.fleet.record import Record, look
from appliance.fleet.updating import updating
from appliance.launch.fleet_common import Way, carry

OLD, NEW = "old: 1\n", "new: 1\n"
COMMENT = "why (fleet x)"
ENOUGH = 15                                       # places to be killed at, at least


class Killed(BaseException):
    """As by kill -9: nothing of ours is done after it."""


class Simulated:
    """A box; who asks it is killed at its `kill_at`th moment, before or after the box has done it."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at, self.moments = kill_at, 0
        self.document, self.candidate = OLD, ""
        self.versions: list[dict[str, Any]] = []
        self.version, self.history, self.step, self.installs = "1.0", list[dict[str, Any]](), -1, 0

    @contextlib.asynccontextmanager
    async def reach(self, box: str) -> AsyncIterator[Any]:
        yield self

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.kill_at:
            raise Killed

    async def ask(self, line: str, within_s: float | None = None) -> Said:
        self._moment()
        said = json.dumps(self._answer(line.removesuffix(" | json").split()))
        self._moment()
        return Said(0, said, "")

    async def store(self, octets: bytes, path: str) -> None:
        self._moment()
        self.candidate = octets.decode()
        self._moment()

    async def read(self, path: str, most_octets: int) -> bytes:
        self._moment()
        return {documents.DOCUMENT: self.document, documents.CANDIDATE: self.candidate}[path].encode()

    def _answer(self, words: list[str]) -> object:
        match words:
            case ["show", "history", *_]:
                waits = [one["number"] for one in self.versions if one["state"] == "waiting"]
                return {"versions": self.versions[::-1], "waiting": sum(waits), "until": 0.0,
                        "candidate_by": "noc" if self.candidate else ""}
            case ["configure", "compare"]:
                return {"lines": ["-old", "+new"] if self.candidate != self.document else [], "keys": []}
            case ["configure", "discard"]:
                self.candidate = ""
            case ["configure", "commit", *_]:
                self.document, self.candidate = self.candidate, ""
                self.versions.append({"number": len(self.versions) + 1, "comment": COMMENT, "kind": "commit",
                                      "state": "waiting", "in_force": True})
                return {"version": len(self.versions), "until": 0.0}
            case ["confirm", number]:
                self.versions[int(number) - 1]["state"] = "confirmed"
            case ["show", "daemons"]:
                return {"daemons": []}
            case ["show", "alarms"]:
                return {"alarms": [], "unknown": []}
            case ["show", "update"]:
                return self._update()
            case ["update", "install", *_]:
                self.installs, self.step = self.installs + 1, 0
            case _:
                raise AssertionError(words)
        return {}

    def _update(self) -> object:
        """It goes on whenever somebody looks."""
        state: dict[str, object] = {"version": self.version, "phase": "idle"}
        if self.step >= 0:
            state = {"version": self.version, "phase": ("fetching", "on trial")[self.step], "began_at": 5.0}
            self.step += 1
        answer = {"state": state, "history": list(self.history)}
        if self.step == 2:
            self.step, self.version = -1, "2.0"
            self.history.append({"outcome": "confirmed", "why": "", "at": 6.0, "began_at": 5.0,
                                 "version_from": "1.0", "version_to": "2.0"})
        return answer


def doing(kind: str, box: Simulated) -> Doing:
    now, well = itertools.count(), health.looking(box.reach, again_s=0.0)
    if kind == "push":
        work = pushing({"a": NEW}, 10.0, box.reach, well, comment=COMMENT, clock=lambda: next(now),
                       again_s=0.0)
    else:
        work = updating("usb", "now", "2.0", box.reach, well, clock=lambda: next(now), again_s=0.0)
    return Doing(work, safe=True, well=well)


@pytest.mark.need(19)
@pytest.mark.parametrize("kind", ["push", "update"])
def test_a_run_that_is_killed_anywhere_goes_on_to_what_is_true(kind: str, tmp_path: Path) -> None:
    way = Way(tmp_path / "fleet.sqlite", None, 1, Limits(), as_json=True)
    for kill_at in itertools.count(1):
        box, folder = Simulated(kill_at), tmp_path / str(kill_at)
        record = Record.begin(folder, kind, "li", {}, [["a"]], 0.0)
        try:
            told = carry(way, record, doing(kind, box), 1, 0, failed=False)
        except Killed:
            record.close()
            record = look(folder, "")
            [step] = record.told().steps
            assert step.state in (State.WAITING, State.UNKNOWN)
            told = carry(way, record, doing(kind, box), 1, 0, failed=False)
        record.close()
        assert told.good, (kill_at, told)
        if kind == "push":
            assert (box.document, box.candidate) == (NEW, "")
            assert [one["state"] for one in box.versions] == ["confirmed"]
        else:
            assert (box.version, box.installs) == ("2.0", 1)
        if box.moments < kill_at:
            break
    assert kill_at > ENOUGH


def test_what_failed_is_begun_anew_and_what_is_unknown_is_found_again(tmp_path: Path) -> None:
    way = Way(tmp_path / "fleet.sqlite", None, 1, Limits(), as_json=True)
    known: dict[str, object] = {}

    async def work(box: str, note: Note) -> End:
        known[box] = dict(note.facts)
        return End(State.DONE)

    async def before(record: Record) -> None:
        await record.ended("a", End(State.FAILED, "rolled back", {"before": [1.0]}), 1.0)
        await record.ended("b", End(State.UNKNOWN, "away", {"before": [1.0]}), 1.0)

    record = Record.begin(tmp_path, "update", "li", {}, [["a", "b", "c"]], 0.0)
    asyncio.run(before(record))
    told = carry(way, record, Doing(work, safe=True), 1, 0, failed=False)
    assert known == {"b": {"before": [1.0]}, "c": {}}
    assert (told.steps[0].state, told.steps[0].why) == (State.FAILED, "rolled back")
    told = carry(way, record, Doing(work, safe=True), 1, 0, failed=True)
    assert told.good and known["a"] == {}
    record.close()
