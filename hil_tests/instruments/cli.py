"""The bench's instruments from a command line, e.g. python -m hil_tests.instruments exchange --line ... serve

The two roles of the demonstration are commands of their own: demo-telco --line ..., demo-pbx --line ...
"""

import functools
import logging
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click

from e1_driver import LineError
from hil_tests.instruments import audio, speech
from hil_tests.instruments.answering import Answering, busy, never
from hil_tests.instruments.call import Call, CallEvent, NotSeen
from hil_tests.instruments.demo import Agents, Callers, People
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.instruments.libpri import SWITCHES, LibpriError
from hil_tests.instruments.line import InstrumentError

EX_UNAVAILABLE = 69

log = logging.getLogger(__name__)

Between = tuple[float, float]
SECONDS = click.FloatRange(0)
SHARE = click.FloatRange(0, 1)
BETWEEN = click.Tuple([float, float])
SOUND = click.Path(exists=True, dir_okay=False, path_type=Path)      # any file that sox reads
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

option = functools.partial(click.option, show_default=True)


class Unavailable(click.ClickException):
    exit_code = EX_UNAVAILABLE


@click.group()
def main() -> None:
    """Instruments of the bench."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")


@main.group()
@option("--line", required=True, help="span URL, e.g. virtual:run/telco/a")
@option("--side", type=click.Choice(["network", "user"]), default="network")
@option("--switch", type=click.Choice(sorted(SWITCHES)), default="euroisdn")
@option("--overlap", is_flag=True, help="numbers may come digit by digit")
@option("--hunt", type=click.Choice(["up", "down"]), default="down",
              help="where the search for an idle timeslot begins")
@option("--name", default="exchange", help="in the log")
@option("--capture", type=NEW_FILE, help="D-channel frames, for tshark")
@option("--log", "log_file", type=NEW_FILE, help="libpri's own words")
@option("--debug", is_flag=True, help="libpri's own words in full")
@click.pass_context
def exchange(context: click.Context, /, **options: Any) -> None:
    """A telephone exchange in software, signalling by libpri."""
    context.obj = functools.partial(SoftwareExchange, **options)


Command = Callable[..., None]                     # its first argument is the exchange, the others click's


@contextmanager
def _running(make: Callable[[], SoftwareExchange]) -> Iterator[SoftwareExchange]:
    """A running exchange; errors become one line."""
    try:
        with make() as one:
            yield one
    except (LineError, LibpriError, OSError) as error:
        raise Unavailable(str(error)) from None
    except (InstrumentError, NotSeen, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _at_the_line(keep_s: float) -> Callable[[Command], Command]:
    """The command gets the exchange of the group's options, which keeps `keep_s` of audio per call."""
    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(**options: Any) -> None:
            with _running(functools.partial(click.get_current_context().obj, keep_s=keep_s)) as one:
                command(one, **options)
        return run
    return decorate


def _people(side: Literal["network", "user"], name: str,
            hunt: Literal["up", "down"]) -> Callable[[Command], Command]:
    """The command gets an exchange at --line in this role."""
    def decorate(command: Command) -> Command:
        @option("--line", required=True, help="span URL, e.g. virtual:run/telco/a")
        @functools.wraps(command)
        def run(line: str, **options: Any) -> None:
            with _running(lambda: SoftwareExchange(line, side, name, hunt=hunt, keep_s=0)) as one:
                command(one, **options)
        return run
    return decorate


