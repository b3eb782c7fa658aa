"""branchline control: what an agent or a supervisor does with a call, from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from appliance.bus.messages import (
    CancelConsult,
    Confer,
    Consult,
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
    Request,
    Retrieve,
    SendKeys,
    ShowTalk,
    StopMonitor,
    TakeOver,
    Transfer,
)
from appliance.launch.asking import RUN_DIR, on_bus

Make = Callable[[str, str], Request[Any]]

ALONE: dict[str, tuple[Make, str]] = {
    "hold": (lambda agent, _: Hold(agent=agent), "the customer hears music"),
    "retrieve": (lambda agent, _: Retrieve(agent=agent), "back to the customer"),
    "cancel-consult": (lambda agent, _: CancelConsult(agent=agent), "without who is consulted"),
    "park": (lambda agent, _: Park(agent=agent), "into a slot"),
    "hide": (lambda agent, _: HideTalk(agent=agent), "record silence for two minutes"),
    "show": (lambda agent, _: ShowTalk(agent=agent), "record again"),
    "end": (lambda agent, _: EndTalk(agent=agent), "hang up"),
}
WITH: dict[str, tuple[Make, str]] = {
    "consult": (lambda agent, to: Consult(agent=agent, to=to), "an agent or a number"),
    "transfer": (lambda agent, to: Transfer(agent=agent, to=to),
                 "an agent, a number, queue:NAME; none: who is consulted"),
    "confer": (lambda agent, to: Confer(agent=agent, to=to), "an agent or a number; none: who is consulted"),
    "drop": (lambda agent, to: DropParty(agent=agent, who=to), "an agent or a number of the talk"),
    "fetch": (lambda agent, to: Fetch(agent=agent, slot=int(to)), "a parking slot"),
    "pick-up": (lambda agent, to: PickUp(agent=agent, of_agent=to), "another agent; none: of the own queues"),
    "call": (lambda agent, to: PlaceCall(agent=agent, to=to), "an agent or a number"),
    "keys": (lambda agent, to: SendKeys(agent=agent, digits=to), "digits, as DTMF"),
    "listen": (lambda agent, to: Monitor(agent=agent, at=to, mode="listen"), "the supervisor, an extension"),
    "whisper": (lambda agent, to: Monitor(agent=agent, at=to, mode="whisper"), "as listen, to the agent"),
    "barge": (lambda agent, to: Monitor(agent=agent, at=to, mode="barge"), "as listen; all hear it"),
    "stop-listening": (lambda agent, to: StopMonitor(agent=agent, at=to), "the supervisor, or the extension"),
    "take-over": (lambda agent, to: TakeOver(agent=agent, at=to), "the supervisor, or the extension"),
}


@click.group()
def control() -> None:
    """What AGENT does with a call: hold, transfer, confer, park ...; what a supervisor does with it."""


def _command(name: str, make: Make, words: str, takes: bool) -> None:
    @control.command(name, help=f"TO: {words}." if takes else f"AGENT: {words}.")
    @click.argument("agent")
    @click.argument("to", required=False, default="")
    @RUN_DIR
    def act(agent: str, to: str, run_dir: Path) -> None:
        try:
            request = make(agent, to)
        except ValueError:
            raise click.UsageError(f"{to}: is no number") from None
        reply = on_bus(run_dir, lambda bus: bus.ask(request), name="boxd")
        slot = f": slot {reply.slot}" if isinstance(reply, ParkedAt) else ""
        click.echo(f"contact {reply.contact}{slot}")


for _name, (_make, _words) in ALONE.items():
    _command(_name, _make, _words, takes=False)
for _name, (_make, _words) in WITH.items():
    _command(_name, _make, _words, takes=True)
