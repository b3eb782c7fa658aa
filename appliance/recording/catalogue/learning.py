"""What acdd's log says of recordings, asked for until it is final; a kill of either daemon loses nothing.

The catalogue keeps as far as which entry of the log it has looked for changes, and which rows are not final.
"""

from appliance.bus.client import BusError
from appliance.bus.messages import GetRecordingFacts, RecordedFacts
from appliance.bus.messages.catalogue import MOST_FACTS
from appliance.recording.catalogue import described, rows
from appliance.recording.catalogue.acts import chain_acts
from appliance.recording.parts import Parts

AGAIN_S = 60.0                                    # a contact that goes on
AWAY_S = 10.0                                     # no answer
UNNAMED_S = 240.0                                 # a recording that no contact names by then has none
ASK_S = 10.0
DESCRIBED_AT_ONCE = 200                           # of before, in one write
DESCRIBED_S = 1.0                                 # between two of them: others want to write, too

_SEQ = "facts_seq"


def learn(parts: Parts, now: float) -> float:
    """Ask for all that is due; when to come again."""
    left = _describe(parts, now)
    try:
        _changes(parts)
        while _some(parts, now):
            pass
    except BusError:
        return now + AWAY_S
    return now + (DESCRIBED_S if left else AGAIN_S)


def _changes(parts: Parts) -> None:
    """Which of ours have changed since we looked last."""
    with parts.database.read() as connection:
        known = rows.remembered(connection, _SEQ)
    seen, done = int(known or 0), False
    while not done:
        # A catalogue that has never looked asks for all it has by name.
        told: RecordedFacts = parts.ask(GetRecordingFacts(changed_after=seen if known else None), ASK_S)
        with parts.database.write() as connection:
            rows.changed(connection, told.changed)
            rows.remember(connection, _SEQ, str(told.changed_to))
        known, seen, done = "yes", told.changed_to, told.changed_to >= told.seq


def _some(parts: Parts, now: float) -> bool:
    """False: none is left that is due."""
    with parts.database.read() as connection:
        names = rows.to_ask(connection, now - AGAIN_S, MOST_FACTS)
    if not names:
        return False
    told: RecordedFacts = parts.ask(GetRecordingFacts(recordings=names), ASK_S)
    with parts.database.write() as connection:
        for facts in told.facts:
            row = rows.get(connection, facts.recording)
            final = facts.final or (not facts.contact and row is not None and row.ended_at < now - UNNAMED_S)
            if row is None:
                continue
            chain_acts(parts, connection, row, facts)
            described.tell_altered(connection, parts.chain, now, row.number)
            rows.update_facts(connection, facts, told.seq, now, final)
            described.describe(connection, parts.chain, now, row.number, first=final)
    return True


def _describe(parts: Parts, now: float) -> bool:
    """Some of those that are final since before the chain was told; True: there may be more."""
    with parts.database.read() as connection:
        if not described.not_described(connection, 1):
            return False
    with parts.database.write() as connection:
        numbers = described.not_described(connection, DESCRIBED_AT_ONCE)
        for number in numbers:
            described.describe(connection, parts.chain, now, number, first=True)
    return len(numbers) == DESCRIBED_AT_ONCE
