"""Somebody of each role, with and without limits, and their browsers."""

from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient

from tests.webui.conftest import NAME, PASSWORD, post
from webui.access.ranges import UNLIMITED, Range
from webui.users import Users

OWN = "her own password"
SALES = Range(queues=frozenset({"sales"}), agents=frozenset({"anna"}))


@dataclass(frozen=True, slots=True)
class Staff:
    """Makes people, and signs them in."""

    app: Flask
    users: Users

    def add(self, name: str, role: str, within: Range = UNLIMITED) -> None:
        """Somebody who has chosen a password already."""
        self.users.add(name, PASSWORD, role, within, NAME)
        self.users.change_password(name, PASSWORD)

    def browser(self, name: str, password: str = PASSWORD) -> FlaskClient:
        client = self.app.test_client()
        assert post(client, "/login", name=name, password=password).status_code == 303
        return client

    def new(self, name: str, role: str, within: Range = UNLIMITED) -> FlaskClient:
        self.add(name, role, within)
        return self.browser(name)
