"""webui: the pages' process. The event loop has the bus, cheroot's threads have the browsers."""

import asyncio
import contextlib
import logging
import sys
from pathlib import Path

from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from webui import create_app
from webui.exchange import BusExchange
from webui.parts import Settings
from webui.seen import Seen
from webui.server import Server
from webui.uploads import Uploads
from webui.users import SetupCode, Users, session_key

WATCH_S = 1.0

CHINESE = Path(__file__).parent / "translations" / "zh" / "LC_MESSAGES" / "messages.mo"

log = logging.getLogger(__name__)


async def serve(context: Context) -> None:
    """Serve pages until told to stop. Unavailable: the port or one of its files cannot be had."""
    web, state = context.config.web, context.state_dir
    if not CHINESE.exists():
        log.warning("%s is missing: pages are in English only until pybabel compile has made it", CHINESE)
    users, code = Users(state / "users.sqlite"), SetupCode(state / "setup-code")
    settings = Settings(
        exports=state / "recordings" / "exports", state=state, session_key=session_key(state / "session-key"),
        setup_code=code, language=web.language, secure_cookies=web.secure_cookies)
    exchange = BusExchange(context.bus)
    server = Server(create_app(exchange, users, Seen(state / "seen.sqlite"), settings), web.host, web.port)
    with contextlib.suppress(OSError):            # what boxd has not taken by now nobody waits for
        Uploads(state / "uploads").clear()
    server.start()
    keeping = asyncio.create_task(exchange.run())
    try:
        log.info("pages at %s", server.url)
        if not users.some():
            log.info("first run: make the administrator at %ssetup?code=%s", server.url, code.read())
        _announce(context.run_dir / "web.url", server.url)           # who sees it finds the code there, too
        await context.up()
        await _until_stopped(context, server, keeping)
    finally:
        (context.run_dir / "web.url").unlink(missing_ok=True)
        exchange.mirror.close()
        await asyncio.to_thread(server.stop)
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


async def _until_stopped(context: Context, server: Server, keeping: asyncio.Task[None]) -> None:
    while not context.stop.is_set():
        if keeping.done():
            await keeping                         # its error ends this process
        if not server.alive:
            raise RuntimeError("the web server's thread ended")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(context.stop.wait(), WATCH_S)


def _announce(path: Path, url: str) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(url + "\n")
    new.rename(path)


def main(argv: list[str] | None = None) -> int:
    return run("webui", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
