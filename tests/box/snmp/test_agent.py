"""The agent asked by net-snmp's own programs, and its notifications taken by snmptrapd."""

import asyncio
import logging
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from appliance.box import snmp as package
from appliance.box.lines import Lines
from appliance.box.snmp.area import Snmp
from appliance.box.snmp.gate import plain
from appliance.box.snmp.pace import Pace
from appliance.box.telemetry.seen import Seen
from appliance.bus.messages import LineFailure
from appliance.bus.runner import Context
from appliance.config.schema import Config, SnmpConfig, SpanConfig
from e1_driver.watch.bins import QUARTER_S, Bin
from tests.box.snmp.boxes import HOST, PORTS, RUNNING, fitness, hears, quarter, seen
from tests.box.snmp.test_gate import unanswerable

HERE = Path(__file__).parent
MIB = Path(package.__file__).parent / "BRANCHLINE-MIB.txt"
PHRASES = {"auth": "one long pass phrase", "privacy": "and quite another one", "community": "old-and-open"}
V3 = ("-v3", "-l", "authPriv", "-u", "noc", "-a", "SHA-256", "-A", PHRASES["auth"], "-x", "AES",
      "-X", PHRASES["privacy"])
V2C = ("-v2c", "-c", PHRASES["community"])
OWN = "1.3.6.1.4.1.32473"
WITHIN_S = 20.0


class History:
    """Of any line, as boxd's Lines tell it; the running quarter is the one of now."""

    def quarter(self, span: str, at: int) -> Bin | None:
        number = int(time.time()) // QUARTER_S - at // QUARTER_S
        found = quarter(number) if 0 <= number <= 96 else None
        if found is not None:
            found.at = at
        return found


class Box:
    """An agent in boxd's manner, on a port of its own."""

    def __init__(self, folder: Path, **more: Any) -> None:
        for name, phrase in PHRASES.items():
            (folder / name).write_text(phrase + "\n")
            (folder / name).chmod(0o600)
        self.port, self.host = next(PORTS), HOST
        self.seen: Seen = seen()
        self.config = Config(
            spans=[SpanConfig(name=name, url=f"virtual:/tmp/none/{name}/a", side="user", trunk="telco")
                   for name in ("telco1", "pbx1")],
            snmp=SnmpConfig.model_validate({
                "address": HOST, "port": self.port, "contact": "noc@example.net", "hold_s": 0.0,
                "users": [{"name": "noc", "auth_file": "auth", "privacy_file": "privacy"}],
                **more}).placed(folder))
        state = folder / "state"
        state.mkdir(exist_ok=True)
        context = Context("boxd", self.config, state, folder, cast(Any, None), asyncio.Event())
        self.area = Snmp(context, self.seen, cast(Lines, History()), lambda: "box-7")

    @asynccontextmanager
    async def runs(self) -> AsyncIterator["Box"]:
        stop = asyncio.Event()
        with hears("appliance.box.snmp.area", "engine id") as begun:
            running = asyncio.create_task(self.area.run(stop))
            try:
                await asyncio.wait_for(begun.wait(), WITHIN_S)
                yield self
            finally:
                stop.set()
                await asyncio.wait_for(running, WITHIN_S)

    async def answers(self) -> None:
        """It does, perhaps a little later: asked again, as net-snmp does, until there is somebody."""
        said, error = await ask("snmpget", *V3, "-t", "0.3", "-r", "30", self.at, "1.3.6.1.2.1.1.5.0")
        assert "box-7" in said, error

    @property
    def at(self) -> str:
        return f"{self.host}:{self.port}"


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of net-snmp's programs, the first on a machine says among its errors that it made this folder."""
    (tmp_path / "net-snmp" / "cert_indexes").mkdir(parents=True)
    monkeypatch.setenv("SNMP_PERSISTENT_DIR", str(tmp_path / "net-snmp"))


