"""Every page there is, from the URL map: in a browser, before an exchange that knows all that the tests know.

A new page is walked without being named here. `python -m tests.webui.every_page.walk` takes pictures of all,
in both languages, both themes and two sizes, into build/screenshots/every_page.
"""

import contextlib
import importlib
import inspect
import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext

from appliance.bus.client import BusError
from appliance.bus.messages import Reply, Request
from tests.webui.access.test_matrix import address
from tests.webui.browser import SHOTS, chromium_running, clean_page
from tests.webui.conftest import NAME, PASSWORD, QUICK, FakeExchange, post
from tests.webui.facts import RECORDING, Branch, busy_branch
from tests.webui.shelf import Shelf, shelf_in, talk
from webui import create_app
from webui.parts import LANGUAGES, Settings
from webui.seen import Seen
from webui.server import Server
from webui.users import SetupCode, Users, session_key

THEMES = ("light", "dark")
SIZES = ((1366, 768), (1920, 1080))
PICTURES = SHOTS / "every_page"


class Everything(Branch):
    """A busy branch; what it is not asked of, one of the branches of the other tests' facts answers."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.__dict__.update(busy_branch().__dict__)
        self.shelf = shelf
        self._others = [one() for one in _branches()]

    def reply(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        for reply in (super().reply, *(one.reply for one in self._others)):
            try:
                return reply(request)
            except (AssertionError, KeyError):    # it does not know of such things
                continue
        raise BusError(f"{type(request).__name__}: nobody answers")


def _branches() -> list[type[Branch]]:
    found: list[type[Branch]] = []
    for path in sorted(Path(__file__).parents[1].glob("*/facts.py")):
        module = importlib.import_module(f"tests.webui.{path.parent.name}.facts")
        found += [one for _, one in inspect.getmembers(module, inspect.isclass)
                  if issubclass(one, Branch) and one.__module__ == module.__name__
                  and not [each for each in inspect.signature(one).parameters.values()
                           if each.default is each.empty]]
    return found


@contextlib.contextmanager
def site(folder: Path) -> Iterator[tuple[Flask, str]]:
    """The application with its administrator, and its URL."""
    with shelf_in(folder / "shelf") as shelf:
        shelf.finish(RECORDING, talk(6.0), marks=(("key", 2.0, "5"),))
        users = Users(folder / "users.sqlite", QUICK)
        users.create_first(NAME, PASSWORD)
        app = create_app(FakeExchange(Everything(shelf)), users, Seen(folder / "seen.sqlite"), Settings(
            exports=folder / "exports", state=folder, release=folder / "release",
            session_key=session_key(folder / "session-key"), setup_code=SetupCode(folder / "setup-code")))
        server = Server(app, "127.0.0.1", 0)
        server.start()
        try:
            yield app, server.url
        finally:
            app.extensions["branchline"].exchange.mirror.close()
            server.stop()


def pages(app: Flask) -> dict[str, str]:
    """Endpoint -> address, of all that answer with a page; of what is not found or not answered, neither."""
    client = app.test_client()
    found = {"account.login": "/login"}
    post(client, "/login", name=NAME, password=PASSWORD)
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.endpoint):
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "account.login"):
            continue
        path = address(rule)
        answer = client.get(path, headers={"Accept": "text/html"}, buffered=False)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            found.setdefault(rule.endpoint, path)
        answer.close()
    return found


def signed_in(app: Flask, browser: Browser, url: str, language: str, complaints: list[str],
              **options: Any) -> BrowserContext:
    """A browser's profile of the administrator."""
    client = app.test_client()
    post(client, "/login", name=NAME, password=PASSWORD)
    cookie = client.get_cookie("branchline")
    assert cookie
    context = clean_page(browser, complaints, **options).context
    context.add_cookies([{"name": "branchline", "value": cookie.value, "url": url},
                         {"name": "language", "value": language, "url": url}])
    return context


def main() -> int:
    """Pictures, for people."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as (app, url), \
            chromium_running() as browser:
        there = pages(app)
        for language, theme, (width, height) in itertools.product(LANGUAGES, THEMES, SIZES):
            options = {"color_scheme": theme, "viewport": {"width": width, "height": height}}
            context = signed_in(app, browser, url, language, [], **options)
            page = context.pages[0]
            for endpoint, path in there.items():
                page.goto(url + path.lstrip("/"))
                page.screenshot(path=PICTURES / f"{endpoint}-{language}-{theme}-{width}.png", full_page=True)
            context.close()
        print(f"{len(there)} pages, pictures in {PICTURES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
