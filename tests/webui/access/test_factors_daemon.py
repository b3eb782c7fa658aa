"""Second factors in the real process: a box that requires them, killed between two sign-ins."""

import re
import time
from pathlib import Path

import pyotp
import pytest

from appliance.config.load import load
from appliance.errors import ConfigError
from tests.webui.conftest import NAME, PASSWORD
from tests.webui.running import PATIENCE_S, WebUi
from tests.webui.test_daemon import Browser

SPANS = "spans: [{name: telco, url: 'virtual:run/telco/a', side: user, trunk: telco}]\n"


def test_a_box_that_requires_them_and_is_killed(bus_server: Path) -> None:
    web = WebUi(bus_server, second_factor="required")
    try:
        browser = Browser(web.wait_until_serving())
        status, page = browser.send(
            "/setup", code=web.setup_code(), name=NAME, password=PASSWORD, again=PASSWORD)
        assert status == 200
        assert "Nothing else opens" in page
        assert "Nothing else opens" in browser.get("/contacts/")[1]
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert csrf
        _, page = browser.get("/me/app", {"csrf_token": csrf[1]})
        shown = re.search(r'key-groups"[^>]*>(.*?)</p>', page)
        assert shown
        app = pyotp.TOTP(re.sub(r"<[^>]*>|\s", "", shown[1]))
        used = app.now()
        assert len(re.findall(r"<li>[2-9A-Z]{5}-[2-9A-Z]{5}</li>", browser.get(
            "/me/app/confirm", {"csrf_token": csrf[1], "code": used})[1])) == 10
        assert browser.get("/contacts/")[0] == 200

        web.process.kill()
        web.process.wait(PATIENCE_S)
        (bus_server / "web.url").unlink()
        web = WebUi(bus_server, second_factor="required")
        url = web.wait_until_serving()
        assert Browser(url, browser.cookies).get("/contacts/")[0] == 200
        again = Browser(url)
        status, page = again.send("/login", name=NAME, password=PASSWORD)
        assert "Code of your app" in page
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert csrf
        form = {"csrf_token": csrf[1], "with": "app"}
        assert again.get("/login/second", form | {"code": used})[0] == 422        # used before the kill
        status, page = again.get("/login/second", form | {"code": app.at(int(time.time()) + 30)})
        assert status == 200
        assert "Sign out" in page
        assert app.secret not in web.log.read_text()
        assert web.end() == 0
    finally:
        if web.process.poll() is None:
            web.process.kill()
            web.process.wait(PATIENCE_S)


@pytest.mark.parametrize(("written", "read"), [
    ("", "offered"), ("web: {second_factor: off}", "off"), ("web: {second_factor: 'off'}", "off"),
    ("web: {second_factor: required}", "required")])
def test_the_configuration_says_who_needs_one(tmp_path: Path, written: str, read: str) -> None:
    (tmp_path / "box.yaml").write_text(SPANS + written)
    assert load(tmp_path / "box.yaml").web.second_factor == read


@pytest.mark.parametrize("wrong", ["on", "always", "1", "[]"])
def test_what_else_is_written_is_named(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "box.yaml").write_text(f"{SPANS}web:\n  second_factor: {wrong}")
    with pytest.raises(ConfigError, match=r"box.yaml:3: web.second_factor: "):
        load(tmp_path / "box.yaml")
