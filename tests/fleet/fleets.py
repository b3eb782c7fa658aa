"""A fleet of light boxes in a process of their own, and the commands of who runs it."""

import contextlib
import copy
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncssh
import msgspec
import yaml
from click.testing import CliRunner, Result

from appliance.config import enrolment
from appliance.launch.cli import main
from tests.fleet.boxes import Spec, Where

SOON_S = 30.0


class Fleet:
    """`where`: of each box by its name. The inventory is fleet.sqlite, the key `key`, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.where = folder, dict[str, Where]()
        self.key = folder / "key"
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(self.key))
        self.key.chmod(0o600)                     # OpenSSH reads no other
        self.public = key.export_public_key("openssh").decode().strip()
        self.processes: list[subprocess.Popen[bytes]] = []

    def with_inventory(self, folder: Path) -> "Fleet":
        """The same boxes for who has another inventory."""
        other = copy.copy(self)
        other.folder, other.where = folder, {}
        return other

    def start(self, specs: Sequence[Spec]) -> list[Where]:
        folder = self.folder / f"boxes-{len(self.processes)}"
        process = subprocess.Popen([sys.executable, "-m", "tests.fleet.boxes", str(folder)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.processes.append(process)
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(msgspec.json.encode(list(specs)) + b"\n")
        process.stdin.flush()
        found = msgspec.json.decode(process.stdout.readline(), type=list[Where])
        self.where |= {one.name: one for one in found}
        return found

    def spec(self, number: int, **faults: Any) -> Spec:
        given: dict[str, Any] = {
            "name": f"box{number}", "address": f"127.0.1.{number}", "keys": [self.public]}
        return Spec(**(given | faults))

    def enrolled(self, *others: dict[str, Any], **values: dict[str, Any]) -> None:
        """All of `where` in the inventory, with the keys that they have; `values` of them by name."""
        boxes = [{"name": one.name, "address": one.address, "port": one.port, "user": "noc",
                  "host_key": one.host_key, "values": values.get(one.name, {})}
                 for one in self.where.values()]
        path = self.folder / "fleet.yaml"
        path.write_text(yaml.safe_dump({"boxes": [*boxes, *others]}))
        assert self.does("import", str(path)).exit_code == 0

    def does(self, *words: str, stdin: str = "") -> Result:
        """branchline fleet WORDS."""
        env = {"BRANCHLINE_FLEET_KEY": str(self.key), "SSH_AUTH_SOCK": "", "LANG": "en"}
        result = CliRunner().invoke(
            main, ["fleet", "--inventory", str(self.folder / "fleet.sqlite"), *words], input=stdin, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def json(self, *words: str, status: int = 0) -> Any:
        result = self.does(*words, "--json")
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    def code(self, name: str) -> str:
        return enrolment.code(enrolment.octets(self.where[name].host_key), enrolment.octets(self.public))

    def close(self) -> None:
        for process in self.processes:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        for process in self.processes:
            with process:                         # its pipes are closed
                assert process.wait(SOON_S) == 0


@contextlib.contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    made = Fleet(folder)
    try:
        yield made
    finally:
        made.close()
