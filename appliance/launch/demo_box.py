"""The demonstration: a configuration of its own and a software exchange at the far end of each line."""

import shutil
import sys
from pathlib import Path

from appliance.box.backup.durable import write_file
from appliance.box.ssh.host_key import new_key
from appliance.config.schema import Config
from appliance.launch.supervisor import Program

HERE = Path(__file__).resolve().parent / "demo"
CATALOGUE = HERE / "prompts.toml"

CONSOLE_KEY = "console-key"                       # beside branchline.yaml: opens the console by SSH
CONSOLE_PERSON = "demo"

_RUN = "RUN"                                      # in branchline.yaml: the run folder
_KEY = "CONSOLE-KEY"                              # in it: the public half of the key that is made beside it
_OUTBOUND_PER_MINUTE = 1.0                        # the agents together


def lay_out(folder: Path, run_dir: Path) -> Path:
    """The configuration below `folder`. What is there stays as it is: somebody may have changed it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "branchline.yaml"
    if not path.exists():
        text = (HERE / path.name).read_text(encoding="utf-8")
        private, public = new_key()
        write_file(folder / CONSOLE_KEY, private)
        path.write_text(text.replace(_RUN, str(run_dir)).replace(_KEY, public), encoding="utf-8")
    for name in ("main.yaml", "day.yaml"):
        if not (folder / name).exists():
            shutil.copyfile(HERE / name, folder / name)
    return path


def exchanges(config: Config, folder: Path, stage: int) -> list[Program]:
    """A software exchange for each virtual line that ends here as b; `folder` keeps their speech."""
    programs = []
    for span in config.spans:
        path, _, _ = span.url.partition("?")
        if path.startswith("virtual:") and path.endswith("/b"):
            people = _office(config, span.trunk) if span.side == "network" else _outside(config, span.trunk)
            programs.append(Program(span.trunk, (
                sys.executable, "-m", "hil_tests.instruments", *people,
                "--line", path.removesuffix("b") + "a", "--cache", str(folder / "speech")), stage))
    return programs


def _outside(config: Config, trunk: str) -> list[str]:
    called = [route.called for route in config.centre.inbound if route.trunk == trunk]
    return ["demo-telco", *(word for number in called for word in ("--called", number)),
            "--later", "9", "--rates", "12345"]


def _office(config: Config, trunk: str) -> list[str]:
    extensions = [agent.extension for agent in config.centre.agents
                  if agent.extension and agent.trunk == trunk]
    return ["demo-pbx", "--outbound-per-minute", str(_OUTBOUND_PER_MINUTE),
            *(word for number in extensions for word in ("--extension", number))]
