"""The tables of quality, beside the catalogue's. What was submitted is never updated: revisions are added."""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from appliance.recording.catalogue.schema import metadata

forms = Table(
    "quality_forms", metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", String(64), nullable=False),
    Column("data", Text, nullable=False),         # JSON of forms.Form
    UniqueConstraint("name", "version"),
)

calibrations = Table(
    "quality_calibrations", metadata,
    Column("calibration", Integer, primary_key=True, autoincrement=True),
    Column("recording", String(32), nullable=False),
    Column("agent", String(32), nullable=False),
    Column("form", ForeignKey("quality_forms.digest"), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Double, nullable=False),
    sqlite_autoincrement=True,
)

evaluations = Table(
    "quality_evaluations", metadata,
    Column("evaluation", Integer, primary_key=True, autoincrement=True),
    Column("recording", String(32), nullable=False),
    # As they were when it was begun: the result stays when the recording is deleted.
    Column("contact", String(64), nullable=False),
    Column("agent", String(32), nullable=False),
    Column("queue", String(32), nullable=False),
    Column("began_at", Double, nullable=False),   # of the call
    Column("duration_s", Double, nullable=False),
    Column("form", ForeignKey("quality_forms.digest"), nullable=False),
    Column("scorer", String(64), nullable=False),
    Column("calibration", ForeignKey("quality_calibrations.calibration")),
    Column("state", String(16), nullable=False),
    Column("decided", Boolean, nullable=False),   # an appeal against it was
    Column("revision", Integer, nullable=False),  # the newest that was submitted; 0: none
    Column("at", Double, nullable=False),         # of the last step
    Column("submitted_at", Double),               # of the newest revision
    Column("score", Double),                      # of the newest revision
    Column("passed", Boolean, nullable=False),
    Column("fatal", Boolean, nullable=False),
    Index("quality_evaluations_recording", "recording"),
    Index("quality_evaluations_agent", "agent", "began_at"),
    Index("quality_evaluations_time", "began_at"),
    Index("quality_evaluations_drafts", "scorer", "recording", "form", unique=True,
          sqlite_where=text("state = 'draft' AND calibration IS NULL")),
    sqlite_autoincrement=True,
)

# One above evaluations.revision is a draft: it is replaced as a whole until it is submitted.
revisions = Table(
    "quality_revisions", metadata,
    Column("evaluation", ForeignKey("quality_evaluations.evaluation"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("by", String(64), nullable=False),
    Column("score", Double),
)

answers = Table(
    "quality_answers", metadata,
    Column("evaluation", ForeignKey("quality_evaluations.evaluation"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("item", String(32), primary_key=True),
    Column("value", Double),                      # None: not applicable
    Column("share", Double),                      # of the best answer, 0 to 1
)

remarks = Table(
    "quality_remarks", metadata,
    Column("evaluation", ForeignKey("quality_evaluations.evaluation"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("item", String(32), nullable=False),   # "": of the whole
    Column("tick", Integer),                      # of the recording; None: of no place
    Column("text", Text, nullable=False),
)

steps = Table(
    "quality_steps", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("evaluation", ForeignKey("quality_evaluations.evaluation"), nullable=False, index=True),
    Column("at", Double, nullable=False),
    Column("by", String(64), nullable=False),
    Column("step", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("score", Double),
)

tasks = Table(
    "quality_tasks", metadata,
    Column("task", Integer, primary_key=True, autoincrement=True),
    Column("rule", String(32), nullable=False),
    Column("period", String(16), nullable=False),
    Column("since", Double, nullable=False),      # of the period
    Column("until", Double, nullable=False),
    Column("recording", String(32), nullable=False),
    Column("agent", String(32), nullable=False),
    Column("queue", String(32), nullable=False),
    Column("form", String(32), nullable=False),   # its name
    Column("scorer", String(64), nullable=False),
    Column("at", Double, nullable=False),
    Column("state", String(8), nullable=False),   # open, done, gone: its recording or scorer is no more
    Column("evaluation", ForeignKey("quality_evaluations.evaluation")),
    UniqueConstraint("rule", "recording"),
    Index("quality_tasks_open", "scorer", sqlite_where=text("state = 'open'")),
    sqlite_autoincrement=True,
)

shortfalls = Table(
    "quality_shortfalls", metadata,
    Column("rule", String(32), primary_key=True),
    Column("period", String(16), primary_key=True),
    Column("agent", String(32), primary_key=True),
    Column("wanted", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("why", Text, nullable=False),          # JSON: what -> how many calls
    Column("at", Double, nullable=False),
)

# When each agent was first recorded: recordings go, and with them how new somebody is.
agents = Table(
    "quality_agents", metadata,
    Column("agent", String(32), primary_key=True),
    Column("first_at", Double, nullable=False),
)

notes = Table(
    "quality_notes", metadata,
    Column("note", Integer, primary_key=True, autoincrement=True),
    Column("agent", String(32), nullable=False, index=True),
    Column("by", String(64), nullable=False),
    Column("at", Double, nullable=False),
    Column("recording", String(32), nullable=False),                 # "": of none
    Column("tick", Integer),
    Column("text", Text, nullable=False),
    Column("read_at", Double),
    sqlite_autoincrement=True,
)
