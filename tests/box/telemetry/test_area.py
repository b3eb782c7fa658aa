"""Telemetry beside its series: off, on, another configuration; a token that cannot be read at first."""

import asyncio
import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box.telemetry import client
from appliance.box.telemetry.area import FOLDER, Telemetry, log
from appliance.box.telemetry.gathering import Gathering
from appliance.box.telemetry.seen import OwnCounts, Seen
from appliance.box.telemetry.series import Series
from appliance.box.telemetry.spool import Spool
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig, TelemetryConfig
from tests.box.telemetry.a_box import AT
from tests.box.telemetry.answering import Answering, serve

SPAN = SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")


@pytest.fixture
def influx() -> Iterator[Answering]:
    yield from serve()


def telemetry(folder: Path, config: TelemetryConfig) -> tuple[Telemetry, Gathering]:
    context = Context("boxd", Config(spans=[SPAN], telemetry=config), folder, folder, None,  # type: ignore[arg-type]
                      asyncio.Event(), config_path=folder / "branchline.yaml")
    gathering = Gathering(context, None, None)    # type: ignore[arg-type]
    return Telemetry(context, gathering, lambda: "b1"), gathering


def waits(folder: Path) -> None:
    """A sample of an earlier run."""
    series = Series(Spool(folder / FOLDER, 1 << 20, 1e9), {}, client.point(), OwnCounts())
    series.keep({("m", ()): {"f": 1.0}}, AT)
    series.close()


async def test_off_it_makes_nothing(tmp_path: Path) -> None:
    one, gathering = telemetry(tmp_path, TelemetryConfig())
    stop = asyncio.Event()
    running = asyncio.create_task(one.run(stop))
    await asyncio.sleep(0)
    assert gathering.seen.own is None
    stop.set()
    await asyncio.wait_for(running, 5)
    assert not (tmp_path / FOLDER).exists()


async def test_switched_on_while_it_runs_it_sends_what_waits_and_off_again_it_ends(
        tmp_path: Path, influx: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.to_thread(waits, tmp_path)
    one, gathering = telemetry(tmp_path, TelemetryConfig())
    stop = asyncio.Event()
    sent, send = threading.Event(), Series.send

    def sends(self: Series, write: client.Write) -> bool:
        more = send(self, write)
        sent.set()
        return more

    monkeypatch.setattr(Series, "send", sends)
    running = asyncio.create_task(one.run(stop))
    one.take(TelemetryConfig(url=influx.url))
    asked = await asyncio.to_thread(influx.taken.get, timeout=10)
    assert "bucket=branchline" in asked.path
    assert await asyncio.to_thread(sent.wait, 10)
    counts = gathering.seen.own
    assert counts is not None
    closed = threading.Event()
    monkeypatch.setattr(Series, "close", lambda _: closed.set())
    one.take(TelemetryConfig())
    assert await asyncio.to_thread(closed.wait, 10)
    assert gathering.seen.own is None and counts.sent_points == 1
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_a_folder_that_cannot_be_made_is_looked_at_again(
        tmp_path: Path, influx: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.box.telemetry.area.AGAIN_S", 0.05)
    (tmp_path / FOLDER).write_text("a file")
    one, _ = telemetry(tmp_path, TelemetryConfig(url=influx.url))
    said: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(log, "error", lambda text, *words: said.put(text % words))
    stop = asyncio.Event()
    running = asyncio.create_task(one.run(stop))
    assert (await asyncio.to_thread(said.get, timeout=10)).startswith("telemetry: nothing is kept: ")
    (tmp_path / FOLDER).unlink()
    await asyncio.to_thread(waits, tmp_path)
    await asyncio.to_thread(influx.taken.get, timeout=10)
    stop.set()
    await asyncio.wait_for(running, 10)
    assert said.empty()


async def test_it_ends_at_once_while_the_server_does_not_answer(tmp_path: Path) -> None:
    await asyncio.to_thread(waits, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one, _ = telemetry(tmp_path, TelemetryConfig(url=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        stop = asyncio.Event()
        running = asyncio.create_task(one.run(stop))
        near, _ = await asyncio.to_thread(silent.accept)
        with near:
            assert await asyncio.to_thread(near.recv, 1)             # it writes, and waits for the answer
            stop.set()
            await asyncio.wait_for(running, 2)    # connecting and waiting have 4 s
    again = Spool(tmp_path / FOLDER, 1 << 20, 1e9)
    assert again.points == 1
    again.close()


async def test_a_token_that_was_changed_in_its_file_is_read_anew(
        tmp_path: Path, influx: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.to_thread(waits, tmp_path)
    (tmp_path / "influx-token").touch(0o600)
    (tmp_path / "influx-token").write_text("old\n")
    influx.answers = [(401, b"")]
    one, gathering = telemetry(tmp_path, TelemetryConfig(url=influx.url, token_file="influx-token"))
    samples: asyncio.Queue[Seen] = asyncio.Queue()
    monkeypatch.setattr(gathering, "refresh", samples.get)
    one.config = one.config.model_copy(update={"interval_s": 0.01})
    stop = asyncio.Event()
    running = asyncio.create_task(one.run(stop))
    assert await asyncio.to_thread(influx.first.wait, 10)
    (tmp_path / "influx-token").write_text("new\n")
    samples.put_nowait(Seen(at=AT))
    asked = await asyncio.to_thread(influx.taken.get, timeout=10)
    assert (influx.asked[0].headers["Authorization"], asked.headers["Authorization"]) == (
        "Token old", "Token new")
    stop.set()
    await asyncio.wait_for(running, 10)


async def test_without_its_token_points_are_kept_and_what_is_missing_is_said_once(
        tmp_path: Path, influx: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.box.telemetry.area.AGAIN_S", 0.05)
    await asyncio.to_thread(waits, tmp_path)
    one, _ = telemetry(tmp_path, TelemetryConfig(url=influx.url, token_file="influx-token"))
    stop = asyncio.Event()
    said: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(log, "error", lambda text, *words: said.put(text % words))
    running = asyncio.create_task(one.run(stop))
    first = await asyncio.to_thread(said.get, timeout=10)
    (tmp_path / "influx-token").touch(0o644)
    opened = await asyncio.to_thread(said.get, timeout=10)
    assert opened.endswith("influx-token: anybody on the box can read it: chmod 600 " + str(
        tmp_path / "influx-token"))
    (tmp_path / "influx-token").write_text("two words\n")
    (tmp_path / "influx-token").chmod(0o600)
    second = await asyncio.to_thread(said.get, timeout=10)
    assert not influx.asked
    (tmp_path / "influx-token").write_text("good\n")
    asked = await asyncio.to_thread(influx.taken.get, timeout=10)
    assert asked.headers["Authorization"] == "Token good"
    assert first.startswith("telemetry: points are kept, not written: ") and "influx-token" in first
    assert second.endswith("a token is one line of ASCII without a space") and "two words" not in second
    stop.set()
    await asyncio.wait_for(running, 10)
    assert said.empty()
