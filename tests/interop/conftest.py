from collections.abc import Iterator

import pytest

from tests.interop.joined import Joined
from tests.interop.matrix import End


@pytest.fixture
def line(request: pytest.FixtureRequest) -> Iterator[Joined]:
    """Of the scenario's end and with its options."""
    end, options = request.param
    assert isinstance(end, End)
    joined = Joined(end.side, end.profile, **options)
    yield joined
    joined.nothing_left()
