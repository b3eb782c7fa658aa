"""Fragments of pages, rendered once for everybody who looks."""

import threading
from typing import Any

from flask import render_template
from flask_babel import get_locale

Fragment = tuple[str, str]                        # id of an element, its whole HTML


class Rendered:
    """Templates rendered for views, kept per language until the view of that name is another."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[Any, str]] = {}
        self._lock = threading.Lock()

    def __call__(self, template: str, name: str, view: Any) -> Fragment:
        """(name, `template` rendered with `view` as view and `name` as name)."""
        key = (template, name, str(get_locale()))
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept[0] != view:
                kept = self._kept[key] = (view, render_template(template, view=view, name=name))
        return name, kept[1]
