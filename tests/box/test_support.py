"""The bundle for who helps: nothing secret in it, whatever the schema grows; it says what it lacks."""

import asyncio
import hashlib
import json
import re
import time
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from appliance.box import daemon
from appliance.box.support import bundle
from appliance.box.support.making import make
from appliance.box.support.redact import HIDDEN, masked, shown
from appliance.box.support.sources import Places
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    GetSpanTrace,
    GetSupport,
    MakeSupport,
    Reply,
    Request,
    SpanTrace,
    TraceFrame,
)
from appliance.bus.runner import Context
from appliance.config.load import load
from appliance.config.schema import Config

CALLER = "01062345678"
SETUP = bytes.fromhex("020100000802000105040380 90a3 1803a98381 6c0c0181") + CALLER[1:].encode() + \
    bytes.fromhex("7005c1") + b"5001"
SECRETS = ("s3cret-header", "s3cret-password", "s3cret-query", "s3cret-command")
DOCUMENT = f"""\
spans:
  - {{name: e1, url: "virtual:/tmp/none/a", side: user, trunk: telco}}
media: {{speech: {{command: [say, --key, {SECRETS[3]}]}}}}
centre:
  sources:
    - {{name: crm, url: "https://crm.example/c?token={SECRETS[2]}&n={{number}}",
       headers: {{Authorization: Bearer {SECRETS[0]}}}}}
    - {{name: db, database: "postgresql://crm:{SECRETS[1]}@db.example/crm", query: "select 1"}}
"""
# They look as if their values were secret, and are not: names of files, a public key.
NOT_SECRET = {
    "archive.key_file", "archive.s3.credentials_file", "archive.sftp.key_file", "archive.sftp.host_key",
    "web.mail.password_file", "snmp.users.auth", "snmp.users.auth_file", "telemetry.token_file"}
LOOKS_SECRET = re.compile(r"pass(word|phrase)|secret|token|credential|key(_|$)|headers|database|command|auth")


def filled(kind: type[BaseModel], above: str = "") -> BaseModel:
    """One of each part, with every text telling where it stands."""
    return kind.model_construct(**{
        name: value(field.annotation, f"{above}{name}") for name, field in kind.model_fields.items()})


