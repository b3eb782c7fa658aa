"""branchline reload: the document is read again by the daemons that can, all of them or none."""

import os
from pathlib import Path

import yaml

from appliance.bus.client import Bus
from appliance.bus.messages import ReloadBackup, ReloadCentre, ReloadRecorder, ReloadTrunks, ReloadUpdate
from appliance.config.load import load
from appliance.errors import ConfigError
from appliance.launch import up as box

COPY = "branchline.yaml"                          # in the run folder, when the launcher chose the port


async def reload(bus: Bus, config: Path, run_dir: Path) -> list[str]:
    """The keys that changed. ConfigError: the document is wrong; Refused: a change needs a new start."""
    box.check(config)
    copy = run_dir / COPY
    before = copy.read_text(encoding="utf-8") if copy.exists() else None
    if before is not None:
        _replace(copy, _with_port_of(copy, config))
    try:
        for request in (ReloadTrunks(check=True), ReloadCentre(check=True), ReloadRecorder(check=True),
                        ReloadBackup(check=True), ReloadUpdate(check=True)):
            read = Path((await bus.ask(request)).document)
            if not any(one.exists() and read.samefile(one) for one in (config, copy)):
                raise ConfigError(f"{config}: the box reads {read}: name that one with --config")
    except BaseException:
        if before is not None:
            _replace(copy, before)
        raise
    changed = [key for request in (ReloadTrunks(), ReloadCentre(), ReloadRecorder(), ReloadBackup(),
                                             ReloadUpdate())
               for key in (await bus.ask(request)).changed]
    return list(dict.fromkeys(changed))           # two of them read what is recorded


def _replace(path: Path, text: str) -> None:
    """At once: somebody may read it now."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _with_port_of(copy: Path, config: Path) -> str:
    found = load(config)
    web = found.web.model_copy(update={"port": load(copy).web.port})
    return yaml.safe_dump(found.model_copy(update={"web": web}).model_dump(), allow_unicode=True)
