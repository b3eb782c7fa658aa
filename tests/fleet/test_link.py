"""The connection to a box that does not behave: whatever it does, what is known of it is true."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

from appliance.fleet import link
from appliance.fleet.course import State
from appliance.fleet.inventory import Box
from appliance.fleet.link import Limits, LinkError, Operator, linked

SOON_S = 20.0


class Server(asyncssh.SSHServer):
    """Lets one key in; each command is a way to be bad."""

    def __init__(self, public: asyncssh.SSHKey) -> None:
        self._public = public

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key == self._public


async def bad(process: "asyncssh.SSHServerProcess[str]") -> None:
    match process.command:
        case "hang":
            await process.stdin.read()
            await asyncio.Event().wait()
        case "die":
            process.stdout.write("half of it")
            process.channel.get_connection().abort()
        case "flood":
            with contextlib.suppress(asyncssh.Error, OSError):
                while True:
                    process.stdout.write("x" * 65536)
                    await process.stdout.drain()
        case "nothing":
            process.channel.close()
        case str(status):
            process.stderr.write(f"because of {status}\n")
            process.exit(int(status))


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Box, Operator]]:
    host, person = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    person.write_private_key(str(folder / "key"))
    server = await asyncssh.listen("127.0.1.77", 0, server_factory=lambda: Server(person.convert_to_public()),
                                   server_host_keys=[host], process_factory=bad, config=None)
    box = Box(name="box", address="127.0.1.77", port=server.get_port(),
              host_key=host.export_public_key("openssh").decode())
    try:
        yield box, Operator.of(folder / "key")
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(("line", "state", "why"), [
    ("hang", State.UNKNOWN, "no answer to 'hang' in 0.3 s"),
    ("flood", State.FAILED, "the answer is larger than 100000 octets"),
    ("die", State.UNKNOWN, "die|without a status")])
async def test_a_command_that_does_not_end(line: str, state: State, why: str, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MOST_OCTETS", 100_000)
    async with asyncio.timeout(SOON_S), served(tmp_path) as (box, operator):
        async with linked(box, operator, Limits(SOON_S, 0.3 if line == "hang" else SOON_S)) as connected:
            try:
                said = await connected.ask(line)
                end = said.end()
                assert end is not None
                found = end.state, end.why
            except LinkError as error:
                found = error.state, str(error)
    assert found[0] is state
    assert any(part in found[1] for part in why.split("|"))


async def test_exit_statuses_and_what_was_said(tmp_path: Path) -> None:
    statuses = (("0", None), ("1", State.FAILED), ("77", State.REFUSED), ("nothing", State.UNKNOWN))
    async with (asyncio.timeout(SOON_S), served(tmp_path) as (box, operator),
                linked(box, operator) as connected):
        for line, state in statuses:
            end = (await connected.ask(line)).end()
            assert (end and end.state) == state
            assert end is None or line == "nothing" or end.why == f"because of {line}"
        with pytest.raises(LinkError):
            await connected.read("/configuration/branchline.yaml", 1000)


async def test_who_is_not_let_in_and_who_is_not_the_box(tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    other.write_private_key(str(tmp_path / "other"))
    async with asyncio.timeout(SOON_S), served(tmp_path) as (box, operator):
        for changed, signs_in, state in (
                (box, Operator.of(tmp_path / "other"), State.REFUSED),
                (box.model_copy(update={"host_key": other.export_public_key("openssh").decode()}),
                 operator, State.UNTRUSTED),
                (box.model_copy(update={"host_key": asyncssh.generate_private_key(
                    "ecdsa-sha2-nistp256").export_public_key("openssh").decode()}),
                 operator, State.UNTRUSTED),
                (box.model_copy(update={"host_key": ""}), operator, State.UNTRUSTED),
                (box.model_copy(update={"port": 9}), operator, State.UNREACHABLE),
                (box.model_copy(update={"address": "no.invalid"}), operator, State.UNREACHABLE)):
            with pytest.raises(LinkError) as error:
                async with linked(changed, signs_in, Limits(SOON_S, SOON_S)):
                    raise AssertionError("it is connected")
            assert error.value.state is state, error.value
