"""The document in force as the pages need it: its number, plain data and types; and drafts of another one."""

import copy
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import GetDocument, KeySet
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.errors import ConfigError
from webui.parts import parts

ASK_S = 20.0
_NOWHERE = Path("/nonexistent/branchline.yaml")   # what paths in it are beside does not matter here
_NAME = re.compile(r"[^.\[\]]+")
_LINE = re.compile(r"[^:]*:(?:\d+:)? ?(?:(?P<key>[\w.\[\]-]+): )?(?P<what>.*)", re.S)


@dataclass(frozen=True, slots=True)
class Held:
    head: int
    plain: dict[str, Any]                         # as it is written: what has its default is not there
    config: Config

    def draft(self) -> dict[str, Any]:
        """The plain data, to be changed."""
        return copy.deepcopy(self.plain)


@dataclass(frozen=True, slots=True)
class Mistake:
    """`key`: where, as far as that is known, e.g. centre.queues[2].ring_s."""

    key: str
    what: str


def held() -> Held:
    """BusError: boxd does not answer, or has a document that this version cannot read."""
    reply = parts().exchange.ask(GetDocument(secrets=True), ASK_S)
    try:
        plain, config = _read(reply.text)
    except (ConfigError, yaml.YAMLError) as error:
        raise BusError(f"the document in force: {error}") from None
    return Held(reply.version.number if reply.version else 0, plain, config)


def of_version(number: int) -> Held | None:
    """The document as it was in this version; None: nobody has it, or can read it any more."""
    if number < 1:
        return None
    try:
        text = parts().exchange.ask(GetDocument(number=number, secrets=True), ASK_S).text
        return Held(number, *_read(text))
    except (Refused, ConfigError, yaml.YAMLError):
        return None


@functools.lru_cache(maxsize=2)
def _read(text: str) -> tuple[dict[str, Any], Config]:
    return _plain(yaml.load(text, Loader=yaml.CSafeLoader) or {}), load(_NOWHERE, text)


def _plain(value: Any) -> Any:
    """With keys as text, and days as they are written."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def checked(plain: dict[str, Any]) -> tuple[Config | None, list[Mistake]]:
    """The types of a draft, or what is wrong in it."""
    try:
        return load(_NOWHERE, written(plain)), []
    except ConfigError as error:
        return None, [_mistake(line) for line in str(error).splitlines()]


def _mistake(line: str) -> Mistake:
    found = _LINE.fullmatch(line)
    return Mistake(found["key"] or "", found["what"]) if found else Mistake("", line)


def written(value: Any) -> str:
    """As YAML on one line."""
    text: str = yaml.dump(value, Dumper=yaml.CSafeDumper, default_flow_style=True, allow_unicode=True,
                          width=2**30, sort_keys=False)
    return text.removesuffix("...\n").strip()


def part_of(plain: dict[str, Any], path: tuple[str, ...], make: bool = False) -> Any:
    """What is there; `make`: a list at the path's end, put there if there is none."""
    here: Any = plain
    for depth, name in enumerate(path):
        inner = here.get(name)
        if inner is None:
            inner = [] if depth == len(path) - 1 else {}
            if make:
                here[name] = inner
        here = inner
    return here


def differences(old: Any, new: Any, key: str = "") -> Iterator[KeySet]:
    """The keys to be set so that `old` becomes `new`, in an order in which each finds its place."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        names = {**old, **new}
        if all(_NAME.fullmatch(name) for name in names):
            for name in names:
                inner = f"{key}.{name}" if key else name
                if name not in new:
                    yield KeySet(key=inner, value=None)
                elif name not in old:
                    yield KeySet(key=inner, value=written(new[name]))
                else:
                    yield from differences(old[name], new[name], inner)
            return
    before, after = _named(old), _named(new)
    if before is not None and after is not None:
        kept = [name for name in before if name in after]
        if [*kept, *(name for name in after if name not in before)] == list(after):
            yield from (KeySet(key=f"{key}.{name}", value=None) for name in before if name not in after)
            for name in kept:
                yield from differences(before[name], after[name], f"{key}.{name}")
            yield from (KeySet(key=f"{key}[+]", value=written(after[name]))
                        for name in after if name not in before)
            return
    yield KeySet(key=key, value=written(new))


def _named(value: Any) -> dict[str, Any] | None:
    """Parts of a list by their names; None: it is no list of parts with names that a key can have."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return None
    names = [one.get("name") for one in value]
    good = all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)
    return dict(zip(names, value, strict=True)) if good and len(set(names)) == len(names) else None
