"""Every page of the URL map, a million contacts behind it: the server's time, and what a browser loads."""

import contextlib
import copy
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from appliance.sim.branch import Branch
from appliance.store.events import FILE
from tests.bench.figures import Kind, Say, Theme
from tests.bench.year import DAYS, year
from tests.e2e.rig import CONFIG, Rig
from tests.webui.access.test_matrix import NAMES, address
from tests.webui.browser import chromium_running
from tests.webui.conftest import NAME, PASSWORD
from tests.webui.every_page.walk import site
from tests.webui.test_daemon import Browser

EACH = 20                                         # of every page
TIMES = 3                                         # of every report over a year
START_S = 300.0                                   # acdd looks through its whole file
LOADED_MS = 500                                   # for what a page fetches when it is there
WORST = 8                                         # that are said
KB = 1000.0

MANY, P50, P95, SLOWEST, LARGEST = (
    "pages", "any page, p50", "any page, p95", "slowest page, p95", "first load, largest page")
OWN = {                                           # endpoint or address -> figure
    "board.index": "board, p95", "floor.index": "floor, p95", "floor.missed": "abandoned calls, p95",
    "contacts.index": "contacts, p95", "contacts.show": "a contact, p95",
    "recordings.index": "recordings, p95", "flows.edit": "flow editor, p95",
    "configuration.index": "configuration, p95", "reports.index": "reports, of today, p95",
    "the last contacts": "contacts, the last page of them, p95", "a month": "reports, of 30 days, p95",
    "a month by days": "reports, of 30 days by days, p95"}
REPORTS: Mapping[str, Mapping[str, str]] = {
    "page of a year: queues": {},
    "page of a year: queues by weeks": {"interval": "week"},
    "page of a year: all figures of queues": {"set": "all"},
    "page of a year: agents": {"kind": "agent"}}
LOADS = {
    "account.login": "first load, sign-in", "board.index": "first load, board",
    "floor.index": "first load, floor", "flows.edit": "first load, flow editor",
    "reports.index": "first load, reports", "configuration.index": "first load, configuration"}


class YearRig(Rig):
    """A box that has a year behind it, in `store`."""

    def __init__(self, store: Path, branch: Branch) -> None:
        config = copy.deepcopy(CONFIG)
        centre = branch.config.model_dump(mode="json", exclude_unset=True)["centre"]
        config["centre"] |= {"queues": centre["queues"], "agents": centre["agents"]}
        super().__init__(config)
        self._store = store

    def _lay_out(self) -> None:
        super()._lay_out()
        shutil.copyfile(self._store / FILE, self.state_dir / FILE)     # its acdd writes

    def _wait_daemon(self, daemon: str, since: int, within_s: float) -> None:
        super()._wait_daemon(daemon, since, START_S)


class Asked:
    """Who has signed in and asks for one page after the other."""

    def __init__(self, url: str, cookies: Mapping[str, str]) -> None:
        self._line = HTTPConnection(urlsplit(url).netloc, timeout=START_S)
        self._headers = {"Accept": "text/html", "Cookie": "; ".join(f"{name}={value}" for name, value in
                                                                    cookies.items())}

    def ms(self, path: str) -> float | None:
        """Until the last octet has come; None: that is no page."""
        began = time.perf_counter()
        self._line.request("GET", path, headers=self._headers)
        answer = self._line.getresponse()
        if answer.status != 200 or not answer.headers["Content-Type"].startswith("text/html"):
            self._line.close()                    # a stream does not end
            return None
        answer.read()
        return (time.perf_counter() - began) * 1000


def once(say: Say) -> dict[str, float]:
    with year(say) as (store, branch):
        contact, contacts = _there(store)
        began = time.monotonic()
        with YearRig(store, branch) as rig:
            say(f"{contacts} contacts, the box is up after {time.monotonic() - began:.0f} s")
            url = (rig.run_dir / "web.url").read_text().strip()
            browser = Browser(url)
            code = (rig.state_dir / "setup-code").read_text().strip()
            browser.send("/setup", code=code, name=NAME, password=PASSWORD, again=PASSWORD)
            asked = Asked(url, browser.cookies)
            names = NAMES | {"contact": contact, "agent": "both1", "span": "telco1", "file": "main.yaml"}
            pages = {name: path for name, path in _addresses(names).items() if asked.ms(path) is not None}
            since = datetime.fromtimestamp(branch.midnight()) + timedelta(days=1)
            found = _server_ms(asked, pages | _further(contacts, since), say) | _over_a_year(asked, since)
            return found | {MANY: float(len(pages))} | _first_loads(url, browser.cookies, pages, say)


def _there(store: Path) -> tuple[str, int]:
    """A contact of the first day, of which the log has everything; how many contacts there are."""
    with contextlib.closing(sqlite3.connect(store / FILE)) as connection:
        [[contact]] = connection.execute(
            "SELECT contact FROM contacts WHERE agent = 'both1' AND state = 'ended' ORDER BY began_at "
            "LIMIT 1")
        [[contacts]] = connection.execute("SELECT count(*) FROM contacts")
    return contact, contacts


