"""Fragments of pages, rendered once for everybody who looks with the same rights and range."""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter
from typing import Any

import jinja2
from flask import current_app, g
from flask_babel import get_locale, get_translations
from markupsafe import Markup

from webui.delta import Text

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
        self._mark = secrets.token_hex(8)         # nobody else writes it
        self._places = re.compile(f"<{self._mark} ([0-9]+)>")

    def __call__(self, template: str, name: str, view: Any) -> Fragment:
        """(name, `template` rendered with `view` as view and `name` as name)."""
        language = str(get_locale())
        of = language, self._sight()

        def render(template: str, name: Any, view: Any) -> str:
            there: list[list[str]] = []           # what comes where it says so

            def rows(template: str, name: str, views: Iterable[Any], *also: Hashable) -> Markup:
                """Parts of it, which are often the same when the whole is not: a template for each of
                `views`, whose attribute `name` no other has, with it and `also` as view."""
                there.append(self._rows(template, name, of, views, also, render))
                return Markup(f"<{self._mark} {len(there) - 1}>")  # noqa: S704  of our own

            html = current_app.jinja_env.get_template(template).render(
                self._common(language), view=view, name=name, rows=rows)
            return self._put_in(html, there) if there else html

        with self._lock:
            key = template, name, of
            kept: Row | None = self._kept.get(key)
            if kept is None or kept[0] != view:
                kept = view, render(template, name, view)
            self._keep(key, kept)
            return name, kept[1]

    def _common(self, language: str) -> dict[str, Any]:
        """What render_template() looks up for each template anew."""
        kept: dict[str, dict[str, Any]] = g.setdefault("rendered", {})
        if (common := kept.get(language)) is None:
            common = {}
            current_app.update_template_context(common)
            common["_"], common["url_for"] = _words(get_translations().ugettext), self._address
            kept[language] = common
        return common

    def _put_in(self, html: str, there: list[list[str]]) -> Text:
        """Rows between what the template has around them."""
        pieces: list[str] = []
        begun, *rest = self._places.split(html)   # of the line that is not ended
        for which, text in zip(rest[::2], rest[1::2], strict=True):
            rows = there[int(which)]
            if rows and begun.endswith("\n"):
                pieces += begun[:-1], *rows[:-1]
                begun = rows[-1]
                if text.startswith("\n"):
                    pieces.append(begun)
                    begun, text = "", text[1:]
            else:
                begun += "\n".join(rows)
            begun += text
        return Text.of((*pieces, begun))

    def _rows(self, template: str, name: str, of: Hashable, views: Iterable[Any], also: tuple[Hashable, ...],
              render: Callable[[str, Any, Any], str]) -> list[str]:
        key, named = (template, name, of, also, "rows"), attrgetter(name)
        kept: dict[Hashable, Row] = self._kept.get(key, {})
        shown: dict[Hashable, Row] = {}
        pieces: list[str] = []
        for view in views:
            which = named(view)
            row = kept.get(which)
            if row is None or not (row[0] is view or row[0] == view):
                row = view, render(template, which, (view, *also) if also else view)
            shown[which] = row
        self._keep(key, shown if len(kept) > MOST_ROWS else kept | shown)
        for _, html in shown.values():
            pieces += html.pieces if isinstance(html, Text) else (html,)
        return pieces

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


def _words(translated: Callable[[str], str]) -> Callable[..., Markup]:
    """gettext() of one language for templates: what has nothing to be put in is looked up once."""
    known: dict[str, Markup] = {}

    def said(text: str, **values: Any) -> Markup:
        if values:
            return Markup(translated(text)) % values             # noqa: S704  our texts
        if (found := known.get(text)) is None:
            found = known[text] = Markup(translated(text)) % {}  # noqa: S704  our texts
        return found
    return said
