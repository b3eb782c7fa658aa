"""Configuration documents made of a template and a box's values, and checked as a box checks its own.

Jinja2 in its sandbox: a template can compute with the values that it is given and reach nothing else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from appliance.config.load import load, text_of
from appliance.errors import ConfigError

MOST_LINES = 20_000


class Template:
    """ConfigError: the file cannot be read, or is no template."""

    def __init__(self, path: Path) -> None:
        self._path = path
        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, trim_blocks=True,
            lstrip_blocks=True)
        environment.filters["yaml"] = _quoted
        self.source = text_of(path)
        try:
            self._template = environment.from_string(self.source)
        except TemplateSyntaxError as error:
            raise ConfigError(f"{path}:{error.lineno}: {error.message}") from None

    def text(self, values: Mapping[str, Any]) -> str:
        """For one box. ConfigError: a value is missing, or what comes out is no configuration."""
        try:
            made = self._template.render(dict(values))
        except UndefinedError as error:
            raise ConfigError(f"{self._path}: {error.message}: give the site or the box this value") from None
        except Exception as error:                # what a template computes can go wrong in any way
            raise ConfigError(f"{self._path}: {error or type(error).__name__}") from None
        if made.count("\n") > MOST_LINES:
            raise ConfigError(f"{self._path}: becomes more than {MOST_LINES} lines")
        load(self._path, made)
        return made


class _OneLine(yaml.SafeDumper):
    def analyze_scalar(self, scalar: str) -> Any:
        """Line breaks are written as such in double quotes alone."""
        found: Any = super().analyze_scalar(scalar)
        if found.multiline:
            found.allow_single_quoted = False
        return found


def _quoted(value: Any) -> str:
    """A value as YAML on one line, whatever is in it: {{ name|yaml }}."""
    text: str = yaml.dump(value, Dumper=_OneLine, default_flow_style=True, allow_unicode=True, width=10**9)
    return text.removesuffix("\n").removesuffix("\n...")
