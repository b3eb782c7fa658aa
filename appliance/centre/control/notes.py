"""What agents write about a contact: tags, what came of it."""

from appliance.centre import events
from appliance.centre.turn import Turn
from appliance.errors import StateError

MOST_TAGS = 20
LONGEST_TAG = 32
LONGEST_CODE = 64
LONGEST_NOTE = 4000


def tag(turn: Turn, contact: str, tags: list[str], by: str) -> None:
    """All its tags from now on. StateError: the contact is over, or these are no tags."""
    _open(turn, contact)
    if len(tags) > MOST_TAGS or any(not 0 < len(one.strip()) <= LONGEST_TAG for one in tags):
        raise StateError(f"tags: at most {MOST_TAGS} of 1 to {LONGEST_TAG} characters")
    turn.log(events.Tagged(tags=sorted({one.strip() for one in tags}), by=by), contact)


def dispose(turn: Turn, contact: str, code: str, note: str, by: str) -> None:
    """StateError: the contact is over, or it is too long."""
    _open(turn, contact)
    if not 0 < len(code.strip()) <= LONGEST_CODE or len(note) > LONGEST_NOTE:
        raise StateError(f"what came of it: 1 to {LONGEST_CODE} characters, its note at most {LONGEST_NOTE}")
    turn.log(events.Disposed(code=code.strip(), note=note, by=by), contact)


def _open(turn: Turn, contact: str) -> None:
    """It goes on, or is the last one of an agent who has not taken another since."""
    last = any(agent.last_contact == contact for agent in turn.state.agents.values())
    if contact not in turn.state.contacts and not last:
        raise StateError(f"{contact}: goes on no more, and is no agent's last one")
