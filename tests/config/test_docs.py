"""A setting without its row in docs/configuration.md, or a row without its setting, fails here."""

import re
import typing
from collections.abc import Iterator

from pydantic import BaseModel

from appliance.config.schema import Config
from tests.conftest import ROOT


def keys(kind: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in kind.model_fields.items():
        parts = [part for part in (field.annotation, *typing.get_args(field.annotation))
                 if isinstance(part, type) and issubclass(part, BaseModel)]
        for part in parts:
            yield from keys(part, f"{before}{name}.")
        if not parts:
            yield before + name


def test_every_setting_is_explained() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| ([a-z_]+\.[a-z0-9_.]+) \|", page, re.M)
    assert rows == list(keys(Config))
