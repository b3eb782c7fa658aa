"""What is at the top of every page while a version waits to be confirmed."""

from flask import render_template
from flask_login import current_user

from appliance.bus.messages import DocumentState
from webui.access.doors import may
from webui.parts import parts
from webui.rendered import Fragment

NAME = "unconfirmed"


class Unconfirmed:
    """Of one page: rendered when something else is to be seen."""

    def __init__(self) -> None:
        self._sees, self._html = may(current_user, "configure"), ""
        self._state: tuple[DocumentState | None] | None = None

    def __call__(self) -> Fragment:
        state = parts().exchange.mirror.floor.document if self._sees else None
        state = state if state is not None and state.waiting else None
        if self._state != (state,):
            self._state, self._html = (state,), render_template("configuration/unconfirmed.html", waits=state)
        return NAME, self._html
