"""Fragments of pages, rendered once for everybody who looks with the same rights and range."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter
from typing import Any

import jinja2
from flask import current_app
from flask_babel import get_locale, get_translations
from markupsafe import Markup

MOST = 1024                                       # fragments and tables; the one not asked for longest goes
MOST_ROWS = 512                                   # of a table
MOST_ADDRESSES = 2048

Fragment = tuple[str, str]                        # id of an element, its whole HTML
Row = tuple[Any, str]                             # what it shows, its HTML


class Template(jinja2.Template):
    def _get_default_module(self, ctx: jinja2.runtime.Context | None = None) -> Any:
        """Of what another one imports. Jinja compares the names that both know, each time: here they are
        those of the application."""
        return super()._get_default_module()


class Rendered:
    """Templates rendered for views, kept per language until the view of that name is another."""

    def __init__(self, sight: Callable[[], Hashable] = lambda: None) -> None:
        """`sight`: what those who see the same have in common."""
        self._sight = sight
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._addresses: dict[Hashable, str] = {}
        self._lock = threading.RLock()            # a fragment renders its rows

    def __call__(self, template: str, name: str, view: Any) -> Fragment:
        """(name, `template` rendered with `view` as view and `name` as name)."""
        of = str(get_locale()), self._sight()
        common: dict[str, Any] = {}

        def render(template: str, name: Any, view: Any) -> str:
            if not common:                        # what render_template() looks up for each anew
                current_app.update_template_context(common)
                translated = get_translations().ugettext         # whose looking up takes longer than all else
                common["_"] = lambda text, **values: Markup(translated(text)) % values  # noqa: S704  our texts
                common["rows"], common["url_for"] = rows, self._address
            return current_app.jinja_env.get_template(template).render(common, view=view, name=name)

        def rows(template: str, name: str, views: Iterable[Any], *also: Hashable) -> Markup:
            """Parts of it, which are often the same when the whole is not: a template for each of `views`,
            whose attribute `name` no other has, with it and `also` as view."""
            return Markup(self._rows(template, name, of, views, also, render))  # noqa: S704  made by a template

        with self._lock:
            key = template, name, of
            kept: Row | None = self._kept.get(key)
            if kept is None or kept[0] != view:
                kept = view, render(template, name, view)
            self._keep(key, kept)
            return name, kept[1]

    def _rows(self, template: str, name: str, of: Hashable, views: Iterable[Any], also: tuple[Hashable, ...],
              render: Callable[[str, Any, Any], str]) -> str:
        key, named = (template, name, of, also, "rows"), attrgetter(name)
        kept: dict[Hashable, Row] = self._kept.get(key, {})
        shown: dict[Hashable, Row] = {}
        for view in views:
            row = kept.get(which := named(view))
            if row is None or row[0] != view:
                row = view, render(template, which, (view, *also) if also else view)
            shown[which] = row
        self._keep(key, shown if len(kept) > MOST_ROWS else kept | shown)
        return "\n".join(html for _, html in shown.values())        # delta.py goes by lines

    def _address(self, endpoint: str, **values: Any) -> str:
        """url_for(): most are in many fragments and versions of them."""
        key = endpoint, *values.items()
        if (found := self._addresses.get(key)) is None:
            if len(self._addresses) >= MOST_ADDRESSES:
                self._addresses.clear()
            found = self._addresses[key] = current_app.url_for(endpoint, **values)
        return found

    def _keep(self, key: Hashable, what: Any) -> None:
        self._kept[key] = what
        self._kept.move_to_end(key)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
