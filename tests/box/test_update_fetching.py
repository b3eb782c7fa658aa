"""A bundle comes by https, whole, from where it broke off, or not at all."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.box.update import fetching
from appliance.box.update.driving import UpdateError
from appliance.box.update.fetching import download
from tests.box.test_update_rauc import make_pki

BUNDLE = bytes(range(256)) * 4000


@dataclass
class Web:
    port: int
    trusting: ssl.SSLContext
    folder: Path
    asked: list[str] = field(default_factory=list)               # ranges
    breaks_at: int = 0                            # octets, once
    told: list[tuple[float, str]] = field(default_factory=list)

    async def fetch(self, path: str, tls: ssl.SSLContext | None = None) -> Path:
        return await download(f"https://localhost:{self.port}/{path}", self.folder,
                              lambda share, text: self.told.append((share, text)), tls or self.trusting)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.headers.get("Range", ""))
            path = self.path.partition("?")[0]
            if path in ("/gone.raucb", "/away.raucb", "/round.raucb"):
                to = {"/gone.raucb": "", "/away.raucb": "http://localhost/v2.raucb"}.get(path, path)
                self.send_response(302 if to else 404)
                self.send_header("Location", to)
                self.end_headers()
                return
            begins = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
            if begins >= len(BUNDLE):
                self.send_error(416)
                return
            self.send_response(206 if begins else 200)
            self.send_header("Content-Length", str(len(BUNDLE) - begins))
            self.end_headers()
            until, served.breaks_at = served.breaks_at or len(BUNDLE), 0
            self.wfile.write(BUNDLE[begins:until])

        def log_message(self, format: str, *args: object) -> None:
            pass

    make_pki(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "localhost.pem", tmp_path / "localhost.key")
    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Who asks may go away: that is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "localhost.pem"))
    served = Web(server.server_address[1], trusting, tmp_path)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_it_comes_whole(web: Web) -> None:
    assert (await web.fetch("some/v%202.0/v2.raucb?token=1")).read_bytes() == BUNDLE
    assert web.told[-1] == (1.0, "fetches v2.raucb")


async def test_it_is_gone_on_with_where_it_broke_off(web: Web) -> None:
    web.breaks_at = 700_000
    with pytest.raises(UpdateError, match="it is gone on with"):
        await web.fetch("v2.raucb")
    assert (await web.fetch("v2.raucb")).read_bytes() == BUNDLE
    assert web.asked == ["", "bytes=700000-"]


async def test_a_longer_part_of_another_bundle_is_thrown_away(web: Web) -> None:
    (web.folder / "v2.raucb.part").write_bytes(BUNDLE + b"more")
    (web.folder / "v1.raucb.part").write_bytes(b"older")
    assert (await web.fetch("v2.raucb")).read_bytes() == BUNDLE
    assert not list(web.folder.glob("*.part"))


@pytest.mark.parametrize(("path", "why"), [
    ("gone.raucb", "404"), ("away.raucb", "which is not https"), ("round.raucb", "without an end"),
    ("v2.zip", "must be a bundle's name"), ("%2e%2e%2fv2.raucb", "must be a bundle's name")])
async def test_what_is_no_bundle_is_refused(web: Web, path: str, why: str) -> None:
    with pytest.raises(UpdateError, match=why):
        await web.fetch(path)
    assert not list(web.folder.glob("*.raucb*"))


async def test_a_token_is_not_told(web: Web) -> None:
    with pytest.raises(UpdateError) as error:
        await web.fetch("gone.raucb?token=secret")
    assert str(error.value) == f"https://localhost:{web.port}/gone.raucb: 404 Not Found"


async def test_nobody_but_the_named_server_is_believed(web: Web) -> None:
    with pytest.raises(UpdateError, match="certificate"):
        await web.fetch("v2.raucb", ssl.create_default_context())


async def test_it_is_bounded(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_OCTETS", len(BUNDLE) - 1)
    with pytest.raises(UpdateError, match="that is no bundle"):
        await web.fetch("v2.raucb")
