"""make bench: measure, show, keep."""

import argparse
import os
import sys
import time
import traceback
from pathlib import Path

from tests.bench.card import CARD
from tests.bench.centre import CENTRE
from tests.bench.console import CONSOLE
from tests.bench.dtmf import DTMF
from tests.bench.echo import ECHO
from tests.bench.emulation import EMULATION
from tests.bench.entry import ENTRY
from tests.bench.every_page import PAGES
from tests.bench.figures import Figure, keep_json, keep_page, keep_sections, measure, row
from tests.bench.fleet import FLEET
from tests.bench.latency import LATENCY
from tests.bench.line import LINE
from tests.bench.line480 import LINE480
from tests.bench.log import LOG
from tests.bench.media import ENGINE
from tests.bench.pages import PAGES_LIVE
from tests.bench.pure import CODEC, HDLC
from tests.bench.quality import QUALITY
from tests.bench.recorder import RECORDER
from tests.bench.recording_formats import RECORDING_FORMATS
from tests.bench.recording_search import RECORDING_SEARCH
from tests.bench.routing import ROUTING
from tests.bench.rtp import RTP
from tests.bench.rtp_quality import RTP_QUALITY
from tests.bench.signalling import SIGNALLING
from tests.bench.sim import SIM
from tests.bench.stack import STACK
from tests.bench.start import START
from tests.bench.talk import TALK
from tests.bench.telemetry import TELEMETRY
from tests.bench.trunks import DELAY, FULL, SIXTEEN
from tests.bench.year import YEAR

ROOT = Path(__file__).resolve().parents[2]
THEMES = (TALK, SIGNALLING, FULL, DELAY, SIXTEEN, LATENCY, START, STACK, HDLC, CODEC, LINE, LINE480,
          EMULATION, CARD, ENGINE, DTMF, ECHO, RTP, RTP_QUALITY, QUALITY, ROUTING, CENTRE, ENTRY, SIM, LOG,
          RECORDER, FLEET, RECORDING_SEARCH, RECORDING_FORMATS, PAGES_LIVE, PAGES, CONSOLE, TELEMETRY, YEAR)
BUSY_LOAD = 0.5                                   # a core
SWITCH_INTERVAL_S = 0.001                         # the far ends share this interpreter


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """0; 1 when a theme failed, which then has no figures."""
    names = [theme.name for theme in THEMES]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(
        "Measure the box; figures go to build/bench.json. docs/benchmarks.md is written when everything was "
        "measured with as many runs as usual."))
    parser.add_argument("--only", action="append", choices=names, metavar="NAME",
                        help=f"of {', '.join(names)}; may be given several times")
    parser.add_argument("--runs", type=int, metavar="N", help="instead of each theme's own number")
    parser.add_argument("--page", action="store_true",
                        help="with --only: put their tables into docs/benchmarks.md, leave the others")
    args = parser.parse_args(argv)
    if args.page and (args.runs or not args.only):
        parser.error("--page: with --only, and with as many runs as usual")
    if args.runs is not None and args.runs < 1:
        parser.error("--runs: at least 1")
    _say_how_busy()
    began = time.monotonic()
    figures: list[Figure] = []
    failed: list[str] = []
    for theme in [theme for theme in THEMES if not args.only or theme.name in args.only]:
        try:
            measured = measure(theme, args.runs or theme.runs, _say)
        except Exception:
            traceback.print_exc()
            failed.append(theme.name)
            continue
        print(f"\n{theme.name}", *map(row, measured), sep="\n", flush=True)
        figures += measured
    keep_json(figures, root / "build" / "bench.json")
    kept, page = "build/bench.json", root / "docs" / "benchmarks.md"
    if not failed and (args.page or not (args.only or args.runs)):
        (keep_sections if args.page else keep_page)(THEMES, figures, page)
        kept += " and docs/benchmarks.md"
    _say(f"\n{len(figures)} figures in {time.monotonic() - began:.0f} s, kept in {kept}")
    if failed:
        _say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _say_how_busy() -> None:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > BUSY_LOAD * cores:
        _say(f"this machine is busy (load {load:.1f} on {cores} cores): times will be longer than they are")


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    sys.exit(main())