def _addresses(names: Mapping[str, str]) -> dict[str, str]:
    """Endpoint -> address, of all that can be looked at."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, site(Path(folder)) as (app, _):
        return {rule.endpoint: address(rule, names)
                for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.endpoint)
                if "GET" in (rule.methods or ()) and rule.endpoint not in ("static", "account.logout")}


def _further(contacts: int, since: datetime) -> dict[str, str]:
    last = since + timedelta(days=DAYS - 2)
    month = {"period": "dates", "since": f"{last - timedelta(days=29):%Y-%m-%d}", "until": f"{last:%Y-%m-%d}"}
    return {"the last contacts": f"/contacts/?page={contacts // 50}",
            "a month": f"/reports/?{urlencode(month)}",
            "a month by days": f"/reports/?{urlencode(month | {'interval': 'day'})}"}


def _server_ms(asked: Asked, pages: Mapping[str, str], say: Say) -> dict[str, float]:
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(EACH):
        for name, path in pages.items():
            if (ms := asked.ms(path)) is None:
                raise ValueError(f"{path} is no page any more")
            took[name].append(ms)
    p95 = {name: statistics.quantiles(some, n=20)[-1] for name, some in took.items()}
    for name in sorted(p95, key=lambda name: -p95[name])[:WORST]:
        say(f"{p95[name]:8.1f} ms, median {statistics.median(took[name]):.1f}  {name} {pages[name]}")
    every = [ms for some in took.values() for ms in some]
    return {P50: statistics.median(every), P95: statistics.quantiles(every, n=20)[-1],
            SLOWEST: max(p95.values())} | {figure: p95[name] for name, figure in OWN.items()}


def _over_a_year(asked: Asked, since: datetime) -> dict[str, float]:
    dates = {"period": "dates", "since": f"{since:%Y-%m-%d}",
             "until": f"{since + timedelta(days=DAYS - 2):%Y-%m-%d}"}
    found = {}
    for name, also in REPORTS.items():
        took = [asked.ms(f"/reports/?{urlencode({**dates, **also})}") for _ in range(TIMES)]
        found[name] = max(ms for ms in took if ms is not None) / 1000
    return found


def _first_loads(url: str, cookies: Mapping[str, str], pages: Mapping[str, str],
                 say: Say) -> dict[str, float]:
    """kB on the line of a browser that has nothing yet: heads, too, and what a live page is told by then."""
    found = {}
    with chromium_running() as chromium:
        for name, path in pages.items():
            context = chromium.new_context()
            if name != "account.login":
                context.add_cookies([
                    {"name": one, "value": value, "url": url} for one, value in cookies.items()])
            page = context.new_page()
            line = context.new_cdp_session(page)
            came, ended = Counter[str](), dict[str, int]()
            line.on("Network.dataReceived", partial(_came, came))
            line.on("Network.loadingFinished", partial(_ended, ended))
            line.send("Network.enable")
            page.goto(url + path.lstrip("/"))
            page.wait_for_timeout(LOADED_MS)
            found[name] = sum((came | ended).values()) / KB
            context.close()
    for name in sorted(found, key=lambda name: -found[name])[:WORST]:
        say(f"{found[name]:8.1f} kB  {name} {pages[name]}")
    return {LARGEST: max(found.values())} | {figure: found[name] for name, figure in LOADS.items()}


def _came(came: Counter[str], said: Mapping[str, Any]) -> None:
    came[said["requestId"]] += said["encodedDataLength"]


def _ended(ended: dict[str, int], said: Mapping[str, Any]) -> None:
    ended[said["requestId"]] = said["encodedDataLength"]


PAGES = Theme(
    "pages", f"A box of six daemons without calls, behind it a year: {DAYS} days as those of the theme year, "
    "a million contacts. The administrator asks for every page of the URL map that there is on it, one after "
    f"the other, {EACH} times: from the first octet of the question to the last of the answer, over one "
    f"connection on this machine; then for a report over the whole year, {TIMES} times, of which the slowest "
    "counts. First load: what Chromium with an empty cache is sent for a page with its scripts and styles, "
    f"heads included, and of a live page's words those of the first {LOADED_MS / 1000:g} s.",
    (Kind(MANY, "pages"), Kind(P50, "ms"), Kind(P95, "ms", "under 150"), Kind(SLOWEST, "ms", "under 150"),
     *(Kind(figure, "ms", "under 150") for figure in OWN.values()),
     *(Kind(figure, "s", "under 2") for figure in REPORTS),
     Kind(LARGEST, "kB", "under 300"), *(Kind(figure, "kB", "under 300") for figure in LOADS.values())),
    once, runs=1)
