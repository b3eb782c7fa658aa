"""What applications of tests share, each of which is made anew: templates and routes are compiled once.

An application is the product's own; nothing of it but code is kept. The daemons that tests start as processes
have none of this.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Compiled(BytecodeCache):
    """Templates' code by name and file; jinja compares the text's checksum."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (octets := self._kept.get(bucket.key)) is not None:
            bucket.bytecode_from_string(octets)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


class LateRule(Rule):
    """Compiles what builds its addresses when the first is built: most routes of a test's application build
    none."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            if not made:
                made.append(super(LateRule, self)._compile_builder(append_unknown))
            return made[0](rule, **values)
        return build


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Applications are made so from now on."""
    monkeypatch.setattr(Flask, "jinja_options", {**Flask.jinja_options, "bytecode_cache": Compiled()})
    monkeypatch.setattr(Flask, "url_rule_class", LateRule)
