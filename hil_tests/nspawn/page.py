"""The box's pages as a browser has them, without a browser: a session's cookies, forms with their tokens."""

import http.client
import re
import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from hil_tests.nspawn.container import Container
from hil_tests.vm.debian import BenchError

PORT = 8080
_LOOK_S = 0.3


class Page:
    """Of one person. BenchError: a page is not there, or a form is refused."""

    def __init__(self, box: Container) -> None:
        self._box, self._cookies = box, {"language": "en"}

    def get(self, path: str) -> str:
        return self._ask("GET", path, "", 200)

    def post(self, path: str, form: str = "", /, **fields: str) -> None:
        """Send what a form of the page `form`, the same path unless said, would."""
        token = self.find(form or path, r'name="csrf_token" value="([^"]+)"')
        self._ask("POST", path, urlencode({"csrf_token": token, **fields}), 303)

    def find(self, path: str, pattern: str, within_s: float = 0.0) -> str:
        """What the first group is, on the page. BenchError: not within the time."""
        end = time.monotonic() + within_s
        while (found := re.search(pattern, text := self.get(path))) is None:
            if time.monotonic() > end:
                raise BenchError(f"{path}: nothing like {pattern}: {_words(text)}")
            time.sleep(_LOOK_S)
        return found[1]

    def _ask(self, method: str, path: str, body: str, expected: int) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        connection.sock = self._box.connect(PORT)
        try:
            connection.request(method, path, body, {
                "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
                "Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "en"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: one.value for name, one in SimpleCookie(line).items()}
        if answer.status != expected:
            raise BenchError(f"{method} {path}: {answer.status}: {_words(text)}")
        return text


def _words(text: str) -> str:
    """Of a page's main part, for who looks for what is wrong."""
    main = text[text.find("<main"):]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())[:1500]
