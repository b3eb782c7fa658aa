"""The pages that the top of every page leads to: one table, each shown to whom its door lets through."""

from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup

from webui.access.doors import opens


@dataclass(frozen=True, slots=True)
class Entry:
    """`blueprints`: on whose pages it is the current one. `administration`: behind that word, as the others
    fill a small screen."""

    endpoint: str
    name: LazyString
    blueprints: tuple[str, ...]
    administration: bool = False


NAVIGATION = (
    Entry("board.index", _l("Live board"), ("board",)),
    Entry("floor.index", _l("Floor"), ("floor",)),
    Entry("contacts.index", _l("Contacts"), ("contacts",)),
    Entry("lines.index", _l("Lines"), ("lines", "line_tests", "spans")),
    Entry("recordings.index", _l("Recordings"),
          ("recordings", "recordings_many", "recording_store", "hearing")),
    Entry("quality.index", _l("Quality"), ("quality",)),
    Entry("quality.results", _l("Quality"), ("quality",)),           # of who does not judge
    Entry("reports.index", _l("Reports"), ("reports", "what_if")),
    Entry("notices.index", _l("Notices"), ("notices",)),
    Entry("alerts.index", _l("Alerts"), ("alerts",)),
    Entry("flows.index", _l("Flows"), ("flows", "flow_traffic"), True),
    Entry("flow_traffic.index", _l("Flows"), ("flows", "flow_traffic"), True),
    Entry("prompts.index", _l("Prompts"), ("prompts",), True),
    Entry("people.index", _l("People"), ("people",), True),
    Entry("tokens.index", _l("API tokens"), ("tokens",), True),
    Entry("audit.index", _l("Log"), ("audit",), True),
    Entry("centre.agents", _l("Call centre"), ("centre",), True),
    Entry("configuration.index", _l("Configuration"), ("configuration",), True),
    Entry("box.index", _l("Box"), ("box", "box_update", "box_settings", "box_logs", "box_storage",
                                   "maintenance", "box_backup", "box_restore", "certificate",
                                   "console"), True),
)
ALWAYS = "me.index"                               # one's own account: whoever has signed in has that


def navigation(administration: bool = False) -> list[tuple[str, LazyString, bool]]:
    """Address, name, whether it is here; of doors that are open to who has signed in."""
    if current_user.must_change:                  # nothing opens before he has a password of his own
        return []
    return [(url_for(one.endpoint), one.name, request.blueprint in one.blueprints)
            for one in _open() if one.administration is administration]


def href(endpoint: str, **values: Any) -> Markup:
    """`href="..."` of a link; "" when its door is closed: then it is text."""
    return Markup('href="{}"').format(url_for(endpoint, **values)) if opens(endpoint) else Markup()


def home() -> str:
    """Where who has signed in begins."""
    if not current_user.is_authenticated:
        return url_for("board.index")
    return next((url_for(one.endpoint) for one in _open()), url_for(ALWAYS))


def _open() -> list[Entry]:
    """Of two for the same pages the first whose door is open."""
    found: dict[tuple[str, ...], Entry] = {}
    for one in NAVIGATION:
        if opens(one.endpoint):
            found.setdefault(one.blueprints, one)
    return list(found.values())
