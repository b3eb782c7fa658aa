"""webui: the pages' process. The event loop has the bus, cheroot's threads have the browsers."""

import asyncio
import contextlib
import gc
import logging
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path

from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from webui import create_app
from webui.access.crew import Crew
from webui.alerts.pages import start_alerts
from webui.api.live.door import EXTENSION as LIVE
from webui.certificate import Certificates, names_of_box, wanted
from webui.exchange import BusExchange
from webui.notices.of_flows import OfFlows
from webui.parts import Settings
from webui.reports.saved_pages import start_sending
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
    certificates = Certificates(state / "tls", names_of_box(web.host)) if wanted(web.tls, web.host) else None
    settings = Settings(
        exports=state / "recordings" / "exports", state=state, session_key=session_key(state / "session-key"),
        setup_code=code, language=web.language, secure_cookies=web.secure_cookies or certificates is not None,
        certificates=certificates, mail=web.mail, webhooks=web.webhooks,
        second_factor=web.second_factor, audit_days=web.audit_days,
        crew=Crew(context.config.quality, context.config_path, context.read))
    exchange = BusExchange(context.bus)
    application = create_app(exchange, users, Seen(state / "seen.sqlite"), settings)
    server = Server(application, web.host, web.port, _tls(certificates))
    if certificates:
        certificates.serve = _served(server, certificates, context.run_dir)
    with contextlib.suppress(OSError):            # what boxd has not taken by now nobody waits for
        Uploads(state / "uploads").clear()
    server.start()
    reports, alerts = start_sending(application), start_alerts(application)
    of_flows = OfFlows(application.extensions["branchline"].notices, exchange.mirror)
    of_flows.start()
    keeping = asyncio.create_task(exchange.run())
    try:
        log.info("pages at %s", server.url)
        if not users.some():
            log.info("first run: make the administrator at %ssetup?code=%s", server.url, code.read())
        if certificates:                          # for the console of who stands before the box
            _announce(context.run_dir / "web.certificate", certificates.shown().sha256)
        _announce(context.run_dir / "web.url", server.url)           # who sees it finds the code there, too
        gc.collect()
        gc.freeze()                               # garbage is not looked for in all of the program
        await context.up()
        await _until_stopped(context, server, keeping)
    finally:
        for name in ("web.url", "web.certificate"):
            (context.run_dir / name).unlink(missing_ok=True)
        exchange.mirror.close()
        await asyncio.to_thread(application.extensions[LIVE].stop)
        await asyncio.to_thread(application.extensions["branchline"].onlookers.stop)
        await asyncio.to_thread(reports.stop)
        await asyncio.to_thread(alerts.stop)
        await asyncio.to_thread(of_flows.stop)
        await asyncio.to_thread(server.stop)
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


def _served(server: Server, certificates: Certificates, run_dir: Path) -> Callable[[ssl.SSLContext], None]:
    def serve(tls: ssl.SSLContext) -> None:
        server.secure(tls)
        _announce(run_dir / "web.certificate", certificates.shown().sha256)
    return serve


def _tls(certificates: Certificates | None) -> ssl.SSLContext | None:
    if certificates is None:
        return None
    shown = certificates.ready(time.time())
    log.info("certificate of %s, SHA-256 %s", shown.subject, shown.sha256)
    if shown.soon(time.time()):
        log.warning("the certificate ends on %s: put a new one in", time.strftime(
            "%Y-%m-%d", time.gmtime(shown.until)))
    return certificates.context()


async def _until_stopped(context: Context, server: Server, keeping: asyncio.Task[None]) -> None:
    while not context.stop.is_set():
        if keeping.done():
            await keeping                         # its error ends this process
        if not server.alive:
            raise RuntimeError("the web server's thread ended")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(context.stop.wait(), WATCH_S)


def _announce(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(text + "\n")
    new.rename(path)


def main(argv: list[str] | None = None) -> int:
    return run("webui", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
