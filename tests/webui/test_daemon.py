"""The process: on a real bus, against rude clients, killed and started again."""

import contextlib
import json
import random
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import bus_server_at
from tests.webui.conftest import NAME, PASSWORD, QUICK
from tests.webui.facts import Branch, live
from tests.webui.running import PATIENCE_S, WebUi, branch_on_bus, webui_at
from webui.users import Users


class Browser:
    """Enough of one: cookies, forms, redirects."""

    def __init__(self, url: str, cookies: dict[str, str] | None = None) -> None:
        self.cookies = cookies or {}
        self._host = urllib.parse.urlsplit(url).netloc

    def get(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text of the page that `path` leads to."""
        with contextlib.closing(self.ask(path, "text/html", form)) as connection:
            answer = connection.getresponse()
            for header in answer.headers.get_all("Set-Cookie", []):
                self.cookies |= {name: kept.value for name, kept in SimpleCookie(header).items()}
            text = answer.read().decode()
            return self.get(answer.headers["Location"]) if answer.status == 303 else (answer.status, text)

    def send(self, path: str, **form: str) -> tuple[int, str]:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path)[1])
        assert token
        return self.get(path, form | {"csrf_token": token[1]})

    def ask(self, path: str, accept: str, form: dict[str, str] | None = None) -> HTTPConnection:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Accept": accept, "Cookie": cookies}
        connection = HTTPConnection(self._host, timeout=PATIENCE_S)
        if form is None:
            connection.request("GET", path, headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", path, urllib.parse.urlencode(form), headers)
        return connection


def until(true: Callable[[], Any]) -> Any:
    """What `true` gives as soon as it is something."""
    ends_at = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < ends_at
        time.sleep(0.02)                          # lets the other process have the processor
    return found


def set_up(web: WebUi, url: str) -> Browser:
    browser = Browser(url)
    status, page = browser.send("/setup", code=web.setup_code(), name=NAME, password=PASSWORD, again=PASSWORD)
    assert (status, "Live board" in page) == (200, True)
    return browser


def test_what_daemons_say_is_on_the_page_and_in_the_stream(bus_server: Path, branch: Branch) -> None:
    with branch_on_bus(branch, bus_server) as box, webui_at(bus_server) as (web, url):
        assert web.setup_code() in web.log.read_text()
        browser = set_up(web, url)
        page = until(lambda: (found := browser.get("/")[1]).count('data-state="busy"') == 9 and found)
        assert "13911112222" in page
        assert "13800138000 → 5001" in page                              # asked for: no event told it
        assert browser.get("/healthz") == (200, "ok\n")
        connection = browser.ask("/events", "text/event-stream")
        with contextlib.closing(connection), connection.getresponse() as events:
            assert events.headers["Content-Type"].startswith("text/event-stream")
            branch.contacts["new"] = live("new", "flow", 1.0, calling="17700001111")
            box.say("acdd", branch.board())
            while "17700001111" not in (line := events.readline().decode()):
                assert line
            now = json.loads(line.removeprefix("data: "))["now"]
            assert now == pytest.approx(time.time(), abs=PATIENCE_S)
            assert web.end() == 0                                        # though a page is live
        assert not (bus_server / "web.url").exists()


def test_a_killed_webui_comes_back_with_its_sessions(bus_server: Path, branch: Branch) -> None:
    with branch_on_bus(branch, bus_server):
        with webui_at(bus_server) as (web, url):
            cookies = set_up(web, url).cookies
            web.process.kill()
            web.process.wait(PATIENCE_S)
        (bus_server / "web.url").unlink()
        with webui_at(bus_server) as (_, url):
            browser = Browser(url, cookies)
            assert until(lambda: "13911112222" in browser.get("/")[1])
            assert "Sign in" not in browser.get("/contacts/")[1]


def test_without_the_bus_pages_stay_and_say_so(tmp_path: Path, branch: Branch) -> None:
    with contextlib.ExitStack() as bus, contextlib.ExitStack() as web_stack:
        run_dir = bus.enter_context(bus_server_at(tmp_path / "run"))
        with branch_on_bus(branch, run_dir):
            web, url = web_stack.enter_context(webui_at(run_dir))
            browser = set_up(web, url)
            until(lambda: "13911112222" in browser.get("/")[1])
        bus.close()
        page = until(lambda: "cannot be reached" in (found := browser.get("/")[1]) and found)
        assert "13911112222" in page
        assert browser.get("/healthz") == (503, "no bus\n")
        assert browser.get("/contacts/c1")[0] == 200
        assert browser.get("/contacts/e1")[0] == 503


def talk(url: str, octets: bytes) -> bytes:
    """Send octets, say no more, take what comes."""
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), PATIENCE_S) as line:
        with contextlib.suppress(OSError):
            line.sendall(octets)
            line.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while more := line.recv(65536):
                answer += more
        return answer


def test_broken_http_is_refused_and_kills_nothing(bus_server: Path) -> None:
    noise = random.Random(20)
    rude = [
        *(noise.randbytes(noise.choice((1, 30, 3000))) for _ in range(20)),
        b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n" * 50,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /%ff%fe?%00=%zz HTTP/1.1\r\nHost: \xff\r\nCookie: branchline=\xff\xfe; language=\x00\r\n\r\n",
        b"GET //evil.example/..//../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /static/../../users.sqlite HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),     # TLS at a plain port
    ]
    state = bus_server.parent / "state"
    state.mkdir()
    Users(state / "users.sqlite", QUICK).create_first(NAME, PASSWORD)
    with webui_at(bus_server) as (web, url), contextlib.ExitStack() as silent:
        address = (urllib.parse.urlsplit(url).hostname, urllib.parse.urlsplit(url).port)
        for _ in range(200):                      # more than there are threads
            silent.enter_context(socket.create_connection(address, PATIENCE_S))
        for octets in rude:
            answer = talk(url, octets)
            status = re.match(rb"HTTP/1\.[01] (4\d\d|505)", answer)
            assert status, (octets[:60], answer[:60])
        assert Browser(url).get("/healthz") == (200, "ok\n")
        assert web.process.poll() is None
        assert "Traceback" not in web.log.read_text()
        assert web.end() == 0


def test_a_port_in_use_is_one_line_and_69(bus_server: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        web = WebUi(bus_server, port)
        assert web.process.wait(PATIENCE_S) == 69
    assert f"web: 127.0.0.1:{port} is in use" in web.log.read_text()
    assert "Traceback" not in web.log.read_text()


def test_a_damaged_file_of_users_is_one_line_and_69(bus_server: Path) -> None:
    state = bus_server.parent / "state"
    state.mkdir()
    (state / "users.sqlite").write_bytes(b"SQLite format 3\x00" + bytes(4096))
    web = WebUi(bus_server)
    assert web.process.wait(PATIENCE_S) == 69
    assert "users.sqlite: cannot be used as the file of users" in web.log.read_text()
    assert "Traceback" not in web.log.read_text()


def test_what_few_pages_need_is_not_in_memory_from_the_start() -> None:
    """numpy and what draws on paper: together a fifth of webui's memory."""
    look = ("import sys, webui.daemon\n"
            "print(*sorted({'numpy', 'reportlab', 'PIL', 'xlsxwriter', 'webauthn'} & set(sys.modules)))\n")
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