async def ask(program: str, *options: str) -> tuple[str, str]:
    """Both outputs of one of net-snmp's programs, which know no MIB by themselves here."""
    child = await asyncio.create_subprocess_exec(
        program, "-m", "", "-On", *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, error = await asyncio.wait_for(child.communicate(), WITHIN_S)
    return out.decode(), error.decode()


async def with_mib(program: str, *options: str) -> str:
    return (await ask(program, *V3, "-M", f"{HERE / 'mibs'}:{MIB.parent}", "-m", "BRANCHLINE-MIB", "-OS",
                      *options))[0]


async def test_the_whole_box_is_walked_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "wait_s", lambda pace, now: 0.0)
    async with Box(tmp_path).runs() as box:
        said, error = await ask("snmpbulkwalk", *V3, "-Cr50", box.at, "1.3.6.1")
        rows = said.splitlines()
        assert error == "" and len(rows) > 2000 and not [row for row in rows if "No Such" in row]
        assert '.1.3.6.1.2.1.1.6.0 = ""' in rows and ".1.3.6.1.2.1.2.2.1.3.1001 = INTEGER: 18" in rows
        assert ".1.3.6.1.2.1.10.18.8.1.3.1001.96 = Gauge32: 96" in rows
        one, _ = await ask("snmpwalk", *V3, box.at, "1.3.6.1.2.1.10.18.6")
        names = [row.partition(" ")[0] for row in one.splitlines()]
        assert names and names == [row.partition(" ")[0] for row in rows
                                   if row.startswith(".1.3.6.1.2.1.10.18.6.")]
        few, _ = await ask("snmpbulkget", *V3, "-Cn1", "-Cr3", box.at, "1.3.6.1.2.1.1.3",
                           "1.3.6.1.2.1.10.18.8.1.3.1001")
        assert re.findall(r"(\d+) = Gauge32", few) == ["1", "2", "3"] and "Timeticks" in few
        none, _ = await ask("snmpget", *V3, box.at, "1.3.6.1.2.1.10.18.8.1.3.1001.97",
                            "1.3.6.1.2.1.10.18.8.1.3.9.1", "1.3.6.1.2.1.99.1.0")
        assert none.count("No Such Instance") == 2 and none.count("No Such Object") == 1
        names = [f"1.3.6.1.2.1.10.18.8.1.3.1001.{number}" for number in range(40)]
        many, error = await ask("snmpbulkget", *V3, "-Cn0", "-Cr10", box.at, *names)
        assert re.findall(r"(\d+) = Gauge32", many) == [str(number) for number in range(1, 41)], error


