"""A box whose pages others reach: from plain HTTP to the branch's own certificate, in Debian's Chromium."""

import contextlib
import ssl
import urllib.parse
from http.client import HTTPSConnection
from pathlib import Path
from typing import Literal

from playwright.sync_api import expect

from tests.webui.browser import SHOTS, chromium_running, clean_page, set_up
from tests.webui.facts import busy_branch
from tests.webui.running import PATIENCE_S, branch_on_bus, webui_at
from tests.webui.test_certificate import authority, signed

LOOKS: tuple[tuple[str, Literal["light", "dark"]], ...] = (("en", "light"), ("zh", "dark"))

__all__ = ["authority"]                           # a fixture


def test_the_branch_puts_its_own_certificate_in(bus_server: Path, tmp_path: Path, authority: Path) -> None:
    complaints: list[str] = []
    with contextlib.ExitStack() as running:
        running.enter_context(branch_on_bus(busy_branch(), bus_server))
        web, url = running.enter_context(webui_at(bus_server, tls="on"))
        browser = running.enter_context(chromium_running())
        assert url.startswith("https://")
        page = clean_page(
            browser, complaints, ignore_https_errors=True, viewport={"width": 1366, "height": 768})
        set_up(page, web.setup_code(), url.replace("https:", "http:"))
        assert page.url.startswith("https://")
        [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == "branchline"]
        assert cookie["secure"]

        SHOTS.mkdir(parents=True, exist_ok=True)
        for language, scheme in LOOKS:
            page.context.add_cookies([{"name": "language", "value": language, "url": url}])
            page.emulate_media(color_scheme=scheme)
            page.goto(url + "box/certificate/")
            page.screenshot(path=SHOTS / f"certificate-{language}-{scheme}.png", full_page=True)
        page.context.add_cookies([{"name": "language", "value": "en", "url": url}])
        page.reload()

        with page.expect_download() as download:
            page.get_by_role("link", name="Fetch the request").click()
        chain = signed(authority, Path(download.value.path()).read_bytes())
        page.get_by_label("or as text").fill("junk")
        page.get_by_role("button", name="Put in").click()
        expect(page.get_by_role("alert")).to_contain_text("There is no certificate in it")
        complaints.remove(next(told for told in complaints if "422" in told))
        page.get_by_label("Files").set_input_files(
            {"name": "box.pem", "mimeType": "application/x-pem-file", "buffer": chain})
        page.get_by_role("button", name="Put in").click()
        expect(page.get_by_text("CN=Branch CA")).to_be_visible()

        where = urllib.parse.urlsplit(url)
        trusts = ssl.create_default_context(cafile=str(authority / "ca.pem"))
        with contextlib.closing(HTTPSConnection(where.netloc, timeout=PATIENCE_S, context=trusts)) as trusted:
            trusted.request("GET", "/healthz")
            assert trusted.getresponse().status == 200
    assert not complaints
