"""What Lighthouse says of some pages: python -m tests.webui.every_page.lighthouse, or make lighthouse.

Its scores go to docs/lighthouse.md, its reports to build/lighthouse. Lighthouse itself comes from npm, this
one version, into build/lighthouse; nothing of it is on a box.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask

from tests.bench.figures import machine
from tests.conftest import ROOT
from tests.webui.conftest import NAME, PASSWORD, post
from tests.webui.every_page.branch import FLOW
from tests.webui.every_page.walk import REPORT, site

VERSION = "12.8.2"                                # the last one for Debian's Node.js 18
FOLDER = ROOT / "build" / "lighthouse"
PAGE = ROOT / "docs" / "lighthouse.md"
CHROMIUM = "/usr/bin/chromium"
FLAGS = "--headless=new --no-sandbox --disable-gpu"
LOAD_MS = 15_000                                  # a live page is never quiet
PATIENCE_S = 240.0
TRIES = 3                                         # it asks for another run when Chromium's trace is cut short
CATEGORIES = ("performance", "accessibility", "best-practices")
FINDS = 0.9                                       # an audit below it is told

PAGES = {"sign-in": "/login", "board": "/", "floor": "/floor/", "flow editor": f"/flows/edit/{FLOW}",
         "reports": REPORT, "configuration": "/configuration/"}

HEAD = """\
# Lighthouse

Made by `make lighthouse` on {day}, on {machine}: Lighthouse {version} with Debian's
Chromium, as for a desktop, on the busy branch of `tests/webui/every_page`, in English, with an empty cache.
Scores are of 100. The times are Lighthouse's own, of a line and a processor that it reckons slower.

| page | {categories} | first paint | largest paint | sent | what it finds |
|---|{lines}---|---|---|---|
"""


def main() -> int:
    """1: it cannot be had, or a page could not be looked at."""
    program = FOLDER / "node_modules" / ".bin" / "lighthouse"
    if not (npm := shutil.which("npm")):
        print("npm is missing: Lighthouse needs Node.js 18 or newer", file=sys.stderr)
        return 1
    wanted = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip() \
        if program.exists() else ""
    if wanted != VERSION:
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", FOLDER,
                        f"lighthouse@{VERSION}"], check=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="lighthouse-") as folder, site(Path(folder)) as (app, url):
        cookie = _cookie(app)
        for name, path in PAGES.items():
            rows.append(_row(name, _looked_at(program, url + path.lstrip("/"), name,
                                              "" if name == "sign-in" else cookie)))
            print(rows[-1], flush=True)
    PAGE.write_text(HEAD.format(
        day=date.today().isoformat(), machine=machine(), version=VERSION, categories=" | ".join(CATEGORIES),
        lines="---|" * len(CATEGORIES)) + "\n".join(rows) + "\n", encoding="utf-8")
    return 0


def _cookie(app: Flask) -> str:
    client = app.test_client()
    post(client, "/login", name=NAME, password=PASSWORD)
    cookie = client.get_cookie("branchline")
    assert cookie
    return f"branchline={cookie.value}; language=en"


def _looked_at(program: Path, url: str, name: str, cookie: str) -> Any:
    """Lighthouse's report."""
    out = FOLDER / f"{name.replace(' ', '-')}.json"
    headers = json.dumps({"Cookie": cookie} if cookie else {})
    for _ in range(TRIES):
        ran = subprocess.run(
            [program, url, "--quiet", "--preset=desktop", "--output=json", f"--output-path={out}",
             f"--only-categories={','.join(CATEGORIES)}", f"--max-wait-for-load={LOAD_MS}",
             f"--chrome-path={CHROMIUM}", f"--chrome-flags={FLAGS}", f"--extra-headers={headers}"],
            timeout=PATIENCE_S)
        if ran.returncode == 0:
            break
    else:
        raise RuntimeError(f"{url}: no report in {TRIES} runs; what Lighthouse said is above")
    report = json.loads(out.read_text(encoding="utf-8"))
    if report.get("runtimeError"):
        raise RuntimeError(f"{url}: {report['runtimeError']['message']}")
    if report["finalDisplayedUrl"] != url:
        raise RuntimeError(f"{url}: led to {report['finalDisplayedUrl']}")
    return report


def _row(name: str, report: Any) -> str:
    audits = report["audits"]
    scores = [str(round(100 * report["categories"][one]["score"])) for one in CATEGORIES]
    found = sorted({ref["id"] for one in CATEGORIES for ref in report["categories"][one]["auditRefs"]
                    if ref["weight"] and (audits[ref["id"]]["score"] or 0.0) < FINDS
                    and audits[ref["id"]]["scoreDisplayMode"] in ("binary", "numeric", "metricSavings")})
    sent = audits["total-byte-weight"]["numericValue"] / 1000
    return " | ".join([
        f"| {name}", *scores, audits["first-contentful-paint"]["displayValue"].replace("\xa0", " "),
        audits["largest-contentful-paint"]["displayValue"].replace("\xa0", " "), f"{sent:.0f} kB",
        f"{', '.join(found) or 'nothing'} |"])


if __name__ == "__main__":
    sys.exit(main())
