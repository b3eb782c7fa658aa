"""The configuration's versions as boxd keeps them, for pages without a bus; its daemons agree to all."""

import asyncio
import threading
from pathlib import Path
from typing import Any, TypeVar, cast

from appliance.box.document.area import Document
from appliance.box.document.ground import BoxGround
from appliance.bus.client import Refused
from appliance.bus.messages import DocumentMistake, Event, Reloaded, Reply, Request
from appliance.bus.runner import Context
from appliance.config.load import load
from appliance.errors import ConfigError
from tests.webui.conftest import FakeExchange

R = TypeVar("R", bound=Reply)

DOCUMENT = """\
# The branch in Suzhou
spans:
  - {name: telco1, url: "virtual:/x/b", side: user, trunk: telco}   # the telephone company's

centre:
  queues:
    - name: sales
      ring_s: 12.0       # agents asked for it
      agents: [zhang]
      music: ""
  agents:
    - {name: zhang, extension: "801", trunk: telco}
  sources:
    - name: crm
      url: "https://crm.example/find?number={number}"
      headers: {Authorization: "Bearer s3cret-token"}

web:
  port: 8080
"""


class _Bus:
    """All daemons in one: they take over what they are told to, unless `no` says why not."""

    def __init__(self, exchange: FakeExchange) -> None:
        self._exchange, self.no = exchange, ""

    async def say(self, event: Event) -> None:
        self._exchange.mirror.hear(event, 0.0)

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Reloaded:
        if self.no:
            raise Refused(self.no)
        return Reloaded(document="", changed=[])


class _Ground(BoxGround):
    """Without a process of its own for each check: tests/e2e has that."""

    async def check(self, text: str) -> tuple[list[DocumentMistake], list[str]]:
        try:
            self.keys("", text)
        except ConfigError as error:
            return [self.mistake(line) for line in str(error).splitlines()], []
        return [], []


class Kept:
    """boxd's subject with a loop of its own, answering in the place of the branch's boxd."""

    def __init__(self, exchange: FakeExchange, folder: Path, text: str = DOCUMENT) -> None:
        folder.mkdir()
        self.document = folder / "branchline.yaml"
        self.document.write_text(text)
        self.bus = _Bus(exchange)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._others = exchange.ask
        self._area, self._stop, self._running = self._do(self._begin(folder))
        exchange.ask = self.ask                   # type: ignore[method-assign]

    async def _begin(self, folder: Path) -> tuple[Document, asyncio.Event, "asyncio.Task[None]"]:
        stop = asyncio.Event()
        area = Document(Context("boxd", load(self.document), folder, folder, cast(Any, self.bus), stop,
                                config_path=self.document), ground=_Ground)
        return area, stop, asyncio.create_task(area.run(stop))

    def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        answer = self._area.answers.get(type(request))
        if answer is None:
            return self._others(request, timeout_s)
        return cast(R, self._do(answer(request)))

    def close(self) -> None:
        async def end() -> None:
            self._stop.set()
            await self._running
            self._area.close()
        self._do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
