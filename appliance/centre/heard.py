"""What callers may hear: every prompt that flows and their queues ask for, and who asks for which."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from appliance.bus.messages import PromptUse
from appliance.centre.announce import MINUTE_S, MOST, MOST_WAIT_S, position, prompt, wait
from appliance.centre.flow import Flow, Language, QueueNode, fragment
from appliance.centre.flow.expressions import placeholders
from appliance.config.schema import CentreConfig, Config, MediaConfig, QueueConfig, RecordingConfig
from appliance.media import speech

_PROMPT = "prompt:"
_WORDS = {"number": ("number/",), "digits": ("number/", "digit/")}   # of a kind with any value; else all
_OLDER = "-"                                      # in place of the file: a version that callers are still in

_Used = Iterator[tuple[str, PromptUse]]


def prompts(flows: Iterable[Flow], queues: Iterable[QueueConfig], media: MediaConfig,
            begun_in: Iterable[Language] = ()) -> set[str]:
    """Names as media.prompts.Library takes them, in every language that the flow can come to speak.

    `begun_in`: languages that entry rules let calls begin in.
    """
    of_queue, begun = {queue.name: queue for queue in queues}, set(begun_in)
    return {name for flow in flows for name, _ in _of("", flow, flow.languages | begun, of_queue, media)}


def promised(centre: CentreConfig, languages: Iterable[Language],
             recording: RecordingConfig | None = None) -> set[str]:
    """Likewise of callbacks, voicemail and surveys, whoever comes there, and that a talk is recorded."""
    return {f"{language}/{name}" for language in languages for name, _ in _promised(centre, recording)}


def uses(flows: Mapping[str, Flow], older: Iterable[Flow], config: Config) -> dict[str, list[PromptUse]]:
    """Who asks for each prompt: `flows` by the names of the configuration, `older` that callers are still in.

    Of queues that no flow leads to now, too: somebody may move a caller there.
    """
    begun: set[Language] = {rule.language for rule in config.centre.entry if rule.language}
    queues = {queue.name: queue for queue in config.centre.queues}
    spoken = begun.union(*(flow.languages for flow in flows.values()))
    found: dict[str, dict[PromptUse, None]] = {}

    def take(used: _Used) -> None:
        for name, use in used:
            found.setdefault(name, {})[use] = None

    for path, flow in (*flows.items(), *((_OLDER, one) for one in older)):
        take(_of(path, flow, flow.languages | begun, queues, config.media))
    for queue in queues.values():
        take(iter([(queue.music, PromptUse(kind="queue", where=queue.name, what="music"))]))
        for language in spoken:
            take(_in_line(queue, language))
    for language in spoken:
        take((f"{language}/{name}", use) for name, use in _promised(config.centre, config.recording))
    return {name: list(by) for name, by in found.items()}


def _promised(centre: CentreConfig, recording: RecordingConfig | None) -> _Used:
    callbacks = centre.callbacks
    for key, names in (("greeting", callbacks.greeting), ("welcome", callbacks.welcome)):
        yield from ((name, PromptUse(kind="callbacks", where="", what=key)) for name in names)
    if recording is not None:
        for place, announced in (("", recording.announce),
                                 *((rule.name, rule.announce) for rule in recording.rules)):
            if announced:
                yield announced, PromptUse(kind="recording", where=place, what="announce")
    for box in centre.voicemail:
        for key, names in (("greeting", box.greeting), ("full", box.full)):
            yield from ((name, PromptUse(kind="voicemail", where=box.name, what=key)) for name in names)
    for survey in centre.surveys:
        for key, names in (("intro", survey.intro), ("invalid", survey.invalid), ("thanks", survey.thanks),
                           *((question.name, question.prompt) for question in survey.questions)):
            yield from ((name, PromptUse(kind="survey", where=survey.name, what=key)) for name in names)


def _of(path: str, flow: Flow, languages: Iterable[Language], queues: Mapping[str, QueueConfig],
        media: MediaConfig) -> _Used:
    languages = list(languages)
    for node_name, node in flow.nodes.items():
        kind: Literal["entry", "flow"] = "entry" if path.startswith("announce:") else "flow"
        plain = PromptUse(kind=kind, where=path, what=node_name)
        value = PromptUse(kind="values", where=path, what=node_name)
        for name, is_value in _recordings(node.plays(), languages, media):
            yield name, value if is_value else plain
        if isinstance(node, QueueNode) and node.queue in queues:
            yield queues[node.queue].music, PromptUse(kind="queue", where=node.queue, what="music")
            for language in languages:
                yield from _in_line(queues[node.queue], language)


def _in_line(queue: QueueConfig, language: Language) -> _Used:
    said = PromptUse(kind="waiting", where=queue.name)
    for place in range(1, MOST + 1):
        yield from ((name.removeprefix(_PROMPT), said) for name in position(language, place))
    if queue.say_wait:
        for minutes in range(1, int(MOST_WAIT_S) // MINUTE_S + 1):
            yield from ((name.removeprefix(_PROMPT), said) for name in wait(language, minutes * MINUTE_S))
    for name in queue.comfort:
        yield from ((one.removeprefix(_PROMPT), PromptUse(kind="queue", where=queue.name, what="comfort"))
                    for one in prompt(language, name))


def _recordings(names: list[str], languages: Iterable[Language],
                media: MediaConfig) -> Iterator[tuple[str, bool]]:
    """With whether it is a word of a value."""
    for language in languages:
        for name in names:
            said = [fragment(name, language)]
            if placeholders(name):
                yield from ((word, True) for word in _words(said[0], language, media))
                continue
            is_value = speech.is_spoken(said[0])
            if is_value:
                said = speech.speak(said[0], language, media.currency, media.wording)
            yield from ((part.removeprefix(_PROMPT), is_value) for part in said if part.startswith(_PROMPT))


def _words(spoken: str, language: str, media: MediaConfig) -> Iterator[str]:
    """Every word that a value which nobody knows yet may need."""
    head, _, value = spoken.partition(":")
    kind, *choices = head.split("/")
    language = next((one for one in choices if one in speech.LANGUAGES), language)
    currency = value[-3:] if value[-3:] in speech.CURRENCIES else media.currency
    for name in speech.vocabulary(language, [currency]):
        if name.partition("/")[2].startswith(_WORDS.get(kind, ("",))):
            yield name
