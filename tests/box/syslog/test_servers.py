"""The box's log as Debian's rsyslog takes it: by UDP, TCP and TLS, and after it was away."""

import asyncio
import logging
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from appliance.box.syslog.area import Syslog
from appliance.box.syslog.message import Box as Sender
from appliance.box.syslog.sending import Sending
from appliance.box.syslog.waiting import Waiting
from appliance.bus.messages import LogLine, WallClock
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig, SyslogConfig
from appliance.config.syslog import SyslogServerConfig
from appliance.store import LOGS_FILE, LOGS_FOLDER
from tests.box.snmp.boxes import hears
from tests.conftest import free_port

WITHIN_S = 20.0
TEMPLATE = "%pri%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%structured-data%|%msg%\\n"


class Server:
    """rsyslogd; what it takes comes out of a pipe."""

    def __init__(self, folder: Path, transport: str, knows_the_box: bool = False) -> None:
        self.port, self._folder, self._transport = free_port(), folder, transport
        self._knows_the_box = knows_the_box       # by its certificate
        self.pipe = folder / "taken"
        os.mkfifo(self.pipe)
        self._taken: asyncio.StreamReader
        if transport == "tls":
            certificates(folder)

    def _config(self) -> str:
        tls = ""
        module = "imudp" if self._transport == "udp" else "imtcp"
        options = ""
        if self._transport == "tls":
            tls = (f'global(DefaultNetstreamDriverCAFile="{self._folder}/ca.pem" '
                   f'DefaultNetstreamDriverCertFile="{self._folder}/server.pem" '
                   f'DefaultNetstreamDriverKeyFile="{self._folder}/server.key")\n')
            who = "x509/certvalid" if self._knows_the_box else "anon"
            options = f' StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="{who}"'
        return (f'{tls}global(workDirectory="{self._folder}" maxMessageSize="8k")\n'
                f'module(load="{module}"{options})\n'
                f'template(name="t" type="string" string="{TEMPLATE}")\n'
                f'input(type="{module}" port="{self.port}" address="127.0.0.1")\n'
                f'action(type="ompipe" pipe="{self.pipe}" template="t")\n')

    @asynccontextmanager
    async def listens(self) -> AsyncIterator["Server"]:
        """Until it hears is not said by rsyslog: who sends waits for it, which is what is tested."""
        config = self._folder / "rsyslog.conf"
        config.write_text(self._config())
        reader = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader),
            os.fdopen(os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0))
        self._taken = reader
        child = await asyncio.create_subprocess_exec(
            "rsyslogd", "-n", "-f", str(config), "-i", str(self._folder / "pid"),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        try:
            yield self
        finally:
            child.kill()
            await child.wait()
            pipe.close()

    async def takes(self, word: str) -> list[str]:
        """The fields of the next message with this in it."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                line = (await self._taken.readline()).decode().rstrip("\n")
                if word in line:
                    return line.split("|", 5)


def certificates(folder: Path) -> None:
    """An authority, a server of the address 127.0.0.1, and a box, with its key in the same file."""
    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder, timeout=60)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")
    openssl("req", "-x509", *key, "ca.key", "-out", "ca.pem", "-subj", "/CN=NOC", "-days", "2")
    openssl("req", *key, "server.key", "-out", "server.csr", "-subj", "/CN=log",
            "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "server.pem",
            "-days", "2", "-copy_extensions", "copy")
    openssl("req", *key, "box.key", "-out", "box.csr", "-subj", "/CN=box-7")
    openssl("x509", "-req", "-in", "box.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "box.pem",
            "-days", "2")
    with (folder / "box.pem").open("a") as file:
        file.write((folder / "box.key").read_text())
    (folder / "box.pem").chmod(0o600)


class Box:
    """The log of a box that the launcher runs, and boxd's subject that forwards it."""

    def __init__(self, folder: Path, *servers: dict[str, Any]) -> None:
        self._state = folder / "state"
        self._log = self._state / LOGS_FOLDER / LOGS_FILE
        self._log.parent.mkdir(parents=True)
        self._log.write_text("1795000000.000001\tspand\tINFO written before: not forwarded\n")
        config = Config(
            spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")],
            syslog=SyslogConfig.model_validate({"servers": list(servers), "hostname": "box-7"}))
        self.area = Syslog(Context("boxd", config, self._state, folder, cast(Any, None), asyncio.Event()),
                           lambda: "unused")

    def write(self, text: str, program: str = "spand") -> None:
        with self._log.open("a") as file:
            file.write(f"{time.time():.6f}\t{program}\t{text}\n")

    def turn(self) -> None:
        """The launcher begins another file."""
        self._log.rename(self._log.with_name(f"{LOGS_FILE}.1"))
        self._log.touch()

    @asynccontextmanager
    async def runs(self) -> AsyncIterator["Box"]:
        stop = asyncio.Event()
        running = asyncio.create_task(self.area.run(stop))
        await asyncio.sleep(0)                    # it begins ...
        await asyncio.sleep(0)                    # ... to forward ...
        await asyncio.sleep(0)                    # ... from here on
        try:
            yield self
        finally:
            stop.set()
            await asyncio.wait_for(running, WITHIN_S)


@pytest.fixture(autouse=True)
def _again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.box.syslog.sending.AGAIN_S", (0.1,))


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_the_log_reaches_rsyslog(tmp_path: Path, transport: str) -> None:
    server = Server(tmp_path, transport)
    to = {"name": "noc", "host": "127.0.0.1", "port": server.port, "transport": transport,
          "facility": "local5", "level": "warning"}
    if transport == "tls":
        to["ca_file"] = str(tmp_path / "ca.pem")
    box = Box(tmp_path, to)
    await box.area.hear(WallClock(at=0.0, source="ntp", since=0.0, error_s=0.002))
    async with server.listens(), box.runs():
        box.write("INFO not of this level")
        box.write("WARNING span 线路 down, told https://ann:hunter2@noc.example.net 13912345678")
        priority, at, host, program, data, text = await server.takes("span")
        assert (priority, host, program) == (str(21 * 8 + 4), "box-7", "spand")
        assert at.endswith("Z") or "+00:00" in at
        assert 'swVersion="' in data and '[meta sequenceId="1"]' in data
        assert '[timeQuality tzKnown="1" isSynced="1" syncAccuracy="2000"]' in data
        assert "线路 down" in text and "hunter2" not in text and "139123" not in text, "as everywhere"
        box.turn()
        box.write("ERROR after the file has turned", "acdd")
        assert (await server.takes("turned"))[0] == str(21 * 8 + 3)


@pytest.mark.need(16)
async def test_lines_wait_while_the_server_is_away_and_what_is_lost_is_said(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_read, add = asyncio.Event(), Waiting.add

    def added(queue: Waiting, line: LogLine) -> None:
        add(queue, line)
        if "away 30" in line.text:
            all_read.set()
    monkeypatch.setattr(Waiting, "add", added)
    server = Server(tmp_path, "tcp")
    box = Box(tmp_path, {"name": "noc", "host": "127.0.0.1", "port": server.port, "transport": "tcp",
                         "most_waiting": 10})
    async with box.runs():
        async with server.listens():
            box.write("INFO the first")
            await server.takes("the first")
        for number in range(1, 31):
            box.write(f"INFO while it is away {number:02d}")
        await asyncio.wait_for(all_read.wait(), WITHIN_S)
        async with server.listens():
            told = await server.takes("lost")
            assert int(told[5].split("syslog: ")[1].split()[0]) >= 20
            assert "away 21" in (await server.takes("while"))[5]
            assert "away 30" in (await server.takes("away 30"))[5]


async def test_by_udp_and_to_several(tmp_path: Path) -> None:
    """UDP tells nobody whether it is heard: written until it is."""
    server = Server(tmp_path, "udp")
    to = {"host": "127.0.0.1", "transport": "udp"}
    async with server.listens(), Box(
            tmp_path, {"name": "away", "port": free_port(), **to},
            {"name": "noc", "port": server.port, **to}).runs() as box:
        taking = asyncio.create_task(server.takes("hello"))
        while not taking.done():
            box.write("INFO hello " + "x" * 1900)
            await asyncio.wait([taking], timeout=0.2)
        assert len(taking.result()[5]) > 1000 and "box-7" in taking.result()


async def test_a_server_with_another_certificate_hears_nothing(
        tmp_path: Path) -> None:
    server, other = Server(tmp_path, "tls"), tmp_path / "other"
    other.mkdir()
    certificates(other)
    to = {"name": "noc", "host": "127.0.0.1", "port": server.port, "transport": "tls"}
    with hears("appliance.box.syslog.sending", "certificate verify failed") as refused:
        async with server.listens(), Box(tmp_path, {**to, "ca_file": str(other / "ca.pem")}).runs() as box:
            box.write("WARNING not for everybody")
            await asyncio.wait_for(refused.wait(), WITHIN_S)
            box.area.take(SyslogConfig.model_validate({"servers": [
                {**to, "ca_file": str(tmp_path / "ca.pem")}]}))
            taking = asyncio.create_task(server.takes(""))
            while not taking.done():
                box.write("WARNING now it may hear")
                await asyncio.wait([taking], timeout=0.2)
            assert "now it may hear" in taking.result()[5], "the first that it heard at all"


async def test_a_name_that_is_none_is_said_and_ends_nothing(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(tmp_path, "tcp")
    async with server.listens(), Box(
            tmp_path, {"name": "bad", "host": "a..b", "transport": "tcp"},
            {"name": "noc", "host": "127.0.0.1", "port": server.port, "transport": "tcp"}).runs() as box:
        box.write("INFO hello")
        await server.takes("hello")
    assert "syslog: bad: " in caplog.text


async def test_another_configuration_is_taken_over_at_once(tmp_path: Path) -> None:
    server = Server(tmp_path, "tcp")
    async with server.listens(), Box(tmp_path).runs() as box:
        box.area.take(SyslogConfig.model_validate({"hostname": "box-8", "servers": [
            {"name": "noc", "host": "127.0.0.1", "port": server.port, "transport": "tcp"}]}))
        taking = asyncio.create_task(server.takes("hello"))
        while not taking.done():
            box.write("INFO hello")
            await asyncio.wait([taking], timeout=0.2)
        assert taking.result()[2] == "box-8"


async def test_a_box_shows_its_certificate_where_it_is_asked_for(tmp_path: Path) -> None:
    server = Server(tmp_path, "tls", knows_the_box=True)
    to = {"name": "noc", "host": "127.0.0.1", "port": server.port, "ca_file": str(tmp_path / "ca.pem")}
    certificate = tmp_path / "box.pem"
    async with server.listens(), Box(tmp_path, {**to, "certificate_file": str(certificate)}).runs() as box:
        box.write("INFO with its certificate")
        await server.takes("with its certificate")
        certificate.chmod(0o644)
        with hears("appliance.box.syslog.sending", "chmod 600") as refused:
            box.area.take(SyslogConfig.model_validate({"hostname": "box-8", "servers": [
                {**to, "certificate_file": str(certificate)}]}))
            await asyncio.wait_for(refused.wait(), WITHIN_S)


async def test_what_waits_for_a_server_outlives_a_change_of_another(tmp_path: Path) -> None:
    away = {"name": "away", "host": "127.0.0.1", "port": free_port(), "transport": "tcp"}
    async with Box(tmp_path, away).runs() as box:
        await asyncio.sleep(0)
        kept = box.area._servers["away"]
        kept[1].add(LogLine(at=1.0, program="spand", level="info", text="x", place=""))
        following = box.area._following
        for servers, left in (([away, {**away, "name": "other"}], {"away", "other"}), ([away], {"away"})):
            box.area.take(SyslogConfig.model_validate({"servers": servers, "hostname": "box-7"}))
            for _ in range(20):
                await asyncio.sleep(0)
            assert box.area._servers.keys() == left
            assert box.area._servers["away"] is kept and len(kept[1]._waiting) == 1
        assert box.area._following is following, "no line is missed meanwhile"
        box.area.take(SyslogConfig())
        assert following is not None
        await asyncio.wait([following, kept[2]], timeout=WITHIN_S)
        assert following.cancelled() and kept[2].cancelled() and not box.area._tasks()


def sending(port: int, **more: Any) -> Sending:
    config = SyslogServerConfig.model_validate({"name": "noc", "host": "127.0.0.1", "port": port, **more})
    return Sending(config, Sender("box-7", "0.9.1"), lambda: None)


def line(text: str) -> LogLine:
    return LogLine(at=1_795_000_500.0, program="spand", level="info", text=text, place="")


@asynccontextmanager
async def serving(server: asyncio.Server, of: Sending) -> AsyncIterator["asyncio.Task[None]"]:
    running = asyncio.create_task(of.run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.wait([running], timeout=WITHIN_S)
        server.close()


async def test_a_server_that_hangs_up_on_us_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    connections, enough = 0, asyncio.Event()

    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()
        if connections == 8:
            enough.set()
    server = await asyncio.start_server(hangs_up, "127.0.0.1", 0)
    async with serving(server, sending(server.sockets[0].getsockname()[1], transport="tcp")):
        await asyncio.wait_for(enough.wait(), WITHIN_S)
    said = [record.getMessage() for record in caplog.records if "syslog: noc" in record.getMessage()]
    assert len(said) == 2 and "connected" in said[0] and "has closed" in said[1]


async def test_a_server_that_does_not_read_holds_nobody_up() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connected, over = asyncio.Event(), asyncio.Event()

    async def reads_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()           # type: ignore[attr-defined]
        connected.set()
        await over.wait()
        writer.close()
    server = await asyncio.start_server(reads_nothing, sock=listening)
    of = sending(listening.getsockname()[1], transport="tcp", most_waiting=1000)
    async with serving(server, of) as running:
        await asyncio.wait_for(connected.wait(), WITHIN_S)
        for number in range(900):
            of.add(line(f"{number} " + "x" * 1900))
        for _ in range(2000):                     # all that TCP takes
            await asyncio.sleep(0)
        assert len(of._waiting) > 300, "little is on its way, the rest is here"
        running.cancel()
        await asyncio.wait_for(asyncio.wait([running]), 5.0)
        over.set()


async def test_lines_that_udp_had_no_room_for_are_told(tmp_path: Path) -> None:
    taken: asyncio.Queue[bytes] = asyncio.Queue()

    class Takes(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            taken.put_nowait(data)
    way, _ = await asyncio.get_running_loop().create_datagram_endpoint(Takes, local_addr=("127.0.0.1", 0))
    of = sending(way.get_extra_info("sockname")[1], transport="udp", most_waiting=10)
    for number in range(1, 31):
        of.add(line(f"number {number}"))
    running = asyncio.create_task(of.run())
    try:
        async with asyncio.timeout(WITHIN_S):
            told = [(await taken.get()).decode() for _ in range(11)]
    finally:
        running.cancel()
        await asyncio.wait([running])
        way.close()
    assert "20 lines before this one are lost" in told[0] and 'sequenceId="20"' in told[0]
    assert [one.rpartition(" ")[2] for one in told[1:]] == [str(number) for number in range(21, 31)]
