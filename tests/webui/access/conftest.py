"""People of every role."""

import pytest
from flask import Flask

from tests.webui.access.people import Staff
from tests.webui.conftest import NAME, PASSWORD
from webui.users import Users


@pytest.fixture
def staff(app: Flask, users: Users) -> Staff:
    """At a box that has its administrator."""
    users.create_first(NAME, PASSWORD)
    return Staff(app, users)