@contextmanager
def _until_signalled(one: SoftwareExchange) -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; calls are cleared politely at the end."""
    stop = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        stop.set()
        threading.Thread(target=wake, daemon=True).start()       # what it interrupts may hold the condition

    def wake() -> None:
        with one.condition:
            one.condition.notify_all()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        try:
            one.hang_up_all(within_s=3.0)
        except (NotSeen, InstrumentError) as error:
            log.warning("%s", error)
        for signal_number, handler in before.items():
            signal.signal(signal_number, handler)


def _tell(call: Call, event: CallEvent) -> None:
    cause = f" cause {event.cause}" if event.cause else ""
    click.echo(f"{event.at - call.setup_at:8.3f} s  {event.name} timeslot {event.timeslot}{cause}")


# --- commands -------------------------------------------------------------------------------------------

@exchange.command()
@click.argument("number")
@option("--calling", default="", help="the caller's number")
@option("--timeslot", type=click.IntRange(1, 31), help="an idle one otherwise")
@option("--digits", default="", help="DTMF keys to press after the answer")
@option("--digits-after", default=2.0, type=SECONDS, help="seconds after the answer")
@option("--play", type=SOUND, help="sound to play")
@option("--record", type=NEW_FILE, help="A-law WAV of what is heard")
@option("--hold", default=10.0, type=SECONDS, help="seconds from answer to hanging up")
@option("--within", default=30.0, type=SECONDS, help="seconds to be answered in")
@_at_the_line(keep_s=3600)
def call(one: SoftwareExchange, number: str, calling: str, timeslot: int | None, digits: str,
         digits_after: float, play: Path | None, record: Path | None, hold: float, within: float) -> None:
    """Place one call, print what happens, hang up."""
    sound = audio.read_sound(play) if play else None
    audio.dtmf(digits)                            # a wrong key is told before the call
    one.wait_up()
    with _until_signalled(one) as stop:
        placed = one.place_call(number, calling, timeslot=timeslot)
        click.echo(f"{0:8.3f} s  SETUP {number} on timeslot {placed.timeslot}")
        placed.listen(_tell)
        if sound is not None:
            placed.play(sound)
        try:
            placed.wait_for("CONNECT", within)
            before_s = min(digits_after, hold)
            placed.wait_over(before_s, stop)
            if digits and placed.state == "connected":
                placed.dtmf(digits)
            placed.wait_over(hold - before_s, stop)
        finally:
            placed.hang_up()
            if record:
                audio.write_wav(record, placed.heard())


@exchange.command()
@option("--answer-after", default=2.0, type=SECONDS, help="seconds of ringing")
@option("--busy", "busy_numbers", multiple=True, metavar="NUMBER", help="this one is busy")
@option("--never", "never_numbers", multiple=True, metavar="NUMBER", help="this one never answers")
@option("--say", help="text to say, in the voice of --voice")
@option("--voice", default="en", help="espeak-ng's, e.g. cmn")
@option("--play", type=SOUND, help="sound to play")
@option("--record", type=FOLDER, help="folder for A-law WAV files of what is heard")
@option("--cache", type=FOLDER, default=speech.CACHE, help="folder that keeps the speech")
@_at_the_line(keep_s=3600)
def serve(one: SoftwareExchange, answer_after: float, busy_numbers: tuple[str, ...],
          never_numbers: tuple[str, ...], say: str | None, voice: str, play: Path | None,
          record: Path | None, cache: Path) -> None:
    """Answer calls until interrupted."""
    sound = audio.read_sound(play) if play else None
    if say:
        sound = speech.said(speech.Text(say, voice), cache)
    if record:
        record.mkdir(parents=True, exist_ok=True)
    over: queue.SimpleQueue[Call] = queue.SimpleQueue()

    def choose(call: Call) -> Answering:
        who = call.calling or "somebody"
        click.echo(f"call {call.number}: {who} calls {call.called} on timeslot {call.timeslot}")
        call.listen(lambda call, event: over.put(call) if event.name == "RELEASED" else None)
        if call.called in busy_numbers:
            return busy()
        return never() if call.called in never_numbers else Answering(answer_after, says=sound)

    one.answering(choose)
    with _until_signalled(one) as stop:
        while not stop.is_set():
            try:
                call = over.get(timeout=0.5)
            except queue.Empty:
                continue
            click.echo(f"call {call.number}: over, cause {call.cause}, cleared by {call.cleared_by}")
            if record:
                name = f"{call.number}-{call.calling or 'unknown'}-{call.called}.wav"
                audio.write_wav(record / name, call.heard())


@exchange.command()
@option("--calls", default=100, type=click.IntRange(1))
@option("--at-once", default=30, type=click.IntRange(1, 30))
@option("--per-second", default=20.0, type=click.FloatRange(0, min_open=True))
@option("--called", default="5001")
@option("--calling", default="")
@option("--hold", default=0.0, type=SECONDS, help="seconds from answer to hanging up")
@_at_the_line(keep_s=0)
def bulk(one: SoftwareExchange, calls: int, at_once: int, per_second: float, called: str, calling: str,
         hold: float) -> None:
    """Place many calls; a table of delays."""
    one.wait_up()

    def progress(over: int, answered: int) -> None:
        click.echo(f"\r{over} of {calls} over, {answered} answered ", nl=False, err=True)

    result = one.bulk(calls, at_once, per_second, called, calling, hold, progress=progress)
    click.echo(err=True)
    click.echo(result.table())


@main.command("demo-telco")
@option("--called", multiple=True, default=("5001",), help="numbers that are called")
@option("--per-minute", default=12.0, type=click.FloatRange(0, min_open=True))
@option("--at-most", default=8, type=click.IntRange(1, 30), help="calls at once")
@option("--keys", default="12", help="one of them is pressed after the answer")
@option("--key-after", type=BETWEEN, default=(3.0, 7.0), help="seconds after the answer")
@option("--talk", type=BETWEEN, default=(15.0, 40.0), help="seconds after the key")
@option("--give-up", default=0.12, type=SHARE, help="share who hang up early")
@option("--later", default="", help="a key that some press when they have waited for long")
@option("--rates", default="", help="keys; two of them are pressed before the end")
@option("--calls", default=0, type=click.IntRange(0), help="end after so many; 0: go on for ever")
@option("--seed", default=1)
@option("--cache", type=FOLDER, default=speech.CACHE, help="folder that keeps the speech")
@_people("network", "telco", hunt="down")
def demo_telco(one: SoftwareExchange, called: tuple[str, ...], per_minute: float, at_most: int, keys: str,
               key_after: Between, talk: Between, give_up: float, later: str, rates: str, calls: int,
               seed: int, cache: Path) -> None:
    """People outside: they call by themselves, and answer."""
    audio.dtmf(keys + later + rates)
    with _until_signalled(one) as stop:
        people = People(one, seed, stop, cache)
        people.prepare("caller", "answerer")
        people.answer_outside()
        people.call_in(Callers(
            called, per_minute, at_most, keys, key_after, talk, give_up, later, rates, calls))


@main.command("demo-pbx")
@option("--extension", "extensions", multiple=True, help="telephones that are there; all numbers otherwise")
@option("--ring", type=BETWEEN, default=(2.0, 4.0), help="seconds")
@option("--talk", type=BETWEEN, default=(12.0, 40.0), help="seconds, then it hangs up")
@option("--busy", "busy_share", default=0.06, type=SHARE, help="share of calls")
@option("--no-answer", default=0.06, type=SHARE, help="share of calls")
@option("--outbound-per-minute", default=0.0, type=SECONDS, help="calls out, from --extension")
@option("--prefix", default="9", help="of the numbers dialled out")
@option("--seed", default=2)
@option("--cache", type=FOLDER, default=speech.CACHE, help="folder that keeps the speech")
@_people("user", "pbx", hunt="up")
def demo_pbx(one: SoftwareExchange, extensions: tuple[str, ...], ring: Between, talk: Between,
             busy_share: float, no_answer: float, outbound_per_minute: float, prefix: str, seed: int,
             cache: Path) -> None:
    """Telephones of an office: they answer as agents, and dial out now and then."""
    agents = Agents(ring, talk, busy_share, no_answer, extensions, outbound_per_minute, prefix)
    with _until_signalled(one) as stop:
        people = People(one, seed, stop, cache)
        people.prepare("agent")
        people.answer_inside(agents)
        people.call_out(agents)
