"""Paths of anybody who has signed in, in every act of SFTP: a file of the tree, or a refusal."""

import asyncio
import atexit
import contextlib
from collections.abc import Awaitable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import asyncssh
from asyncssh import FXF_CREAT, FXF_READ, FXF_TRUNC, FXF_WRITE, SFTPAttrs

from appliance.box.commands.box import Box
from appliance.box.commands.table import Role, Session, Who
from appliance.box.ssh.door import Door
from appliance.box.ssh.files.server import Files
from appliance.box.ssh.files.tree import MOST_DEPTH, MOST_NAME, MOST_PATH, Reader
from appliance.bus.runner import Context
from appliance.config.console import ConsoleConfig, ConsolePersonConfig
from appliance.config.schema import Config
from tests.box.ssh.rig import SPAN, Daemons, Own
from tests.box.ssh.test_files import Document, recordings

MOST_OCTETS = MOST_PATH + 100
SHARE = 0.15
SECRET, OPEN = b"SECRET", b"for who may"
_FOLDER = TemporaryDirectory()                    # goes with the process
atexit.register(_FOLDER.cleanup)


def corpus() -> list[bytes]:
    """Each kind of file there is, and the tricks that servers of files fell for."""
    good = [b"/", b"/configuration", b"/configuration/branchline.yaml", b"/configuration/candidate.yaml",
            b"/configuration/check.txt", b"/configuration/versions", b"/configuration/versions/6.yaml",
            b"/prompts", b"/prompts/en/greeting.wav", b"/prompts/zh/numbers/1.wav", b"/recordings",
            b"/recordings/2030-03-17", b"/recordings/2030-03-17/abc-1.wav", b"/saved", b"/saved/real",
            b"/saved/support", b"/saved/support/bundle.zip"]
    bad = [b"", b"/saved/../secret", b"/saved/support/../../secret", b"../" * 40 + b"etc/passwd",
           b"/saved/%2e%2e/secret", b"/saved//./..//secret", b"/saved/link", b"/saved/.hidden",
           b"/configuration/versions/0.yaml", b"/configuration/versions/999999999999.yaml",
           b"/recordings/0001-01-01", b"/recordings/9999-12-31/abc-1.wav", b"saved\\..\\secret",
           b"/saved/" + "中".encode() * 80, b"/saved/" + b"a" * MOST_NAME, b"/a" * (MOST_DEPTH + 1)]
    return good + bad


@cache
def _door() -> Door:
    folder = Path(_FOLDER.name)
    (folder / "state" / "saved").mkdir(parents=True)
    (folder / "state" / "support").mkdir()
    (folder / "state" / "support" / "bundle.zip").write_bytes(OPEN)
    (folder / "state" / "saved" / "link").symlink_to(folder / "state" / "secret")
    for name in ("secret", "saved/.hidden"):
        (folder / "state" / name).write_bytes(SECRET)
    bus = Daemons()
    recordings(cast(Any, SimpleNamespace(bus=bus)))
    config = ConsoleConfig()
    context = Context("boxd", Config(spans=[SPAN], console=config), folder / "state", folder / "run",
                      cast(Any, bus), asyncio.Event())
    return Door(config, Box(context, [Own(Document().answers())]), None, lambda: 1.9e9, lambda: 0.0)


@cache
def _runner() -> asyncio.Runner:
    runner = asyncio.Runner()
    atexit.register(runner.close)
    return runner


def fuzz(data: bytes) -> None:
    _runner().run(_acts(data))


async def _acts(path: bytes) -> None:
    state = _door().box.context.state_dir
    (state / "saved" / "real").write_bytes(OPEN)
    before = {one for one in state.rglob("*") if one.name != "real"}
    for role in Role:
        await _as(role, path)
    assert {one for one in state.rglob("*") if one.name not in ("real", "bundle.zip")} == (
        before - {state / "support" / "bundle.zip"})
    assert (state / "secret").read_bytes() == SECRET
    (state / "support" / "bundle.zip").write_bytes(OPEN)


async def _as(role: Role, path: bytes) -> None:
    """All that SFTP can ask of a path; whatever else than its own errors comes out is a fault."""
    person = ConsolePersonConfig(name="li", role=role.name.lower(), recordings=True)  # type: ignore[arg-type]

    async def ready() -> None:
        return
    channel: Any = SimpleNamespace(is_closing=lambda: False)
    files = Files(channel, _door(), Session(Who("li", role)), person, ready, lambda text: None, lambda: None)
    try:
        for act in (files.stat(path), files.lstat(path), _listed(files, path),
                    files.setstat(path, SFTPAttrs()), _written(files, path), _read(files, role, path)):
            await _said(act)
        real = await _said(files.realpath(path))
        assert real is None or (real.startswith(b"/") and not {b"..", b"."} & set(real.split(b"/")))
        await _said(files.remove(path))
    finally:
        files.exit()


async def _said(act: Awaitable[Any]) -> Any:
    with contextlib.suppress(asyncssh.SFTPError):
        return await act
    return None


async def _listed(files: Files, path: bytes) -> None:
    async for one in files.scandir(path):
        assert b"/" not in cast(bytes, one.filename) and one.filename not in (b"link", b".hidden")


async def _read(files: Files, role: Role, path: bytes) -> None:
    file = await files.open(path, FXF_READ, SFTPAttrs())
    assert isinstance(file, Reader)
    try:
        said = await files.read(file, 0, 1 << 16)
        assert SECRET not in said
        assert role > Role.WATCH or said != OPEN, "what is saved is not for who only watches"
    finally:
        await files.close(file)


async def _written(files: Files, path: bytes) -> None:
    """What is put becomes the candidate, wherever the path seems to lead."""
    file = await files.open(path, FXF_WRITE | FXF_CREAT | FXF_TRUNC, SFTPAttrs())
    try:
        await files.write(file, 0, b"spans: []\n")
    finally:
        await files.close(file)
