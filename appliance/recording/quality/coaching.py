"""Notes of supervisors to agents, at a place of a recording; the agent's reading is kept."""

from sqlalchemy import func, insert, select, update

from appliance.bus.messages import CoachingNote
from appliance.errors import StateError
from appliance.recording.catalogue.schema import recordings
from appliance.recording.parts import Parts
from appliance.recording.quality import evaluations
from appliance.recording.quality.tables import notes

MOST_TEXT = 4000
MOST_LISTED = 200


def write(parts: Parts, by: str, agent: str, text: str, recording: str, tick: int | None) -> None:
    """agent "": the recording's."""
    if not text.strip() or len(text) > MOST_TEXT:
        raise StateError(f"a note has 1 to {MOST_TEXT} characters, this has {len(text.strip())}")
    with parts.database.write() as connection:
        if recording:
            row = connection.execute(select(recordings.c.agent, recordings.c.duration_ticks).where(
                recordings.c.recording == recording)).one_or_none()
            if row is None or not row.agent or agent not in ("", row.agent):
                raise StateError(f"{recording}: is no recording of {agent or 'an agent'}")
            if tick is not None and not 0 <= tick <= row.duration_ticks:
                raise StateError(f"tick {tick}: the recording has 0 to {row.duration_ticks}")
            agent = row.agent
        elif tick is not None:
            raise StateError("a tick goes with a recording")
        who = evaluations.rights(parts)
        if agent not in who.agents:
            raise StateError(f"no agent is called {agent!r}")
        if not who.may(by, "coach", agent):
            raise StateError(f"{by} may not coach {agent}: see quality.people of the configuration")
        now = parts.now()
        number = connection.execute(insert(notes).values(
            agent=agent, by=by, at=now, recording=recording, tick=tick, text=text).returning(
            notes.c.note)).scalar_one()
        parts.chain.append(connection, now, "coached", recording, by, {"note": number, "agent": agent})


def read(parts: Parts, by: str, note: int) -> None:
    with parts.database.write() as connection:
        row = connection.execute(select(notes).where(notes.c.note == note)).one_or_none()
        if row is None or evaluations.rights(parts).agent(by) != row.agent:
            raise StateError(f"there is no note {note} to {by}")
        if row.read_at is None:
            now = parts.now()
            connection.execute(update(notes).where(notes.c.note == note).values(read_at=now))
            parts.chain.append(connection, now, "note-read", row.recording, by, {"note": note})


def listed(parts: Parts, by: str, agent: str, recording: str) -> list[CoachingNote]:
    """Newest first."""
    who = evaluations.rights(parts)
    wanted = agent or who.agent(by)
    if wanted != who.agent(by) and not who.may(by, "coach", wanted):
        raise StateError(f"{by} may not see notes to {wanted}: see quality.people of the configuration")
    chosen = select(notes).where(notes.c.agent == wanted)
    if recording:
        chosen = chosen.where(notes.c.recording == recording)
    with parts.database.read() as connection:
        return [CoachingNote(note=row.note, agent=row.agent, by=row.by, at=row.at, text=row.text,
                             recording=row.recording, tick=row.tick, read_at=row.read_at)
                for row in connection.execute(chosen.order_by(notes.c.note.desc()).limit(MOST_LISTED))]


def unread(parts: Parts, agent: str) -> int:
    with parts.database.read() as connection:
        return connection.execute(select(func.count()).where(
            notes.c.agent == agent, notes.c.read_at.is_(None))).scalar_one()
