"""Orders from standard input, what becomes of them on standard output: a line of JSON each."""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from appliance.box.flows.orders import (
    MOST_OCTETS,
    Draw,
    Drawn,
    Edit,
    Kinds,
    Order,
    Outcome,
    Refusal,
    ShowKinds,
    Tried,
    Try,
)
from appliance.bus.messages.flows import FlowKinds, FlowMistake, FlowPicture, FlowTrial
from appliance.centre import heard
from appliance.centre.entry.load import box_zone
from appliance.centre.flow import Flow, Known, tester
from appliance.centre.flow.editor.fields import shown_kinds
from appliance.centre.flow.editor.picture import picture
from appliance.centre.flow.load import look_at
from appliance.centre.flow.names import known
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.errors import BranchlineError, ConfigError
from appliance.launch import prompts
from appliance.launch.flow_bench.answers import answer_of
from appliance.launch.flow_bench.editing import edited
from appliance.media import speech
from appliance.media.prompts import SUFFIX, Library, PromptError
from appliance.media.voice import VOICES

MOST_MEMORY_OCTETS = 1024**3                      # of addresses; what is in memory is a tenth of it
MOST_CHOICES = 2000                               # of one kind of names
MOST_MISTAKE = 600                                # characters
MOST_KEYS, MOST_STEPS = 500, 2000                 # of a trial
NICE = 10
MOST_S = 25                                       # of an order; who asks waits for less

T = TypeVar("T")

_ORDER = msgspec.json.Decoder(Order)


class Bench:
    """`document`: the configuration, read again whenever it has changed."""

    def __init__(self, document: Path) -> None:
        self._document = document
        self._configured: Callable[[], tuple[Config | None, Known]] = _kept(self._read)
        self._texts: Callable[[], Mapping[str, str]] = _kept(self._spoken)

    def do(self, order: Order) -> Outcome:
        try:
            match order:
                case Draw(file, text, called):
                    return Drawn(text, self._picture(Path(file), text, called)[1])
                case Edit(file, text, edits, called):
                    text = edited(text, edits)
                    return Drawn(text, self._picture(Path(file), text, called)[1])
                case ShowKinds(files):
                    return Kinds(FlowKinds(kinds=shown_kinds(self._choices(files))))
                case Try():
                    return Tried(self._try(order))
        except (BranchlineError, ValueError) as error:
            return Refusal(str(error))

    def _picture(self, file: Path, text: str, called: bool) -> tuple[Flow | None, FlowPicture]:
        config, names = self._configured()
        flow, faults = look_at(file, text, names, called)
        mistakes = [FlowMistake(line=one.line, keys=one.keys, text=_short(one.text)) for one in faults]
        drawn = picture(text, mistakes, self._texts())
        if flow is None or config is None:
            return flow, drawn
        lines = {node.name: node.line for node in drawn.nodes}
        missing = [FlowMistake(line=lines.get(name, 0), keys=["nodes", name], text=why)
                   for name, why in _missing(flow, config)]
        return flow, msgspec.structs.replace(drawn, mistakes=[*drawn.mistakes, *missing])

    def _choices(self, files: list[str]) -> dict[str, list[str]]:
        config, names = self._configured()
        found: dict[str, list[str]] = {"file": files}
        for key, there in (("queue", names.queues), ("source", names.sources), ("calendar", names.calendars),
                           ("box", names.boxes), ("survey", names.surveys), ("agent", names.agents),
                           ("trunk", names.trunks), ("skill", names.skills)):
            found[key] = sorted(there or ())[:MOST_CHOICES]
        if config is not None:
            found["reason"] = [one.name for one in config.centre.not_ready]
            found["prompt"] = _prompts(Path(config.media.prompts))
        return found

    def _try(self, order: Try) -> FlowTrial:
        if len(order.keys) > MOST_KEYS or any(len(one) > 64 for one in order.keys):
            raise ConfigError(f"keys: at most {MOST_KEYS} times, at most 64 at a time")
        flow, drawn = self._picture(Path(order.file), order.text, False)
        if flow is None:
            raise ConfigError("the flow is wrong: " + "; ".join(
                f"line {one.line}: {one.text}" for one in drawn.mistakes[:5]))
        config, _ = self._configured()
        call = tester.Call(
            keys=order.keys, caller=order.caller, called=order.called or "5000",
            at=order.at or time.time(), zone=box_zone(), texts=self._texts(), to_the_end=False,
            answers={source: [answer_of(source, one) for one in given]
                     for source, given in order.answers.items()})
        out = tester.run(flow, call, config.centre if config else None)
        return FlowTrial(steps=out.steps[:MOST_STEPS], node=out.nodes[-1] if out.nodes else "",
                         awaits=out.awaits, end=out.end)

    def _read(self) -> tuple[tuple[Config | None, Known], list[Path]]:
        try:
            config = load(self._document)
        except ConfigError:                       # while it is wrong anything may be named
            return (None, Known()), [self._document]
        return (config, known(config.centre, config.quality)), [self._document]

    def _spoken(self) -> tuple[Mapping[str, str], list[Path]]:
        config, _ = self._configured()
        words = prompts.vocabulary(list(speech.CURRENCIES))
        if config is None:
            return words, [self._document]
        folder = Path(config.media.prompts)
        return {**words, **prompts.texts(folder)}, [self._document, prompts.made_file(folder)]


def serve(document: Path) -> None:
    """Until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_OCTETS, MOST_MEMORY_OCTETS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    bench = Bench(document)
    while line := sys.stdin.buffer.readline(MOST_OCTETS):
        outcome: Outcome
        signal.alarm(MOST_S)                      # it ends then, whoever asked is there or not
        try:
            outcome = bench.do(_ORDER.decode(line))
        except (MemoryError, RecursionError):
            outcome = Refusal("this is too large to be looked at")
        signal.alarm(0)
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        sys.stdout.buffer.flush()


def _missing(flow: Flow, config: Config) -> list[tuple[str, str]]:
    """Nodes with prompts that cannot be played, and why; each prompt once."""
    library, seen, found = Library(Path(config.media.prompts)), set[str](), []
    for name, node in flow.nodes.items():
        alone = flow.model_copy(update={"nodes": {name: node}})
        wanted = heard.prompts([alone], config.centre.queues, config.media, flow.languages)
        for prompt in sorted(wanted - seen - {""}):                  # a queue without music
            try:
                library.get(prompt)
            except PromptError as error:
                found.append((name.partition("/")[0], str(error)))
        seen |= wanted
    return found


def _short(text: str) -> str:
    return text if len(text) <= MOST_MISTAKE else f"{text[:MOST_MISTAKE]}…"


def _prompts(folder: Path) -> list[str]:
    """As flows name them: without the language."""
    found = {str(path.relative_to(folder / language).with_suffix("")) for language in VOICES
             for path in (folder / language).rglob(f"*{SUFFIX}")}
    return sorted(found)[:MOST_CHOICES]


def _kept(read: Callable[[], tuple[T, list[Path]]]) -> Callable[[], T]:
    """What `read` gives, read again only when one of the files that it names has changed."""
    kept: dict[str, Any] = {}

    def get() -> T:
        if not kept or kept["stamps"] != [_stamp(path) for path in kept["files"]]:
            value, files = read()
            kept.update(value=value, files=files, stamps=[_stamp(path) for path in files])
        value = kept["value"]
        return value
    return get


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
