"""Fragments of pages, rendered once for everybody who looks with the same rights and range."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from flask import render_template
from flask_babel import get_locale
from markupsafe import Markup

MOST = 4096                                       # fragments and rows; the one not asked for longest goes

Fragment = tuple[str, str]                        # id of an element, its whole HTML


class Rendered:
    """Templates rendered for views, kept per language until the view of that name is another."""

    def __init__(self, sight: Callable[[], Hashable] = lambda: None) -> None:
        """`sight`: what those who see the same have in common."""
        self._sight = sight
        self._kept: OrderedDict[tuple[Any, ...], tuple[Any, str]] = OrderedDict()
        self._lock = threading.RLock()            # a fragment renders its rows

    def __call__(self, template: str, name: str, view: Any) -> Fragment:
        """(name, `template` rendered with `view` as view and `name` as name)."""
        of = str(get_locale()), self._sight()

        def row(template: str, name: str, view: Any) -> Markup:
            """A part of it that is often the same when the whole is not."""
            return Markup(self._render(template, name, of, view, row))  # noqa: S704  made by a template

        with self._lock:
            return name, self._render(template, name, of, view, row)

    def _render(self, template: str, name: str, of: Hashable, view: Any, row: Callable[..., Markup]) -> str:
        key = (template, name, of)
        kept = self._kept.get(key)
        if kept is None or kept[0] != view:
            kept = self._kept[key] = (view, render_template(template, view=view, name=name, row=row))
        self._kept.move_to_end(key)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return kept[1]
