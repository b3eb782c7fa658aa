"""The pages of tests/webui/conftest.py on a supervisor's floor."""

import pytest

from tests.webui.floor.facts import FloorBranch, floor_branch


@pytest.fixture
def branch() -> FloorBranch:
    return floor_branch()