async def test_the_mib_compiles_and_names_all_that_is_there(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        "smilint", "-l", "6", str(MIB), env={"SMIPATH": str(HERE / "mibs"), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    assert (await child.communicate())[0].decode() == "" and child.returncode == 0
    async with Box(tmp_path).runs() as box:
        rows = (await with_mib("snmpbulkwalk", box.at, OWN)).splitlines()
        assert len(rows) > 50
        for row in rows:                          # a name to its end, and the value of the right type
            assert re.match(r'BRANCHLINE-MIB::bl\w+(\.\d+|\."[a-z]+"|\.[a-zA-Z]+)? = ', row), row
            assert "Wrong Type" not in row and not re.search(r"INTEGER: \d+$", row), row
        queues = await with_mib("snmptable", "-Ci", "-Cf", ",", box.at, "BRANCHLINE-MIB::blQueueTable")
        *_, titles, sales = queues.splitlines()
        assert titles == "index,blQueueWaiting,blQueueOldestWait,blQueueCallbacks,blQueueUnreachable"
        assert re.fullmatch(r'"sales",2,\d{3,} seconds,1,0', sales)


async def test_nobody_else_may_ask_and_nobody_may_set(tmp_path: Path) -> None:
    async with Box(tmp_path).runs() as box:
        name = "1.3.6.1.2.1.1.4.0"
        quick = ("-t", "0.4", "-r", "0")
        for wrong, expected in [
                (V2C, "Timeout"),                 # not configured: no answer at all
                (("-v1", "-c", "public"), "Timeout"),
                (("-v3", "-l", "noAuthNoPriv", "-u", "noc"), "security level"),
                (("-v3", "-l", "authNoPriv", "-u", "noc", "-a", "SHA-256", "-A", PHRASES["auth"]),
                 "security level"),
                ((*V3[:8], "another pass phrase", *V3[9:]), "Authentication failure"),
                ((*V3[:4], "nobody", *V3[5:]), "Unknown user name")]:
            said, error = await ask("snmpget", *wrong, *quick, box.at, name)
            assert said == "" and expected in error, wrong
        stale, error = await ask("snmpget", *V3, "-e", "0x8000000001020304", *quick, box.at, name)
        assert stale == "" and "Unknown engine ID" in error, "it is told the right one"
        said, error = await ask("snmpset", *V3, box.at, name, "s", "me")
        assert "notWritable" in error
        assert "noc@example.net" in (await ask("snmpget", *V3, box.at, name))[0]


async def test_v2c_only_where_it_is_configured_from(tmp_path: Path) -> None:
    def communities(source: str) -> list[dict[str, Any]]:
        return [{"name": "old", "file": "community", "sources": [source]}]

    async with Box(tmp_path, communities=communities("127.0.0.0/8")).runs() as box:
        assert "box-7" in (await ask("snmpget", *V2C, box.at, "1.3.6.1.2.1.1.5.0"))[0]
        assert "Timeout" in (await ask("snmpget", "-v2c", "-c", "public", "-t", "0.3", "-r", "0", box.at,
                                       "1.3.6.1.2.1.1.5.0"))[1]
        box.area.take(SnmpConfig.model_validate({      # no new start of boxd
            **box.config.snmp.model_dump(), "communities": [
                {**one, "file": str(tmp_path / "community")} for one in communities("192.0.2.0/24")]}))
        await box.answers()
        assert "Timeout" in (await ask("snmpget", *V2C, "-t", "0.3", "-r", "0", box.at,
                                       "1.3.6.1.2.1.1.5.0"))[1]
        box.area.take(SnmpConfig())
        await asyncio.wait_for(_silent(box), WITHIN_S)


async def test_a_community_of_another_network_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("of-elsewhere\n")
    (tmp_path / "other").chmod(0o600)
    async with Box(tmp_path, communities=[
            {"name": "old", "file": "community", "sources": ["127.0.0.0/8"]},
            {"name": "elsewhere", "file": "other", "sources": ["192.0.2.0/24"]}]).runs() as box:
        quick = ("-t", "0.3", "-r", "0", box.at, "1.3.6.1.2.1.1.5.0")
        assert "box-7" in (await ask("snmpget", *V2C, box.at, "1.3.6.1.2.1.1.5.0"))[0]
        assert "Timeout" in (await ask("snmpget", "-v2c", "-c", "of-elsewhere", *quick))[1]


@pytest.mark.parametrize(("address", "at"), [
    ("::1", "udp6:[::1]"), ("::", "udp6:[::1]"), ("::", "127.0.0.1")])
async def test_by_ipv6_and_by_both(tmp_path: Path, address: str, at: str) -> None:
    for sources, expected in ((["127.0.0.0/8", "::1/128"], "box-7"), (["192.0.2.0/24", "2001:db8::/32"], "")):
        box = Box(tmp_path, address=address, sources=sources)
        box.host = at
        async with box.runs():
            said, error = await ask("snmpbulkwalk", *V3, "-t", "1", "-r", "9" if expected else "0", box.at,
                                    "1.3.6.1.2.1.1")
            assert expected in said and bool(said) == bool(expected)
            assert ("Timeout" in error) == (not expected)


async def test_a_clock_that_is_set_back_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """snmpEngineTime only grows (RFC 3414 2.2.2): stations drop what comes from before."""
    async with Box(tmp_path).runs() as box:
        await box.answers()
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() - 7200.0)
        await box.answers()


async def test_another_pass_phrase_in_the_file_is_taken_over(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Box(tmp_path).runs() as box:
        (tmp_path / "auth").chmod(0o644)
        box.area.take(box.config.snmp)
        await box.answers()
        assert "what it held before is good" in caplog.text and PHRASES["auth"] not in caplog.text
        (tmp_path / "auth").chmod(0o600)
        (tmp_path / "auth").write_text("another pass phrase\n")
        with hears("appliance.box.snmp.area", "engine id") as again:
            box.area.take(box.config.snmp)
            await asyncio.wait_for(again.wait(), WITHIN_S)
        said, error = await ask("snmpget", *V3[:8], "another pass phrase", *V3[9:], box.at,
                                "1.3.6.1.2.1.1.5.0")
        assert "box-7" in said, error


async def test_a_port_that_is_taken_counts_no_start(tmp_path: Path) -> None:
    first, second = Box(tmp_path), Box(tmp_path)
    async with first.runs():
        kept = (tmp_path / "state" / "snmp.json").read_bytes()
        second.area.config = second.config.snmp.model_copy(update={"port": first.port})
        stop = asyncio.Event()
        with hears("appliance.box.snmp.area", f"port {first.port}: Address already in use") as said:
            running = asyncio.create_task(second.area.run(stop))
            await asyncio.wait_for(said.wait(), WITHIN_S)
            stop.set()
            await asyncio.wait_for(running, WITHIN_S)
        assert (tmp_path / "state" / "snmp.json").read_bytes() == kept


def test_nothing_of_it_is_imported_where_it_is_off() -> None:
    done = subprocess.run([sys.executable, "-c", "import sys, appliance.box.daemon; "
                           "sys.exit('pysnmp' in sys.modules)"], check=False, timeout=60)
    assert done.returncode == 0


async def _silent(box: Box) -> None:
    asked = (*V3, "-t", "0.2", "-r", "0", box.at, "1.3.6.1.2.1.1.5.0")
    while "Timeout" not in (await ask("snmpget", *asked))[1]:
        pass


class Station:
    """snmptrapd, which takes what is sent."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = next(PORTS), folder
        self._child: asyncio.subprocess.Process

    @asynccontextmanager
    async def hears(self, engine: str) -> AsyncIterator["Station"]:
        user = f'noc SHA-256 "{PHRASES["auth"]}" AES "{PHRASES["privacy"]}"'
        config = self._folder / "snmptrapd.conf"
        config.write_text(f"createUser -e 0x{engine} {user}\ncreateUser {user}\nauthUser log noc\n"
                          f"authCommunity log {PHRASES['community']}\n")
        self._child = await asyncio.create_subprocess_exec(
            "snmptrapd", "-f", "-Lo", "-C", "-c", str(config), "-m", "", "-On", "-n",
            "-F", "%W|%P|%v\n", f"udp:{HOST}:{self.port}", stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", "SNMP_PERSISTENT_DIR": str(self._folder / "kept")})
        try:
            await self.until("NET-SNMP version")
            yield self
        finally:
            self._child.terminate()
            await self._child.wait()

    async def until(self, *words: str) -> str:
        """The next line with all of them in it."""
        assert self._child.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            while line := (await self._child.stdout.readline()).decode():
                if all(word in line for word in words):
                    return line
        raise AssertionError("snmptrapd has ended")


@pytest.mark.need(11)
async def test_notifications_are_taken_by_snmptrapd(tmp_path: Path) -> None:
    from appliance.box.snmp.identity import begin
    state = tmp_path / "state"
    state.mkdir()
    engine = begin(state, [], 32473, 0.0)[0].engine
    async with Station(tmp_path).hears(engine) as station:
        to = {"address": HOST, "port": station.port}
        box = Box(tmp_path, communities=[{"name": "old", "file": "community", "sources": [HOST]}],
                  targets=[{"name": "informed", "user": "noc", **to},
                           {"name": "trapped", "user": "noc", "inform": False, **to},
                           {"name": "open", "community": "old", "inform": False, **to}])
        async with box.runs():
            for _ in range(3):
                await station.until(".1.3.6.1.6.3.1.1.5.1")          # coldStart, three ways
            failure = LineFailure(span="telco1", alarm="los", declared=True, since=0.0, at=0.0)
            box.seen.hear(failure)
            await box.area.hear(failure)
            kinds: dict[str, list[str]] = {}
            for _ in range(6):
                line = await station.until("1001")
                name = re.search(r"1\.3\.6\.1\.6\.3\.1\.1\.4\.1\.0 = OID: (\S+)", line)
                assert name is not None
                kinds.setdefault(name[1], []).append(line)
            assert {kind: len(lines) for kind, lines in kinds.items()} == {
                ".1.3.6.1.6.3.1.1.5.3": 3, ".1.3.6.1.2.1.10.18.15.0.1": 3}
            assert all(".1.3.6.1.2.1.2.2.1.8.1001 = INTEGER: 2" in line
                       for line in kinds[".1.3.6.1.6.3.1.1.5.3"])
            assert all(".1.3.6.1.2.1.10.18.6.1.10.1001 = INTEGER: 64" in line
                       for line in kinds[".1.3.6.1.2.1.10.18.15.0.1"])
            worse = fitness("degraded")
            box.seen.hear(worse)
            await box.area.hear(worse)
            line = await station.until(f".{OWN}.1.0.1")
            assert f".{OWN}.1.1.1.2.0 = INTEGER: 2" in line and "line-down telco1" in line


async def test_an_inform_that_nobody_acknowledges_is_said(
        tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.box.snmp import engine
    monkeypatch.setattr(engine, "INFORM_S", 1)
    monkeypatch.setattr(engine, "INFORM_AGAIN", 0)
    with hears("appliance.box.snmp.engine", "has not acknowledged cold start") as said:
        async with Box(tmp_path, targets=[
                {"name": "away", "user": "noc", "address": HOST, "port": next(PORTS)}]).runs():
            await asyncio.wait_for(said.wait(), WITHIN_S)
    assert not [record for record in caplog.records
                if any(phrase in record.getMessage() for phrase in PHRASES.values())]


async def test_no_bent_message_stops_it_fills_the_log_or_is_remembered(
        tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.box.snmp import engine
    whole: list[bytes] = []
    doors: list[tuple[Any, Any, Any]] = []
    heard = engine._Hearing.heard

    def hear(hearing: Any, transport: Any, gate: Any, datagram: bytes, address: Any) -> None:
        whole.append(datagram)
        doors.append((hearing, transport, gate))
        heard(hearing, transport, gate, datagram, address)
    monkeypatch.setattr(engine._Hearing, "heard", hear)
    monkeypatch.setattr(Pace, "wait_s", lambda pace, now: 0.0)
    chance = random.Random(7)
    async with Box(tmp_path, communities=[
            {"name": "old", "file": "community", "sources": ["127.0.0.0/8"]}]).runs() as box:
        await box.answers()
        await ask("snmpbulkget", *V2C, box.at, "1.3.6.1.2.1.1")
        (hearing, transport, gate), taken = doors[0], 0
        for _ in range(1500):
            bent = bytearray(chance.choice(whole))
            for _ in range(chance.randint(1, 4)):
                bent[chance.randrange(len(bent))] = chance.randrange(256)
            one = bytes(bent[:chance.choice((len(bent), chance.randrange(len(bent))))])
            taken += gate.lets_in(one, plain(HOST)) is not None
            heard(hearing, transport, gate, one, (HOST, 9))
            await asyncio.sleep(0)
        for _ in range(20):
            heard(hearing, transport, gate, unanswerable(), (HOST, 9))
            await asyncio.sleep(0)
        for model in hearing._engine.security_models.values():
            assert model._cache.is_empty(), "of what is not answered nothing is kept"
        await box.answers()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert taken > 300 and not errors


async def test_every_socket_has_its_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pysnmp would answer requests at those, too, from which notifications go."""
    from appliance.box.snmp import engine, gate
    guarded: list[tuple[Any, Any]] = []
    add = engine._Hearing.add

    def added(hearing: Any, transport: Any, door: Any) -> None:
        add(hearing, transport, door)
        guarded.append((transport, door))
    monkeypatch.setattr(engine._Hearing, "add", added)
    async with Box(tmp_path, targets=[
            {"name": f"t{number}", "user": "noc", "inform": False, "address": address, "port": next(PORTS)}
            for number, address in enumerate((HOST, "::1", HOST))]).runs() as box:
        assert [type(door) for _, door in guarded] == [gate.Requests, gate.Replies, gate.Replies]
        await box.answers()
        port = guarded[1][0].transport.get_extra_info("socket").getsockname()[1]
        assert port, "it has sent its coldStart"
        said, _ = await ask("snmpget", *V3, "-t", "0.5", "-r", "0", f"{HOST}:{port}", "1.3.6.1.2.1.1.5.0")
        assert said == "", "not from a target either"


@pytest.mark.parametrize(("mistake", "expected"), [
    (lambda path: path.unlink(), "No such file"),
    (lambda path: path.chmod(0o604), "chmod 600"),
    (lambda path: path.write_text("short\n"), "8 to 256 characters"),
    (lambda path: path.write_bytes(b"\xff" * 20), "8 to 256 characters"),
    (lambda path: path.write_text("x" * 300), "8 to 256 characters")])
def test_a_file_that_holds_no_pass_phrase_is_named(tmp_path: Path, mistake: Any, expected: str) -> None:
    from appliance.box.snmp.area import read
    box = Box(tmp_path)
    mistake(tmp_path / "auth")
    with pytest.raises((OSError, ValueError), match=expected) as error:
        read(box.config.snmp)
    assert str(tmp_path / "auth") in str(error.value) and PHRASES["auth"] not in str(error.value)


def test_the_running_quarter_of_the_tests_is_one() -> None:
    assert RUNNING % QUARTER_S == 0
