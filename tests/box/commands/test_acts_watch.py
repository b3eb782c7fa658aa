"""monitor: what a show command tells, again when something happened, and not before."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.box.commands import acts_watch
from appliance.box.commands.every import table
from appliance.box.commands.table import Role
from appliance.bus.client import BusError
from appliance.bus.messages import Heartbeat, LogLine, LogLines, Reply, SpanState
from tests.box.commands.acting import BoxdAnswers, Bus, Live, Person, box
from tests.webui.facts import Branch, busy_branch


@pytest.fixture
def branch(monkeypatch: pytest.MonkeyPatch) -> Branch:
    monkeypatch.setattr(acts_watch, "AT_MOST_EVERY_S", 0.0)
    return busy_branch()


def played(branch: Branch) -> BoxdAnswers:
    """Boxd's own subjects, as the branch has them."""
    def by(name: str) -> Callable[[Any], Any]:
        async def answer(request: Any) -> Reply:
            return branch.reply(request)
        return answer
    return BoxdAnswers(**{name: by(name) for name in (
        "GetHealth", "GetFitness", "GetUpdate", "GetCards", "GetHardware", "GetLineHistory", "GetLineTests",
        "GetDocumentHistory", "GetWallClock")})


async def test_queues_are_told_again_when_the_floor_changes_and_not_before(
        tmp_path: Path, branch: Branch) -> None:
    bus = Bus(branch.reply)
    watcher = Person(box(tmp_path, bus, [played(branch)]), Role.WATCH)
    live = Live(watcher.begin("monitor queues"))
    assert "sales" in await live.next()
    asked = len(bus.asked)
    watcher.box.hear(Heartbeat(daemon="acdd", pid=1, started_at=0.0, at=0.0, rss_octets=1, cpu_s=0.0))
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(bus.asked) == asked                # nobody asks because of what says nothing of queues
    branch.queues = [msgspec.structs.replace(branch.queues[0], waiting=["c4"]), branch.queues[1]]
    watcher.box.hear(branch.board())
    assert "sales" in await live.next()
    await live.cancel()
    assert not watcher.box._hearing


async def test_watching_outlives_a_daemon_that_is_away(tmp_path: Path, branch: Branch) -> None:
    away = True

    def answer(request: Any) -> Reply:
        if away and type(request).owner == "acdd":
            raise BusError("GetBoard: acdd is not there")
        return branch.reply(request)
    watcher = Person(box(tmp_path, Bus(answer), [played(branch)]), Role.WATCH, language="zh")
    live = Live(watcher.begin("monitor queues"))
    assert "acdd 未运行" in await live.next()
    away = False
    watcher.box.hear(Heartbeat(daemon="acdd", pid=2, started_at=0.0, at=0.0, rss_octets=1, cpu_s=0.0))
    assert "sales" in await live.next()
    await live.cancel()


async def test_spans_tell_of_a_line_that_goes_down_and_json_is_a_line_each(
        tmp_path: Path, branch: Branch) -> None:
    watcher = Person(box(tmp_path, Bus(branch.reply), [played(branch)]), Role.WATCH)
    live = Live(watcher.begin("monitor spans | json"))
    before = msgspec.json.decode(await live.next())
    branch.alarms["telco"] = ["los"]
    watcher.box.hear(SpanState(span="telco", up=False, alarms=["los"], counters={}, at=time.time()))
    after = msgspec.json.decode(await live.next())
    assert before != after and "los" in str(after) and "los" not in str(before)
    await live.cancel()


async def test_the_log_is_told_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts_watch, "LOG_EVERY_S", 0.0)
    written = [LogLine(at=float(at), program="trunkd", level="info", text=f"line {at}", place=str(at))
               for at in range(3)]
    asked: list[Any] = []

    async def get(request: Any) -> Reply:
        asked.append(request)
        newer = [one for one in written if not request.after or int(one.place) > int(request.after)]
        return LogLines(lines=newer[::-1], more=False, place="0", newest=written[-1].place, programs=[],
                        source="files", since=0.0)
    li = Person(box(tmp_path, Bus(busy_branch().reply), [BoxdAnswers(GetLogs=get)]), Role.OPERATE)
    live = Live(li.begin("monitor log trunkd lines 3 text line"))
    first = await live.next()
    assert first.index("line 0") < first.index("line 2")
    written.append(LogLine(at=3.0, program="trunkd", level="error", text="line 3", place="3"))
    assert "error    line 3" in await live.next()
    assert (asked[0].programs, asked[0].text, asked[0].most) == (["trunkd"], "line", 3)
    await live.cancel()


def test_all_that_is_monitored_is_shown_too() -> None:
    for what in acts_watch.WATCHED:
        assert f"show {what}" in table().by_words()
