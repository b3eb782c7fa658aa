"""What of the notices is at the top of every page of somebody, and follows live."""

import sqlite3
import time
from contextlib import suppress
from typing import Any

from flask import render_template
from flask_login import current_user

from webui.notices.audience import Reader
from webui.notices.store import Notice
from webui.parts import parts
from webui.rendered import Fragment


def reader() -> Reader:
    """Who has signed in."""
    person: Any = current_user
    crew = parts().crew
    agent = crew.agent_of(person.name)
    return Reader(person.name, person.role, frozenset(
        name for name, agents in crew.groups().items() if agent in agents))


class Bar:
    """Of one page: rendered when other notices are to be seen, which is written down."""

    def __init__(self) -> None:
        self._reader, self._html = reader(), ""
        self._shown: list[Notice] | None = None

    def __call__(self) -> Fragment:
        now, notices = time.time(), parts().notices
        found = notices.for_reader(self._reader, now)
        if found != self._shown:
            self._shown, self._html = found, render_template("notices/bar.html", shown=found)
            with suppress(sqlite3.Error):         # he sees them all the same
                notices.shown(self._reader, now)
        return "notice-bar", self._html
