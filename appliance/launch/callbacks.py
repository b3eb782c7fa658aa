"""branchline callbacks, abandoned, voicemail, survey: customers who wait for us to see to it."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from appliance.bus.messages import (
    AbandonedInfo,
    BookCallback,
    CallBack,
    CallbackInfo,
    CallbackReply,
    CancelCallback,
    CloseAbandoned,
    Done,
    FinishMessage,
    GetAbandoned,
    GetCallbacks,
    GetMessages,
    GetSurvey,
    HearMessage,
    MessageInfo,
    MoveCallback,
    Request,
    SurveyResults,
)
from appliance.launch.asking import RUN_DIR, on_bus
from appliance.launch.moments import Moment, ahead

CONTACT = click.argument("contact")
AT = click.option("--at", type=Moment(), help='Agreed with the customer: 20:00 or "2026-10-01 20:00".')
NOTE = click.option("--note", default="", help="For whoever talks to the customer.")
AGENT = click.option("--agent", default="", help="Is rung now, then the customer. [whose turn it is]")


def _ask_callback(run_dir: Path, request: Callable[[], Request[CallbackReply]]) -> None:
    reply = on_bus(run_dir, lambda bus: bus.ask(request()), name="boxd")
    click.echo(_callback(reply.callback, time.time()))


def _ask_done(run_dir: Path, request: Callable[[], Request[Done]]) -> None:
    on_bus(run_dir, lambda bus: bus.ask(request()), name="boxd")


@click.group(invoke_without_command=True)
@RUN_DIR
@click.pass_context
def callbacks(context: click.Context, run_dir: Path) -> None:
    """Customers who are to be called back, in the order of their places."""
    if context.invoked_subcommand is None:
        found = on_bus(run_dir, lambda bus: bus.ask(GetCallbacks()), name="boxd").callbacks
        now = time.time()
        click.echo("\n".join(_callback(one, now) for one in found) or "nobody is to be called back")


@callbacks.command()
@click.argument("number")
@click.option("--queue", required=True, help="Whose agents call.")
@click.option("--trunk", default="", help="Where the number is dialled. [centre.callbacks.trunk]")
@AT
@AGENT
@NOTE
@RUN_DIR
def book(run_dir: Path, number: str, queue: str, trunk: str, at: datetime | None, agent: str,
         note: str) -> None:
    """Have NUMBER called back, as soon as its turn comes or at a time."""
    _ask_callback(run_dir, lambda: BookCallback(
        number=number, queue=queue, trunk=trunk, at=_at(at), agent=agent, note=note))


@callbacks.command()
@CONTACT
@RUN_DIR
def cancel(run_dir: Path, contact: str) -> None:
    """Nobody is called any more for CONTACT."""
    _ask_done(run_dir, lambda: CancelCallback(contact=contact))


@callbacks.command()
@CONTACT
@click.option("--at", type=Moment(), required=True, help='20:00 or "2026-10-01 20:00".')
@RUN_DIR
def move(run_dir: Path, contact: str, at: datetime) -> None:
    """CONTACT is called at another time."""
    _ask_callback(run_dir, lambda: MoveCallback(contact=contact, at=_at(at)))


@click.group(invoke_without_command=True)
@RUN_DIR
@click.option("--days", type=click.FloatRange(min=0, min_open=True), default=7.0, show_default=True,
              help="So far back.")
@click.option("--queue", default="", help="Who waited there. [all]")
@click.option("--all", "every", is_flag=True, help="Also who has been talked to since, or written off.")
@click.pass_context
def abandoned(context: click.Context, run_dir: Path, days: float, queue: str, every: bool) -> None:
    """Callers who went before anybody talked to them, newest first."""
    if context.invoked_subcommand is None:
        found = on_bus(run_dir, lambda bus: bus.ask(GetAbandoned(days=days, queue=queue, every=every)),
                       name="boxd").contacts
        click.echo("\n".join(map(_abandoned, found)) or "nobody")


@abandoned.command("call")
@CONTACT
@click.option("--queue", default="", help="Whose agents call. [where the customer waited]")
@AT
@AGENT
@NOTE
@RUN_DIR
def call_abandoned(run_dir: Path, contact: str, queue: str, at: datetime | None, agent: str,
                   note: str) -> None:
    """Call back who called in CONTACT: at the place that the customer had, or by an agent now."""
    _ask_callback(run_dir, lambda: CallBack(contact=contact, queue=queue, at=_at(at), agent=agent, note=note))


@abandoned.command("close")
@CONTACT
@click.option("--code", required=True, help="What came of it, in a word.")
@NOTE
@RUN_DIR
def close_abandoned(run_dir: Path, contact: str, code: str, note: str) -> None:
    """Nobody needs to call back for CONTACT."""
    _ask_done(run_dir, lambda: CloseAbandoned(contact=contact, code=code, note=note))


@click.group(invoke_without_command=True)
@RUN_DIR
@click.option("--box", default="", help="Of this one. [all]")
@click.pass_context
def voicemail(context: click.Context, run_dir: Path, box: str) -> None:
    """Voice messages that are not done with, oldest first; a message is named like its recording."""
    if context.invoked_subcommand is None:
        found = on_bus(run_dir, lambda bus: bus.ask(GetMessages(box=box)), name="boxd").messages
        click.echo("\n".join(map(_message, found)) or "no messages")


@voicemail.command()
@click.argument("message")
@click.option("--by", required=True, help="Who has heard it.")
@RUN_DIR
def heard(run_dir: Path, message: str, by: str) -> None:
    """Somebody has heard MESSAGE."""
    _ask_done(run_dir, lambda: HearMessage(message=message, by=by))


@voicemail.command()
@click.argument("message")
@RUN_DIR
def done(run_dir: Path, message: str) -> None:
    """MESSAGE needs nobody's attention any more."""
    _ask_done(run_dir, lambda: FinishMessage(message=message))


