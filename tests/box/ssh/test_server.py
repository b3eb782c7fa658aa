"""The console by OpenSSH's ssh and by asyncssh: who comes in, what is refused, what a program gets."""

import asyncio
import json
import logging
import sys
import threading
from pathlib import Path

import asyncssh
import pyotp
import pytest

from appliance.box.ssh import passwords
from appliance.box.ssh.guard import MOST_REFUSALS, MOST_TRIES, WRONG_BEFORE_WAIT, Guard
from appliance.box.ssh.host_key import host_key
from appliance.box.ssh.passwords import HASHER, STEP_S
from appliance.box.ssh.server import Visitor
from appliance.config.console import ConsolePersonConfig
from appliance.store.audit import Asked, Entry
from tests.box.ssh.rig import Rig, console_at, key_at, run


def written(rig: Rig) -> list[Entry]:
    return rig.audit.entries(Asked(), 100)[::-1]


async def written_so_many(rig: Rig, many: int) -> list[Entry]:
    """What is written beside what a client waits for."""
    async with asyncio.timeout(10):
        while len(found := await asyncio.to_thread(written, rig)) < many:
            pass
    return found


async def test_a_program_gets_output_errors_and_a_status(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        status, out, wrong = await rig.ssh("show", "sessions", "--json")
        assert (status, wrong) == (0, "")
        [session] = json.loads(out)["sessions"]
        assert (session["name"], session["door"], session["origin"]) == ("root", "exec", "ssh 127.0.0.1")
        status, out, wrong = await rig.ssh("show sesions")
        assert (status, out) == (64, "") and "'sesions'" in wrong
        status, out, wrong = await rig.ssh("configure set x 1", name="walter")
        assert (status, out) == (77, "") and "role admin" in wrong
        status, out, wrong = await rig.ssh("show spans")
        assert (status, out) == (69, "") and "nobody is there" in wrong
        assert rig.box.sessions == []


async def test_lines_without_a_terminal_go_on_until_one_fails(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        status, out, wrong = await rig.ssh(given=b"show saved\nshow sessions | count\n# said\nexit\nshow x\n",
                                           more=("-T",))
        assert (status, wrong) == (0, "") and out.count("\n") >= 2
        status, out, wrong = await rig.ssh(given=b"show sessions\nbad\nshow saved\n", more=("-T",))
        assert status == 64 and "'bad'" in wrong and "saved" not in out
        status, out, wrong = await rig.ssh(given=b"x" * 100_000, more=("-T",))
        assert status == 64


async def test_newer_clients_take_ml_kem(tmp_path: Path) -> None:
    for older in (False, True):
        (folder := tmp_path / str(older)).mkdir()
        async with console_at(folder, older_clients=older) as rig, rig.asyncssh(
                kex_algs=["mlkem768x25519-sha256"]) as connection:
            assert (await connection.run("help")).exit_status == 0


async def test_an_older_client_is_told_by_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Debian 12's ssh says which offer it does not know; docs/ssh.md has its words."""
    caplog.set_level(logging.INFO)
    async with console_at(tmp_path, older_clients=False) as rig:
        status, _, wrong = await rig.ssh("show saved")
        assert status == 255 and "no matching key exchange method found" in wrong
        assert "Their offer: mlkem768x25519-sha256" in wrong
        rig.console.listening.clear()
        rig.takes(older_clients=True)
        await rig.console.listening.wait()
        assert (await rig.ssh("show saved"))[0] == 0
        assert "console: sent away: 127.0.0.1: " in caplog.text
        assert "`console.older_clients: true` lets it in: docs/ssh.md" in caplog.text


@pytest.mark.parametrize("older", [False, True])
async def test_ssh_audit_finds_nothing_but_what_older_clients_need(tmp_path: Path, older: bool) -> None:
    """Neither failures nor warnings, nor notes: its connection test, too."""
    async with console_at(tmp_path, older_clients=older) as rig:
        status, out, wrong = await run([
            str(Path(sys.executable).with_name("ssh-audit")), "-n", "-p", str(rig.port), "127.0.0.1"])
        assert "(gen) banner: SSH-2.0-Branchline" in out, out + wrong
        found = [line for line in out.splitlines() if "[warn]" in line or "[fail]" in line
                 or line.startswith(("(nfo)", "(rec)", "(fin) ssh"))]
        if not older:
            assert status == 0 and found == [], out
            return
        warned = [line for line in found if "[warn]" in line]
        assert warned and all(line.startswith("(kex) curve25519-sha256") and "post-quantum" in line
                              for line in warned), out
        assert not [line for line in out.splitlines() if "[fail]" in line], out


async def test_nothing_is_forwarded_and_there_is_no_shell(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig, rig.asyncssh() as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", rig.port)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection("/run/x")
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 1)
        for wanted in ("sh", "/bin/sh -c id", "scp -t /", "$(id)", "show saved; id", "`id`"):
            done = await connection.run(wanted)
            assert done.exit_status == 64 and "uid=" not in str(done.stdout), wanted
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process(subsystem="netconf")
        done = await connection.run("show saved", env={"LD_PRELOAD": "x", "LANG": "zh_CN.UTF-8"})
        assert done.exit_status == 0


async def test_strangers_are_refused_and_written_down(tmp_path: Path) -> None:
    async with console_at(tmp_path, banner="Only for staff.") as rig:
        rig.keys["mallory"] = key_at(tmp_path / "mallory")
        status, _, wrong = await rig.ssh("show saved", name="mallory")
        assert status == 255 and "Permission denied" in wrong and "Only for staff." in wrong
        status, _, _ = await run(["ssh", *rig.options("walter"), "-p", str(rig.port), "root@127.0.0.1"])
        assert status == 255
        assert (await rig.ssh("show saved"))[0] == 0
        seen = [(one.by, one.act, one.what, one.outcome) for one in written(rig)]
        assert seen == [("", "sign-in", "mallory", "wrong key"), ("", "sign-in", "root", "wrong key"),
                        ("root", "sign-in", "key", "")]


async def test_what_changes_something_is_written_before_it_is_done(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        await rig.ssh("show sessions")
        await rig.ssh("show sessions | save who")
        await rig.ssh("del sav who")
        await rig.ssh("configure set console.people.root.password hunter2")
        await rig.ssh("configure commit", name="walter")
        await rig.ssh("configure show secrets")
        await rig.ssh("configure delete 'a\n\x1b[2Jb'")
        seen = [(one.by, one.role, one.what, one.outcome) for one in written(rig) if one.act == "command"]
        assert seen[0] == ("root", "admin", "show sessions | save who", "")
        assert seen[1] == ("root", "admin", "delete saved who", "")
        assert seen[2][2] == "configure set console.people.root.password (not shown)" and seen[2][3] != ""
        assert seen[3] == ("walter", "watch", "configure commit", "the role is too low")
        assert seen[4][2] == "configure show secrets"
        assert all(one[2].isprintable() for one in seen)
        assert rig.audit.verify().broken_at == 0


async def test_sessions_have_limits(tmp_path: Path) -> None:
    async with console_at(tmp_path, sessions=3, sessions_each=2) as rig:
        rig.no_spans()
        async with rig.asyncssh() as connection:
            live = [await connection.create_process("monitor spans") for _ in range(2)]
            with pytest.raises(asyncssh.ChannelOpenError, match="root has 2 sessions"):
                await connection.create_process("show saved")
            assert (await rig.ssh("show saved", name="olga"))[0] == 0
            live[0].close()
            await live[0].wait_closed()
            assert (await connection.run("show saved")).exit_status == 0


async def test_password_and_code_open_once_and_wrong_ones_wait(tmp_path: Path) -> None:
    secret = pyotp.random_base32()
    async with console_at(tmp_path) as rig:
        door = rig.door
        now = [door.clock() + 10 * STEP_S]
        door.clock = lambda: now[0]
        with_a_password(rig, secret)

        async def signs_in(password: str, code: str, name: str = "paula") -> bool:
            class Client(asyncssh.SSHClient):
                tried = False

                def kbdint_auth_requested(self) -> str | None:
                    before, self.tried = self.tried, True
                    return None if before else ""

                def kbdint_challenge_received(self, name: str, instructions: str, lang: str,
                                              prompts: object) -> list[str]:
                    return [password, code] if prompts else []
            try:
                async with rig.asyncssh(name, client_keys=None, client_factory=Client) as connection:
                    done: asyncssh.SSHCompletedProcess = await connection.run("help")
                    return done.exit_status == 0
            except (asyncssh.Error, OSError):      # refused, or sent away
                return False
        code = pyotp.TOTP(secret)
        assert not await signs_in("geheim", "000000")
        assert not await signs_in("falsch", code.at(now[0]))
        assert not await signs_in("geheim", code.at(now[0]), name="nobody")
        assert await signs_in("geheim", code.at(now[0]))
        assert not await signs_in("geheim", code.at(now[0]))         # a code is good once
        now[0] += STEP_S
        for _ in range(4):
            assert not await signs_in("falsch", code.at(now[0]))
        assert not await signs_in("geheim", code.at(now[0]))         # not looked at
        assert door.guard.wait_s("127.0.0.1", "paula", door.steady()) > 0


def with_a_password(rig: Rig, secret: str) -> None:
    paula = ConsolePersonConfig(name="paula", role="watch", totp=secret, password=HASHER.hash("geheim"))
    rig.takes(people=[*rig.console.config.people, paula])


async def test_many_tries_at_once_are_not_more_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with console_at(tmp_path) as rig:
        with_a_password(rig, pyotp.random_base32())
        looked: list[str] = []
        monkeypatch.setattr(passwords, "_verify", lambda hashed, password: looked.append(password))
        for name in ("paula", "nobody"):
            looked.clear()
            rig.door.guard = Guard()
            visitors = [Visitor(rig.door, str) for _ in range(4 * WRONG_BEFORE_WAIT)]
            opened = await asyncio.gather(*(one.validate_kbdint_response(name, ["x", "000000"])
                                            for one in visitors))
            assert not any(opened) and len(looked) == WRONG_BEFORE_WAIT


async def test_hashes_are_made_one_after_the_other_whoever_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes 19 MiB, and a stranger's next request cancels the one before."""
    running, most, begun = [0], [0], asyncio.Event()
    loop, two = asyncio.get_running_loop(), threading.Event()

    def slow(hashed: str, password: str) -> bool:
        running[0] += 1
        most[0] = max(most[0], running[0])
        if running[0] > 1:
            two.set()
        loop.call_soon_threadsafe(begun.set)
        two.wait(0.3)
        running[0] -= 1
        return False
    monkeypatch.setattr(passwords, "_verify", slow)
    made = passwords.Passwords(0.0)
    first = asyncio.create_task(made.right(None, "", "x", "000000", 0.0))
    await begun.wait()
    first.cancel()
    assert not await made.right(None, "", "x", "000000", 0.0) and most == [1]
    await asyncio.gather(first, return_exceptions=True)


async def test_so_many_keys_are_tried_in_a_connection(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        keys = [key_at(tmp_path / f"k{number}").path for number in range(MOST_TRIES + 3)]
        with pytest.raises((asyncssh.DisconnectError, ConnectionError, OSError)):
            await rig.asyncssh(client_keys=[*map(str, keys), str(rig.keys["root"].path)])


async def test_certificates_of_a_trusted_ca_open_for_their_names(tmp_path: Path) -> None:
    ca = key_at(tmp_path / "ca")
    async with console_at(tmp_path, user_cas=[ca.public]) as rig:
        rig.takes_person("olga", principals=["noc"])

        async def opens(name: str, *sign: str, by: Path = ca.path) -> bool:
            key = key_at(tmp_path / "visitor")
            public = key.path.with_suffix(".pub")
            await run(["ssh-keygen", "-q", "-s", str(by), "-I", "x", *sign, str(public)])
            rig.keys["visitor"] = key
            found = await run(["ssh", *rig.options("visitor"), "-p", str(rig.port), f"{name}@127.0.0.1",
                               "show saved"])
            return found[0] == 0
        assert await opens("root", "-n", "root", "-V", "+1h")
        assert await opens("olga", "-n", "noc", "-V", "+1h")
        assert not await opens("olga", "-n", "olga", "-V", "+1h")
        assert not await opens("root", "-n", "noc", "-V", "+1h")
        assert not await opens("root", "-n", "root", "-V", "20200101:20200102")
        assert not await opens("root", "-n", "root", "-O", "source-address=192.0.2.1", "-V", "+1h")
        assert await opens("root", "-n", "root", "-O", "source-address=127.0.0.0/8", "-V", "+1h")
        assert not await opens("root", "-V", "+1h")                  # for nobody is not for everybody
        assert not await opens("root", "-n", "root", "-O", "critical:verify-me@example.com=x", "-V", "+1h")
        assert not await opens("root", "-n", "root", "-h", "-V", "+1h")
        other = key_at(tmp_path / "other")
        assert not await opens("root", "-n", "root", "-V", "+1h", by=other.path)
        assert not await opens("nobody", "-n", "nobody", "-V", "+1h")
        ways = {one.what for one in written(rig) if one.by == "root"}
        assert ways == {"certificate"} and {one.outcome for one in written(rig) if not one.by} <= {
            "wrong key", "nothing that opens"}


async def test_a_certificate_does_what_it_was_made_for_alone(tmp_path: Path) -> None:
    ca = key_at(tmp_path / "ca")
    async with console_at(tmp_path, user_cas=[ca.public]) as rig:
        rig.keys["visitor"] = key_at(tmp_path / "visitor")
        await run(["ssh-keygen", "-q", "-s", str(ca.path), "-I", "x", "-n", "root", "-V", "+1h", "-O",
                   "force-command=show sessions --json", str(tmp_path / "visitor.pub")])
        ssh = ["ssh", *rig.options("visitor"), "-p", str(rig.port)]
        for words in (["root@127.0.0.1", "help"], ["root@127.0.0.1"], ["-s", "root@127.0.0.1", "sftp"]):
            status, out, _ = await run([*ssh, *words])
            assert status == 0 and json.loads(out)["sessions"][0]["line"] == "show sessions | json"


async def test_who_came_by_an_authority_that_is_one_no_more_is_hung_up_on(tmp_path: Path) -> None:
    ca = key_at(tmp_path / "ca")
    async with console_at(tmp_path, user_cas=[ca.public]) as rig:
        visitor = key_at(tmp_path / "visitor")
        await run(["ssh-keygen", "-q", "-s", str(ca.path), "-I", "x", "-n", "root", "-V", "+1h",
                   str(tmp_path / "visitor.pub")])
        async with rig.asyncssh(client_keys=[(str(visitor.path), str(tmp_path / "visitor-cert.pub"))]
                                ) as by_certificate, rig.asyncssh() as by_key:
            assert (await by_certificate.run("help")).exit_status == 0
            rig.takes(user_cas=[])
            await asyncio.wait_for(by_certificate.wait_closed(), 10)
            assert (await by_key.run("help")).exit_status == 0


@pytest.mark.parametrize("change", [{"role": "watch"}, {"keys": []}, None])
async def test_a_connection_in_which_nothing_is_open_does_not_outlive_what_it_was_allowed(
        tmp_path: Path, change: dict[str, object] | None) -> None:
    async with console_at(tmp_path) as rig, rig.asyncssh() as connection:
        assert (await connection.run("help")).exit_status == 0
        if change is None:
            rig.takes(people=rig.console.config.people[1:])
        else:
            rig.takes_person("root", **change)
        with pytest.raises((asyncssh.Error, OSError)):
            await connection.run("show saved")
        await asyncio.wait_for(connection.wait_closed(), 10)
        assert rig.door.inside == []


async def test_a_connection_in_which_nothing_goes_on_is_closed(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        rig.takes(idle_s=0.3)
        async with rig.asyncssh() as silent:
            await asyncio.wait_for(silent.wait_closed(), 10)
        async with rig.asyncssh() as files:
            async with files.start_sftp_client() as client:
                await client.stat("/")
                await asyncio.wait_for(files.wait_closed(), 10)
        async with rig.asyncssh() as lines:
            process = await lines.create_process()
            done = await asyncio.wait_for(process.wait(), 10)
            assert done.exit_status == 1 and "no line came" in str(done.stderr)
        assert rig.box.sessions == []


async def test_a_person_has_so_many_connections(tmp_path: Path) -> None:
    async with console_at(tmp_path, sessions=3, sessions_each=2) as rig:
        async with rig.asyncssh() as one, rig.asyncssh(), rig.asyncssh("olga"):
            for name in ("root", "walter"):
                with pytest.raises((asyncssh.Error, OSError)):
                    async with rig.asyncssh(name) as more:
                        await more.run("help")
            assert (await one.run("help")).exit_status == 0
        refused = [one.outcome for one in await written_so_many(rig, 5) if one.outcome]
        assert refused == ["root has 2 connections already", "the box has 3 connections already"]


async def test_another_name_in_a_connection_ends_it(tmp_path: Path) -> None:
    """Whose keys are looked at does not change on the way."""
    async with console_at(tmp_path) as rig:
        class Client(asyncssh.SSHClient):
            def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
                self.conn = conn

            def public_key_auth_requested(self) -> str | None:
                self.conn._username = "root"      # after the first request, which was olga's
                return str(rig.keys["root"].path)
        with pytest.raises((asyncssh.Error, OSError)):
            await rig.asyncssh("olga", client_keys=None, client_factory=Client)
        assert [one.act for one in written(rig) if one.by] == []


async def test_a_stranger_who_does_not_stop_asking_is_sent_away(tmp_path: Path) -> None:
    """Whatever he asks: it costs the box something each time."""
    async with console_at(tmp_path) as rig:
        class Client(asyncssh.SSHClient):
            asked = 0

            def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
                self.conn = conn

            def auth_banner_received(self, msg: str, lang: str) -> None:
                for _ in range(3 * MOST_REFUSALS):
                    self.conn.create_task(self.conn.send_userauth_request(b"none"))
        rig.takes(banner="Only for staff.")
        async with asyncio.timeout(10):
            with pytest.raises((asyncssh.Error, OSError)):
                await rig.asyncssh(client_keys=None, client_factory=Client)
        assert rig.door.inside == []


async def test_the_provisioned_key_is_of_admin(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        rig.keys["admin"] = key_at(tmp_path / "admin")
        assert (await rig.ssh("show saved", name="admin"))[0] == 255
        rig.admin_keys.append(rig.keys["admin"].public)
        status, out, _ = await rig.ssh("show sessions --json", name="admin")
        assert status == 0 and json.loads(out)["sessions"][0]["role"] == "admin"
        rig.admin_keys.clear()
        assert (await rig.ssh("show saved", name="admin"))[0] == 255


async def test_the_host_key_stays_and_is_for_nobody_else(tmp_path: Path) -> None:
    async with console_at(tmp_path) as rig:
        first = rig.console.key
        path = rig.console._context.state_dir / "ssh" / "host_key"
        assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o077 == 0
        _, shown, _ = await run(["ssh-keygen", "-lf", str(path)])
        assert first.fingerprint in shown
        status, out, _ = await rig.ssh("show certificates --json")
        assert status == 0 and first.fingerprint in out
    public = path.with_suffix(".pub")
    public.unlink()
    assert host_key(path.parent.parent) == first
    assert public.read_text() == f"{first.public}\n"
    path.write_bytes(path.read_bytes()[:100])
    other = host_key(path.parent.parent)
    assert other != first and public.read_text() == f"{other.public}\n"


@pytest.mark.parametrize("octets", [
    b"GET / HTTP/1.0\r\n\r\n", b"SSH-1.5-x\r\n", b"SSH-2.0-x\r\n" + bytes(3000), b"\xff" * 70_000,
    b"SSH-2.0-x\r\n\xff\xff\xff\xff" + bytes(100)])
async def test_octets_that_are_no_ssh_end_only_their_connection(tmp_path: Path, octets: bytes) -> None:
    async with console_at(tmp_path) as rig:
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        writer.write(octets)
        writer.write_eof()
        async with asyncio.timeout(10):
            await reader.read()
        writer.close()
        assert (await rig.ssh("show saved"))[0] == 0


async def test_a_channel_that_had_not_begun_takes_nobodys_place(tmp_path: Path) -> None:
    """asyncssh tells such a channel nothing when its connection ends."""
    async with console_at(tmp_path, sessions=2, sessions_each=2) as rig:
        for _ in range(3):
            visitor = Visitor(rig.door, str)
            visitor.person = rig.door.person("root")
            for _ in range(2):
                visitor.session_requested()
            with pytest.raises(asyncssh.ChannelOpenError, match="2 sessions already"):
                visitor.session_requested()
            visitor.connection_lost(None)
        assert (await rig.ssh("help", name="olga"))[0] == 0
