"""What recordd is made of, for the rooms that answer requests and do things by time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from appliance.bus.messages import Reply, Request
from appliance.config.schema import Config
from appliance.recording.catalogue.tickets import Tickets
from appliance.recording.catalogue.waves import Waves
from appliance.recording.journal.taker import Taker
from appliance.recording.prompts.drafts import Drafts
from appliance.recording.store import Store
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import KeyStore
from appliance.store.sqlite import Database


class Ask(Protocol):
    """Another daemon's answer, from a worker thread. BusError: none; Refused: it said no."""

    def __call__(self, request: Request[Any], timeout_s: float = 2.0) -> Any: ...


@dataclass(slots=True)
class Parts:
    """One of each. All may be used from any thread."""

    folder: Path                                  # state/recordings
    run_dir: Path                                 # gone after a boot
    config: Config                                # replaced as a whole at a reload
    now: Callable[[], float]                      # the wall clock, seconds since 1970
    ask: Ask
    database: Database                            # recordings.sqlite: catalogue, chain, life, quality
    warn: Callable[[str, str], None]              # kind, text: one warning a kind; text "": it is over
    keys: KeyStore
    chain: Chain
    store: Store                                  # finished recordings
    taker: Taker                                  # the others
    stopping: Event = field(default_factory=Event)           # set: what takes long ends soon
    tickets: Tickets = field(default_factory=Tickets)                # of what was opened
    waves: Waves = field(default_factory=Waves)                      # of what is being made
    prompts: Drafts = field(default_factory=Drafts)                  # sounds that may become prompts


Answers = Mapping[type[Request[Any]], Callable[[Parts, Any], Reply]]