@click.command()
@click.argument("name")
@RUN_DIR
@click.option("--since", type=Moment(), help="Surveys that began then or later. [all]")
@click.option("--until", type=Moment(), help="And before then. [now]")
@click.option("--agent", default="", help="About this one's talks. [all]")
@click.option("--queue", default="", help="About talks of this one. [all]")
def survey(name: str, run_dir: Path, since: datetime | None, until: datetime | None, agent: str,
           queue: str) -> None:
    """What customers answered in the survey NAME."""
    asked = GetSurvey(survey=name, agent=agent, queue=queue, since=since.timestamp() if since else 0.0,
                      until=until.timestamp() if until else 0.0)
    click.echo("\n".join(_results(on_bus(run_dir, lambda bus: bus.ask(asked), name="boxd"))))


def _at(moment: datetime | None) -> float:
    return 0.0 if moment is None else ahead(moment, datetime.now(moment.tzinfo)).timestamp()


def _callback(one: CallbackInfo, now: float) -> str:
    place = f"{one.position}. in line" if one.position else ""
    notes = [f"at {_clock(one.due_at)}" if one.due_at > now else place,
             f"{one.tries} tries, {one.outcome}" if one.outcome else "", one.agent, one.note]
    return (f"{one.contact}  {one.number:<16}{one.queue:<16}{one.state:<10}"
            f"{', '.join(filter(None, notes))}").rstrip()


def _abandoned(one: AbandonedInfo) -> str:
    notes = [f"{one.times} times" if one.times > 1 else "",
             _by("called back", one.called_back_at, one.called_back_by),
             "is to be called back" if one.callback else "",
             _by("closed", one.closed_at, one.closed_by), one.disposition]
    return (f"{one.contact}  {_clock(one.at)}  {one.number or '-':<16}{one.queue or one.where:<16}"
            f"{one.wait_s:>6.0f} s  {', '.join(filter(None, notes))}").rstrip()


def _message(one: MessageInfo) -> str:
    length = f"{one.ended_at - one.began_at:>5.0f} s" if one.ended_at else "   now"
    heard_by = f"heard by {', '.join(one.heard_by)}" if one.heard_by else "new"
    return (f"{one.message}  {_clock(one.began_at)}  {one.box:<16}{one.number or '-':<16}{length}  {heard_by}"
            + (", is to be called back" if one.callback else ""))


def _results(found: SurveyResults) -> list[str]:
    share = f"{found.complete / found.begun:.0%}" if found.begun else "-"
    lines = [f"{found.survey}: {found.begun} begun, {found.complete} complete ({share}), "
             f"{found.declined} declined"]
    for one in found.questions:
        rate = f"{one.answered / one.asked:.0%}" if one.asked else "-"
        counts = "  ".join(f"{answer}: {count}" for answer, count in enumerate(one.counts, 1))
        average = f"{one.average:.2f}" if one.answered else "-"
        lines.append(f"{one.question:<20}{average:>5}   {one.answered} of {one.asked} ({rate})   "
                     f"{counts}")
    return lines


def _by(what: str, at: float, who: str) -> str:
    return f"{what} {_clock(at)} {who}".rstrip() if at else ""


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"
