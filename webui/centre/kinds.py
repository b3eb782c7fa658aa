"""What there is to see and change: a row for each kind of part, where it is and how its form is laid out."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.config.agents import ReasonConfig
from appliance.config.callbacks import BoxConfig, SurveyConfig
from appliance.config.entry import CalendarConfig
from appliance.config.part import Part
from appliance.config.quality import GroupConfig, PersonConfig
from appliance.config.queues import AgentConfig, QueueConfig
from appliance.config.recording import RecordingRule
from webui.centre.forms import Field, fields_of
from webui.centre.targets import OF_QUEUE


@dataclass(frozen=True, slots=True)
class Kind:
    """`path`: of the list in the document. `parts`: headings of the form and the keys below; what is in none
    comes last. `columns`: of the list. `ordered`: the first that fits counts. `beside`: fields of the form
    that stand elsewhere in the document."""

    name: str
    path: tuple[str, ...]
    model: type[Part]
    title: LazyString
    one: LazyString
    columns: tuple[str, ...]
    parts: tuple[tuple[LazyString, tuple[str, ...]], ...] = ()
    ordered: bool = False
    beside: tuple[Field, ...] = ()

    @property
    def fields(self) -> list[Field]:
        return list(fields_of(self.model).values())

    @property
    def laid_out(self) -> list[tuple[LazyString | str, list[Field]]]:
        fields = fields_of(self.model) | {field.key: field for field in self.beside}
        found: list[tuple[LazyString | str, list[Field]]] = [
            (title, [fields[key] for key in keys if key in fields]) for title, keys in self.parts]
        placed = {key for _, keys in self.parts for key in keys}
        if rest := [field for key, field in fields.items() if key not in placed]:
            found.append((_l("More") if self.parts else "", rest))
        return found


_KINDS: Sequence[Kind] = (
    Kind("agents", ("centre", "agents"), AgentConfig, _l("Agents"), _l("Agent"),
         ("extension", "trunk", "starts", "skills")),
    Kind("groups", ("quality", "groups"), GroupConfig, _l("Groups"), _l("Group"), ("agents",)),
    Kind("people", ("quality", "people"), PersonConfig, _l("Who is which agent"), _l("Person"),
         ("agent", "groups", "may")),
    Kind("queues", ("centre", "queues"), QueueConfig, _l("Queues"), _l("Queue"),
         ("agents", "skills", "strategy", "priority", "ring_s", "wrap_up_s", "record"),
         ((_l("Who serves"), ("name", "agents", "skills", "preferred", "reserve.agents", "reserve.waiting",
                              "reserve.wait_s", "rings")),
          (_l("Order and wait"), ("strategy", "shares", "most_rung", "priority", "ageing_s", "max_wait_s",
                                  "handling_s")),
          (_l("What callers hear"), ("music", "position_every_s", "say_wait", "comfort")),
          (_l("At the agent"), ("ring_s", "no_answer", "unavailable_s", "wrap_up_s")),
          (_l("Overflow"), ("overflow",)),
          (_l("Recording"), ("record",)),
          (_l("Targets"), ("service_level.within_s", "service_level.percent",
                             *(field.key for field in OF_QUEUE)))), beside=OF_QUEUE),
    Kind("calendars", ("centre", "calendars"), CalendarConfig, _l("Calendars"), _l("Calendar"), ("timezone",),
         ((_l("Calendar"), ("name", "timezone")),
          (_l("Public holidays"), ("holidays", "region", "on_holidays", "working_day")),
          (_l("Exceptions"), ("days",)))),
    Kind("recording", ("recording", "rules"), RecordingRule, _l("Recording rules"), _l("Rule"),
         ("direction", "queue", "trunk", "agent", "record", "percent"),
         ((_l("Which talks"), ("name", "direction", "trunk", "called", "queue", "agent", "flow", "node")),
          (_l("What is done"), ("record", "percent", "keep", "format", "announce", "pause"))), ordered=True),
    Kind("surveys", ("centre", "surveys"), SurveyConfig, _l("Surveys"), _l("Survey"),
         ("queues", "percent", "questions")),
    Kind("voicemail", ("centre", "voicemail"), BoxConfig, _l("Voicemail boxes"), _l("Voicemail box"),
         ("tell", "queue", "most_s", "most")),
    Kind("reasons", ("centre", "not_ready"), ReasonConfig, _l("Not-ready reasons"), _l("Reason"),
         ("limit_s", "then")),
)
KINDS = {kind.name: kind for kind in _KINDS}

# What a field's value may be, from elsewhere in the document; key, or kind.key -> where.
OFFERED: dict[str, str] = {
    "agents": "agents", "queues": "queues", "queue": "queues", "trunk": "trunks", "groups": "groups",
    "agent": "agents", "tell": "agents", "reserve.agents": "agents", "rings.agents": "agents",
    "rings.queues": "queues", "rings.drop": "skills", "overflow.to": "queues", "comfort": "prompts",
    "music": "prompts", "announce": "prompts", "greeting": "prompts", "full": "prompts", "intro": "prompts",
    "invalid": "prompts", "thanks": "prompts", "questions.prompt": "prompts",
}
