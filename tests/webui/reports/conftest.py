"""The pages of a branch whose figures are those of a rehearsed month."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel

from tests.webui.conftest import FakeExchange
from tests.webui.reports.month import Month, month_in


@pytest.fixture(scope="session")
def whole_month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    with month_in(tmp_path_factory.mktemp("month")) as month:
        yield month


@pytest.fixture
def month(whole_month: Month, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Month:
    whole_month.asked.clear()
    monkeypatch.setattr(exchange, "ask", whole_month.asking(exchange.ask))
    return whole_month


@pytest.fixture(scope="session")
def bare(catalogues: None) -> Flask:
    """An application that can only translate."""
    app = Flask("webui")
    Babel(app)
    return app