def value(kind: Any, where: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return filled(kind, where + ".")
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return value(inner[0], where)
    if origin is dict:
        return {"key": value(inner[1], where)}
    if origin in (list, tuple):
        return [value(one, where) for one in inner if one is not Ellipsis]
    if hasattr(kind, "__metadata__"):
        return value(inner[0], where)
    return f"<{where}>"


def texts(of: Any) -> Iterator[str]:
    if isinstance(of, dict):
        for one in of.values():
            yield from texts(one)
    elif isinstance(of, list):
        for one in of:
            yield from texts(one)
    elif isinstance(of, str):
        yield of.strip("<>")


def declared(kind: type[BaseModel], above: str = "") -> Iterator[str]:
    """Fields that the schema keeps out of a repr."""
    for name, field in kind.model_fields.items():
        if not field.repr:
            yield above + name
        for one in _parts(field.annotation):
            yield from declared(one, f"{above}{name}.")


def _parts(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for one in get_args(kind):
        yield from _parts(one)


@pytest.mark.need(14)
def test_what_the_schema_calls_secret_is_hidden_and_nothing_else_looks_secret() -> None:
    everything = filled(Config)
    seen = set(texts(shown(everything)))
    secret = set(declared(Config))
    assert {"centre.sources.headers", "centre.sources.database", "media.speech.command"} <= secret
    assert not {one for one in seen if one in secret}
    assert len(seen) > 100 and "centre.sources.query" in seen
    suspicious = {one for one in seen if LOOKS_SECRET.search(one.rpartition(".")[2])}
    assert {one for one in suspicious if not one.endswith(("end_key", ".key"))} == NOT_SECRET


@pytest.mark.parametrize(("text", "left"), [
    ("call from 01062345678 to 5001", "call from xxxxxxxx678 to 5001"),
    ("+8613800138000,", "xxxxxxxxxxx000,"),
    ("2031-05-24T12:00:00.123456 pid 12345", "2031-05-24T12:00:00.123456 pid 12345"),
    ("contact c-0123456789 at 1937563200.25", "contact c-0123456789 at 1937563200.25"),
    ("deadbeef0123456", "deadbeef0123456"),
])
def test_numbers_keep_their_ends(text: str, left: str) -> None:
    assert masked(text) == left


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_a_bundle_of_a_box_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "branchline.yaml").write_text(DOCUMENT)
    (tmp_path / "state").mkdir()
    (tmp_path / "state/keys").write_text("s3cret-file")
    kept = {"source": f"https://noc:{SECRETS[1]}@noc.example/v2.raucb?sig={SECRETS[2]}", "octets": 123456789,
            "why": f"nobody answers at {CALLER}"}
    (tmp_path / "data/update/state").mkdir(parents=True)
    (tmp_path / "data/update/state/state.json").write_text(json.dumps({"update": kept}, indent=1))
    path = tmp_path / "b.zip"
    places = Places(tmp_path / "branchline.yaml", tmp_path / "state", tmp_path / "run", tmp_path / "data")
    missing = await make(path, places, None, "the bus is away")
    assert missing["asked, lines, traces"] == "the bus is away"
    found = contents(path)
    plain = b"\n".join(found.values())
    assert not [secret for secret in (*SECRETS, "s3cret-file") if secret.encode() in plain]
    assert json.loads(found["box/state.json"])["update"] == {
        "source": f"https://{HIDDEN}@noc.example/v2.raucb?sig={HIDDEN}", "octets": 123456789,
        "why": "nobody answers at xxxxxxxx678"}
    document = yaml.safe_load(found["configuration.yaml"])
    assert document["centre"]["sources"][0] == {
        "name": "crm", "url": f"https://crm.example/c?token={HIDDEN}&n={{number}}",
        "headers": {"Authorization": HIDDEN}}
    assert load(places.config).spans[0].name == document["spans"][0]["name"]
    assert "state/keys" in found["files.txt"].decode()
    manifest = json.loads(found.pop(bundle.MANIFEST))
    assert {one["name"]: one["sha256"] for one in manifest["entries"]} == {
        name: hashlib.sha256(octets).hexdigest() for name, octets in found.items()}
    assert manifest["missing"] == missing
    assert path.stat().st_mode & 0o777 == 0o600


async def test_of_a_wrong_document_nothing_is_shown(tmp_path: Path) -> None:
    (tmp_path / "branchline.yaml").write_text(DOCUMENT + "webb: {password: s3cret-word}\n")
    places = Places(tmp_path / "branchline.yaml", tmp_path, tmp_path, tmp_path)
    missing = await make(tmp_path / "b.zip", places, None)
    assert "has 1 mistakes" in missing["configuration.yaml"]
    assert b"s3cret" not in b"".join(contents(tmp_path / "b.zip").values())


def test_a_bundle_is_bounded_and_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MOST_PLAIN_OCTETS", 1000)
    with bundle.writing(tmp_path / "b.zip", {}) as writing:
        writing.add("a", b"old" + bytes(990))
        writing.add("b", b"old" + b"new" * 2)
        writing.add("c", b"more")
    found = contents(tmp_path / "b.zip")
    assert (found["b"], "c" in found) == (b"dnewnew", False)
    assert json.loads(found[bundle.MANIFEST])["missing"] == {"c": "the bundle is full"}
    with pytest.raises(RuntimeError), bundle.writing(tmp_path / "c.zip", {}):
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


@pytest.mark.parametrize("numbers", [False, True])
async def test_boxd_makes_one_with_traces_in_the_background(
        bus_server: Path, tmp_path: Path, numbers: bool) -> None:
    (tmp_path / "branchline.yaml").write_text(DOCUMENT)
    boxd, trunkd, webui = [await Bus.connect(bus_server, name) for name in ("boxd", "trunkd", "boxd")]

    async def answer(request: Request[Any]) -> Reply:
        if not isinstance(request, GetSpanTrace):
            raise Refused("not here")
        return SpanTrace(network_side=False, cut=False, frames=[TraceFrame(time.time(), False, SETUP)])
    await trunkd.answer(answer)
    context = Context("boxd", load(tmp_path / "branchline.yaml"), tmp_path / "state", bus_server, boxd,
                      asyncio.Event(), config_path=tmp_path / "branchline.yaml")
    context.state_dir.mkdir()
    heard = asyncio.Event()
    await webui.hear("boxd", lambda event: _set(heard))
    serving = asyncio.create_task(daemon.serve(context))
    async with asyncio.timeout(60):
        await heard.wait()
        await webui.ask(MakeSupport(numbers=numbers))
        while (reply := await webui.ask(GetSupport())).running:
            pass                                  # each answer of boxd's is a turn of its loop
        context.stop.set()
        await serving
    assert not reply.error and reply.octets == Path(reply.path).stat().st_size
    found = contents(Path(reply.path))
    ladder = found["traces/e1.txt"].decode()
    assert "SETUP" in ladder and (CALLER[1:] in ladder) == numbers
    assert ("traces/e1.pcap" in found) == numbers
    assert json.loads(found["asked/health.json"])["health"]["daemons"]
    assert any(line.startswith("lines") or line.startswith("asked/media") for line in reply.missing)
    for bus in (boxd, trunkd, webui):
        await bus.close()


async def _set(event: asyncio.Event) -> None:
    event.set()
