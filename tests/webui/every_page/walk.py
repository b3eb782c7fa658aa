"""Every page there is, from the URL map: in a browser, before an exchange that knows all that the tests know.

A new page is walked without being named here. `python -m tests.webui.every_page.walk` takes pictures of all,
in both languages, both themes and two sizes, into build/screenshots/every_page.
"""

import contextlib
import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext

from tests.sim.branches import branch
from tests.webui.access.test_matrix import address
from tests.webui.browser import SHOTS, chromium_running, clean_page
from tests.webui.conftest import NAME, PASSWORD, QUICK, post
from tests.webui.every_page.branch import FLOW, PERSON, exchange_in, people_and_words
from tests.webui.facts import RECORDING, busy_branch
from tests.webui.lines.facts import line_test
from tests.webui.shelf import shelf_in, talk
from tests.webui.system.test_what_if import NAME as REHEARSAL
from webui import create_app
from webui.parts import LANGUAGES, Settings
from webui.seen import Seen
from webui.server import Server
from webui.users import SetupCode, Users, session_key

THEMES = ("light", "dark")
SIZES = ((1366, 768), (1920, 1080))
PICTURES = SHOTS / "every_page"


# What is looked at there is a file, what a stranger or an agent is shown, or what nobody has begun.
ELSEWHERE = frozenset({
    "box.support_file", "centre.change", "certificate.signing_request", "flow_traffic.numbers",
    "flows.compare", "hearing.shared",
    "line_tests.follow", "line_tests.paper", "me.app_picture", "prompts.audio", "prompts.events",
    "prompts.peaks", "quality.own", "recordings.bundle",
    "reports.saved_file", "what_if.events", "what_if.table"})

# The third week of the month that reports are made of; its last day is what one figure is looked at in.
WEEK = [branch().scenario.day + timedelta(days=place) for place in range(14, 21)]
REPORT = f"/reports/?period=dates&since={WEEK[0]}&until={WEEK[-1]}"
NOON = int(datetime.combine(WEEK[-1], time(12), UTC).timestamp())

# Of pages whose address names something that the branch has; of others the names of the matrix do.
PLACES = {
    "centre.calendar": "/centre/calendars/of/office/days",
    "configuration.compare": "/configuration/compare?old=1&new=1",
    "floor.confirm_end": "/floor/agent/anna/end", "people.show": f"/people/{PERSON}",
    "prompts.show": "/prompt/zh/greeting", "quality.index": "/quality/?whose=*",
    "quality.evaluation.result": "/quality/evaluations/1",
    "quality.evaluation.draft": "/quality/evaluations/2",
    "quality.calibration": "/quality/calibrations/1", "what_if.show": f"/reports/what-if/{REHEARSAL}",
    "line_tests.show": f"/lines/telco/tests/{line_test(1, 'bert', 'errors').test}",
    "flows.edit": f"/flows/edit/{FLOW}", "flows.history": f"/flows/history/{FLOW}",
    "flow_traffic.picture": f"/flow-traffic/of/{FLOW}",
    **{f"first.show.{step}": f"/first/{step}" for step in (
        "language", "network", "time", "lines", "numbers", "people", "call", "done")},
    **{f"centre.edit.{kind}": f"/centre/{kind}/of/{name}" for kind, name in (
        ("agents", "anna"), ("groups", "east"), ("queues", "sales"), ("calendars", "office"))},
    **{f"centre.new.{kind}": f"/centre/{kind}/new" for kind in (
        "recording", "surveys")},
    **{f"centre.things.{kind}": f"/centre/{kind}/" for kind in (
        "groups", "people", "queues", "recording")},
    **{f"reports.index.{kind}": f"{REPORT}&kind={kind}&interval={interval}" for kind, interval in (
        ("queue", "day"), ("agent", "whole"), ("trunk", "whole"), ("flow", "whole"))},
    "reports.behind": "/reports/behind?kind=queue&name=sales&figure=service_level"
                      f"&since={NOON - 12 * 3600}&until={NOON + 12 * 3600}",
}


@contextlib.contextmanager
def site(folder: Path) -> Iterator[tuple[Flask, str]]:
    """The application with its administrator, and its URL."""
    with contextlib.ExitStack() as ends:
        shelf = ends.enter_context(shelf_in(folder / "shelf"))
        shelf.finish(RECORDING, talk(6.0), marks=(("key", 2.0, "5"),))
        users = Users(folder / "users.sqlite", QUICK)
        exchange = ends.enter_context(exchange_in(folder, shelf, busy_branch()))
        app = create_app(exchange, users, Seen(folder / "seen.sqlite"), Settings(
            exports=folder / "exports", state=folder, release=folder / "release",
            session_key=session_key(folder / "session-key"), setup_code=SetupCode(folder / "setup-code")))
        people_and_words(app, users)
        server = Server(app, "127.0.0.1", 0)
        server.start()
        try:
            yield app, server.url
        finally:
            app.extensions["branchline"].exchange.mirror.close()
            server.stop()


def pages(app: Flask) -> dict[str, str]:
    """Endpoint -> address, of all that answer with a page. AssertionError: one is not found, or fails."""
    client = app.test_client()
    found = {"account.login": "/login"}
    post(client, "/login", name=NAME, password=PASSWORD)
    asked = {rule.endpoint: address(rule) for rule in app.url_map.iter_rules()
             if "GET" in (rule.methods or ()) and rule.endpoint not in ("static", "account.login")}
    of_many = {name.rpartition(".")[0] for name in PLACES if name.count(".") > 1}
    asked = {name: path for name, path in asked.items() if name not in of_many} | PLACES
    for endpoint, path in sorted(asked.items()):
        answer = client.get(path, headers={"Accept": "text/html"}, buffered=False)
        if answer.mimetype == "text/html" and answer.status_code == 200:
            found[endpoint] = path
        elif answer.mimetype == "text/html" and answer.status_code >= 400:
            assert endpoint in ELSEWHERE, f"{endpoint}: {path} answers {answer.status_code}"
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
    """Pictures, for people. Those of a page that is gone go, too."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as (app, url), \
            chromium_running() as browser:
        there = pages(app)
        for language, theme, (width, height) in itertools.product(LANGUAGES, THEMES, SIZES):
            options = {"color_scheme": theme, "reduced_motion": "reduce",
                       "viewport": {"width": width, "height": height}}
            context = signed_in(app, browser, url, language, [], **options)
            page = context.pages[0]
            for endpoint, path in there.items():
                page.goto(url + path.lstrip("/"))
                page.screenshot(path=PICTURES / f"{endpoint}-{language}-{theme}-{width}.png", full_page=True)
            context.close()
            print(f"{language}, {theme}, {width} × {height}: {len(there)} pages", flush=True)
        print(f"pictures in {PICTURES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
