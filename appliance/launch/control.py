"""branchline control: what an agent or a supervisor does with a call, from the command line."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from appliance.bus.messages import (
    CancelConsult,
    Confer,
    Consult,
    DisposeContact,
    DropParty,
    EndTalk,
    Fetch,
    HideTalk,
    Hold,
    Monitor,
    Park,
    ParkedAt,
    PickUp,
    PlaceCall,
    RecordTalk,
    Request,
    Retrieve,
    SendKeys,
    ShowTalk,
    StopMonitor,
    StopRecordingTalk,
    TagContact,
    TakeOver,
    Transfer,
)
from appliance.launch.asking import RUN_DIR, on_bus

RING = "an agent, a number as AGENT would dial it, or senior: who is ready and knows more of what is asked"
WHOSE = "SUPERVISOR: an agent's name or an extension"


@dataclass(frozen=True, slots=True)
class Verb:
    make: Callable[[str, Any], Request[Any]]      # of the agent, and of what it takes
    words: str
    takes: str = ""                               # after AGENT; in brackets: may be left out


VERBS = {
    "hold": Verb(lambda agent, _: Hold(agent=agent), "The customer of AGENT hears music."),
    "retrieve": Verb(lambda agent, _: Retrieve(agent=agent), "AGENT goes back to the customer."),
    "consult": Verb(lambda agent, to: Consult(agent=agent, to=to),
                    f"AGENT asks TO while the customer waits. TO: {RING}.", "TO"),
    "cancel-consult": Verb(lambda agent, _: CancelConsult(agent=agent),
                           "AGENT goes back to the customer, whoever is consulted goes."),
    "transfer": Verb(lambda agent, to: Transfer(agent=agent, to=to),
                     "The customer of AGENT goes to who is consulted, or at once to TO. TO: queue:NAME, "
                     f"survey:NAME, {RING}.", "[TO]"),
    "confer": Verb(lambda agent, to: Confer(agent=agent, to=to),
                   f"All talk: with who is consulted, or with TO, who is rung. TO: {RING}.", "[TO]"),
    "drop": Verb(lambda agent, to: DropParty(agent=agent, who=to),
                 "WHO leaves the conference of AGENT. WHO: an agent or a number.", "WHO"),
    "park": Verb(lambda agent, _: Park(agent=agent), "The customer of AGENT waits in a slot."),
    "fetch": Verb(lambda agent, to: Fetch(agent=agent, slot=to),
                  "AGENT is rung for the customer who is parked in SLOT.", "SLOT"),
    "pick-up": Verb(lambda agent, to: PickUp(agent=agent, of_agent=to),
                    "AGENT is rung for a customer who rings at OTHER, or at any agent of the same queues.",
                    "[OTHER]"),
    "call": Verb(lambda agent, to: PlaceCall(agent=agent, to=to),
                 "AGENT is rung, then TO. TO: an agent, or a number as AGENT would dial it.", "TO"),
    "keys": Verb(lambda agent, to: SendKeys(agent=agent, digits=to),
                 "Whom AGENT talks with hears DIGITS (DTMF).", "DIGITS"),
    "hide": Verb(lambda agent, _: HideTalk(agent=agent, by=getpass.getuser()),
                 "Record silence for at most two minutes: AGENT asks for card data."),
    "show": Verb(lambda agent, _: ShowTalk(agent=agent, by=getpass.getuser()),
                 "Record the talk of AGENT again."),
    "record": Verb(lambda agent, _: RecordTalk(agent=agent, by=getpass.getuser()),
                   "Record the talk of AGENT from now on, or keep what is recorded of it."),
    "stop-recording": Verb(lambda agent, _: StopRecordingTalk(agent=agent, by=getpass.getuser()),
                           "Record the talk of AGENT no more, where the policy leaves that to people."),
    "end": Verb(lambda agent, _: EndTalk(agent=agent),
                "AGENT hangs up; in a conference the others go on."),
    "listen": Verb(lambda agent, at: Monitor(agent=agent, at=at, mode="listen"),
                   f"SUPERVISOR is rung and hears the talk of AGENT. {WHOSE}.", "SUPERVISOR"),
    "whisper": Verb(lambda agent, at: Monitor(agent=agent, at=at, mode="whisper"),
                    "As listen; AGENT hears SUPERVISOR, the customer does not.", "SUPERVISOR"),
    "barge": Verb(lambda agent, at: Monitor(agent=agent, at=at, mode="barge"),
                  "As listen; all hear SUPERVISOR.", "SUPERVISOR"),
    "stop-listening": Verb(lambda agent, at: StopMonitor(agent=agent, at=at),
                           f"SUPERVISOR leaves the talk of AGENT. {WHOSE}.", "SUPERVISOR"),
    "take-over": Verb(lambda agent, at: TakeOver(agent=agent, at=at),
                      f"SUPERVISOR, who listens, goes on in place of AGENT. {WHOSE}.", "SUPERVISOR"),
}


@click.group()
@RUN_DIR
def control(run_dir: Path) -> None:
    """What an agent does with a call (hold, transfer, park ...), and what a supervisor does with it."""


@control.command()
@click.argument("contact")
@click.argument("tags", nargs=-1, metavar="[TAG]...")
@RUN_DIR
def tag(contact: str, tags: tuple[str, ...], run_dir: Path) -> None:
    """CONTACT has these TAGs from now on, and no others."""
    _ask(run_dir, TagContact(contact=contact, tags=list(tags)))


@control.command()
@click.argument("contact")
@click.argument("code")
@click.option("--note", default="", help="What else is to be known.")
@RUN_DIR
def dispose(contact: str, code: str, note: str, run_dir: Path) -> None:
    """CODE came of CONTACT."""
    _ask(run_dir, DisposeContact(contact=contact, code=code, note=note))


def _ask(run_dir: Path, request: Request[Any]) -> None:
    reply = on_bus(run_dir, lambda bus: bus.ask(request), name="boxd")
    slot = f": slot {reply.slot}" if isinstance(reply, ParkedAt) else ""
    click.echo(f"contact {reply.contact}{slot}")


def _command(name: str, verb: Verb) -> None:
    @control.command(name, help=verb.words)
    @click.argument("agent")
    @RUN_DIR
    def act(agent: str, run_dir: Path, to: Any = None) -> None:
        _ask(run_dir, verb.make(agent, to or ""))

    if verb.takes:
        act.params.append(click.Argument(
            ["to"], metavar=verb.takes, required=not verb.takes.startswith("["),
            type=click.IntRange(1) if verb.takes == "SLOT" else str))


for _name, _verb in VERBS.items():
    _command(_name, _verb)
