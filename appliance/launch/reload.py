"""branchline reload: the document is read again by the daemons that can, all of them or none."""

import asyncio
from pathlib import Path

from appliance.bus.client import Bus
from appliance.bus.messages import NoticeDocument
from appliance.bus.reloading import COPY, put_copy, take_over, try_out
from appliance.config.load import text_of
from appliance.errors import ConfigError
from appliance.launch import up as box
from appliance.launch.asking import person

NOTICE_S = 120.0                                  # a commit's check may come before it


async def reload(bus: Bus, config: Path, run_dir: Path) -> list[str]:
    """The keys that changed. ConfigError: the document is wrong; Refused: a change needs a new start."""
    text = await asyncio.to_thread(text_of, config)
    box.check(config, text=text)
    copy = run_dir / COPY
    for reply in await try_out(bus, text, config, run_dir):
        read = Path(reply.document)
        if not any(one.exists() and read.samefile(one) for one in (config, copy)):
            raise ConfigError(f"{config}: the box reads {read}: name that one with --config")
    put_copy(config, run_dir)
    changed = await take_over(bus)
    await bus.ask(NoticeDocument(by=person()), NOTICE_S)             # its history has it
    return changed
