"""The console as boxd has it: sockets of the system, ports that another has, a port that is found again."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import asyncssh

from appliance.box.ssh.masking import masked
from tests.box.ssh.rig import console_at
from tests.conftest import ROOT

GIVEN = """
from appliance.box.ssh.given import given
import os, sys
found = given()
print([one.getsockname()[1] for one in found], [one.get_inheritable() for one in found],
      [name for name in os.environ if name.startswith("LISTEN")])
"""


def given(names: str, pid: str = "$$") -> str:
    """What a process finds that systemd would start: a socket as descriptor 3, told of by variables."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        told = f"LISTEN_PID={pid} LISTEN_FDS=2 LISTEN_FDNAMES={names}"
        script = f'{told} exec "$0" -c "$1" 3<&{listening.fileno()} 4<&{listening.fileno()}'
        done = subprocess.run(["bash", "-c", script, sys.executable, GIVEN], cwd=ROOT, capture_output=True,
                              text=True, check=True, pass_fds=[listening.fileno()])
    return done.stdout.strip().replace(str(port), "PORT")


def test_a_socket_of_the_system_is_taken_by_its_name_and_not_handed_on() -> None:
    assert given("console:console") == "[PORT, PORT] [False, False] []"
    assert given("other:console") == "[PORT] [False] []"
    assert given("other") == "[] [] []"
    assert given("console", pid="1").startswith("[] [] ['LISTEN")


async def test_it_listens_on_all_that_the_system_gave(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.2", 0)) as other:
        async with console_at(tmp_path, given=[one, other]) as rig:
            for address, port in (one.getsockname(), other.getsockname()):
                async with asyncssh.connect(address, port, username="root", known_hosts=None,
                                            client_keys=[str(rig.keys["root"].path)]) as connection:
                    assert (await connection.run("help")).exit_status == 0


async def test_a_port_that_another_has_is_tried_again(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        console = rig.console
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            console.take(console.config.model_copy(update={"port": port}))
            async with asyncio.timeout(10):
                while not console.wrong:          # noqa: ASYNC110 - it says it to the log only
                    await asyncio.sleep(0.01)
        console.listening.clear()
        console.take(console.config)
        await asyncio.wait_for(console.listening.wait(), 10)
        assert console.port == port and console.wrong == ""
        assert (await rig.ssh("help", more=("-o", "StrictHostKeyChecking=no")))[0] == 0


async def test_sessions_live_while_it_listens_elsewhere_and_its_port_comes_back(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        console, before = rig.console, rig.port
        rig.no_spans()
        live = await asyncio.create_subprocess_exec(
            *rig.command("monitor", "spans"), stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL)
        assert live.stdout is not None
        await asyncio.wait_for(live.stdout.readline(), 15)
        console.listening.clear()
        console.take(console.config.model_copy(update={"older_clients": False}))
        await asyncio.wait_for(console.listening.wait(), 10)
        assert rig.port == before and live.returncode is None and rig.box.sessions
        live.terminate()
        await live.wait()


def test_secrets_are_not_in_the_log() -> None:
    assert masked("configure set console.people.li.password $argon2id$x y") == \
        "configure set console.people.li.password (not shown)"
    assert masked("configure set web.mail.password_file /x | json") == \
        "configure set web.mail.password_file (not shown)"
    assert masked("show calls | match 138") == "show calls | match 138"
    assert masked("set console.people [{name: li, password: 'a b', totp: X}]") == \
        "set console.people [{name: li, password: (not shown)"
    assert masked("set centre.sources.crm.database mysql://u:geheim@h/x") == \
        "set centre.sources.crm.database mysql://(not shown)@h/x"
    assert masked("set a {headers:{Authorization:x}}") == "set a {headers: (not shown)"
    assert masked("configure show secrets") == "configure show secrets"
    hostile = "set " + "{pin" * 990
    assert masked(hostile) == hostile             # in no time: the line is a stranger's
