"""Debian's Chromium plays every format, caller left and agent right, and seeks in large ones by parts."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from appliance.recording.audio import MEDIA_TYPES, Format, encode
from appliance.recording.wav import SILENCE, TICK_OCTETS
from hil_tests.instruments import audio
from tests.recording.audio.talk import talk
from tests.webui.browser import chromium_running

SECONDS = 600
TURNS = 5
AT_ONCE_OCTETS = 3 << 20                          # Chromium fetches 2 MiB and more before it is asked to

LOUDNESS = """async path => {
    const octets = await (await fetch(path)).arrayBuffer();
    const sound = await new OfflineAudioContext(2, 1, 8000).decodeAudioData(octets);
    const power = side => sound.getChannelData(side).reduce((sum, x) => sum + x * x, 0);
    const rms = side => Math.sqrt(power(side) / sound.length);
    return {seconds: sound.length / sound.sampleRate, caller: rms(0), agent: rms(1)};
}"""
SEEK = """async ([path, at]) => {
    const sound = new Audio();
    const event = name => new Promise((done, failed) => {
        sound.addEventListener(name, done, {once: true});
        sound.addEventListener("error", () => failed(new Error(sound.error.message)), {once: true});
    });
    sound.preload = "metadata";
    sound.src = path;
    await event("loadedmetadata");
    const seconds = sound.duration, ready = event("seeked");
    sound.currentTime = at;
    await ready;
    return {seconds, at: sound.currentTime};
}"""


@contextmanager
def serving(files: dict[str, tuple[str, bytes]]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """URL, and path and first octet of each request for a part."""
    asked: list[tuple[str, int]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            media_type, octets = files.get(self.path, ("text/html", b"<!doctype html><title>player</title>"))
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first, last = 0, len(octets) - 1
            if part:
                first, last = int(part[1]), min(last, int(part[2] or last))
                asked.append((self.path, first))
            self.send_response(206 if part else 200)
            self.send_header("Content-Type", media_type)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(last + 1 - first))
            if part:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(octets)}")
            self.end_headers()
            self.wfile.write(octets[first:last + 1])

        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:               # it has heard enough
                pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    yield page
    page.close()


def test_chromium_plays_and_seeks(page: Page) -> None:
    line = talk(TURNS)[0]
    line[:, 1] = SILENCE[0]
    takes = {"short": line.tobytes(), "long": np.resize(line, (SECONDS * audio.RATE_HZ, 2)).tobytes()}
    files = {
        f"/{name}.{format}":
            (MEDIA_TYPES[format], b"".join(encode(format, [octets], len(octets) // TICK_OCTETS)))
        for format in Format for name, octets in takes.items()}
    with serving(files) as (url, asked):
        page.goto(url)
        for format in Format:
            heard = page.evaluate(LOUDNESS, f"short.{format}")
            assert heard["seconds"] == pytest.approx(len(line) / audio.RATE_HZ, abs=0.01), format
            assert heard["caller"] > 0.01 and heard["agent"] < 0.0005, (format, heard)
            found = page.evaluate(SEEK, [f"long.{format}", SECONDS * 0.8])
            assert found["seconds"] == pytest.approx(SECONDS, abs=0.01), format
            assert found["at"] == pytest.approx(SECONDS * 0.8), format
            octets = len(files[f"/long.{format}"][1])
            if octets > AT_ONCE_OCTETS:
                assert max(first for path, first in asked if path == f"/long.{format}") > octets / 2
