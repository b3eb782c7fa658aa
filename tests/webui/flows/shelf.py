"""Flow files as boxd keeps them, for pages without a bus: its own subject, whose acdd agrees to all."""

import asyncio
import hashlib
import struct
import threading
import time
from pathlib import Path
from typing import Any, TypeVar, cast

from appliance.box.flows.area import Flows
from appliance.bus.client import Refused
from appliance.bus.messages import (
    DocumentReply,
    DocumentState,
    Event,
    FigureDefinition,
    FigureRow,
    Figures,
    FigureSum,
    FigureValue,
    GetDocument,
    GetFigures,
    GetPromptAudio,
    PromptAudio,
    Reloaded,
    Reply,
    Request,
)
from appliance.bus.runner import Context
from appliance.config.load import load
from tests.webui.conftest import FakeExchange

R = TypeVar("R", bound=Reply)

CONFIG = """\
spans:
  - {name: telco1, url: "virtual:/x/b", side: user, trunk: telco}
media: {prompts: prompts}
centre:
  inbound: [{trunk: telco, called: "5001", flow: main.yaml}]
  calendars: [{name: office, hours: {mon-sun: "00:00-24:00"}}]
  sources: [{name: crm, url: "https://crm.example/find?number={caller}"}]
  queues:
    - {name: sales, agents: [zhang]}
    - {name: service, agents: [zhang]}
  agents: [{name: zhang, extension: "801", trunk: telco}]
web: {port: 8080}
"""
MAIN = """\
# What a caller of 5001 hears
language: zh
start: greeting
nodes:
  greeting: {kind: play, prompt: greeting, next: menu}
  # sales first: most calls are for them
  menu:
    kind: menu
    prompt: menu
    digits: {1: sales, 2: service}
    default: sales
  sales: {kind: queue, queue: sales}
  service: {kind: queue, queue: service, overflow_s: 60, next: end}
  end: {kind: hangup}
"""
PROMPTS = {"greeting": "您好，欢迎致电。", "menu": "销售请按一，售后请按二。", "queue": "请稍候。",
           "holiday": "今天休息。"}


class _Bus:
    """acdd takes over what it is told to, unless `no` says why not."""

    def __init__(self, exchange: FakeExchange) -> None:
        self._exchange, self.no = exchange, ""

    async def say(self, event: Event) -> None:
        self._exchange.mirror.hear(event, time.monotonic())

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Reloaded:
        if self.no:
            raise Refused(self.no)
        return Reloaded(document="", changed=[])


class FlowShelf:
    """`figures`: rows that acdd gives of nodes; `asked`: of boxd, and by whom."""

    def __init__(self, exchange: FakeExchange, folder: Path) -> None:
        self.folder = folder
        for language in ("zh", "en"):
            (folder / "prompts" / language / "number").mkdir(parents=True)
            for name in (*PROMPTS, "position", "position-end", *(f"number/{one}" for one in range(101))):
                (folder / "prompts" / language / f"{name}.wav").write_bytes(silence())
        (folder / "prompts" / "music").mkdir()
        (folder / "prompts" / "music" / "default.wav").write_bytes(silence())
        (folder / "branchline.yaml").write_text(CONFIG)
        (folder / "main.yaml").write_text(MAIN)
        self.bus = _Bus(exchange)
        self.figures: list[FigureRow] = []
        self.asked: list[Request[Any]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._others = exchange.ask
        self._area, self._stop, self._running = self._do(self._begin())
        exchange.ask = self.ask                   # type: ignore[method-assign]

    async def _begin(self) -> tuple[Flows, asyncio.Event, "asyncio.Task[None]"]:
        document, stop = self.folder / "branchline.yaml", asyncio.Event()
        area = Flows(Context("boxd", load(document), self.folder, self.folder, cast(Any, self.bus), stop,
                             config_path=document))
        return area, stop, asyncio.create_task(area.run(stop))

    def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        if isinstance(request, GetFigures):
            return cast(R, self._figures())
        if isinstance(request, GetDocument):
            return cast(R, DocumentReply(state=DocumentState(at=0.0), version=None, text=CONFIG))
        if isinstance(request, GetPromptAudio):
            return cast(R, PromptAudio(octets=silence()[request.at:], total=len(silence()),
                                       sha256=hashlib.sha256(silence()).hexdigest()))
        answer = self._area.answers.get(type(request))
        if answer is None:
            return self._others(request, timeout_s)
        self.asked.append(request)
        return cast(R, self._do(answer(request)))

    def _figures(self) -> Figures:
        definition = FigureDefinition(name="entered", zh="进入量", en="entered", unit="times", formula="")
        return Figures(at=time.time(), definitions=[definition], rows=self.figures)

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
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


def silence(octets: int = 800) -> bytes:
    """A prompt's file: A-law, 8000 Hz."""
    form = struct.pack("<HHIIHH", 6, 1, 8000, 8000, 1, 8)
    body = (b"WAVEfmt " + struct.pack("<I", len(form)) + form
            + b"data" + struct.pack("<I", octets) + b"\xd5" * octets)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def row(name: str, entered: int, **sums: int) -> FigureRow:
    """by_digit_1=5: how many went by/digit 1."""
    told = {what.replace("by_", "by/", 1).replace("_", " "): count for what, count in sums.items()}
    return FigureRow(
        name=name, since=0.0, until=1.0,
        values=[FigureValue(value=float(entered), top=float(entered), bottom=0.0)],
        sums=[FigureSum(what=what, count=count, seconds=0.0) for what, count in told.items()])
