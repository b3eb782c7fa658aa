"""What callers may hear: every prompt that flows and their queues ask for."""

from collections.abc import Iterable, Iterator

from appliance.centre.announce import MINUTE_S, MOST, MOST_WAIT_S, position, prompt, wait
from appliance.centre.flow import Flow, Language, QueueNode, fragment
from appliance.centre.flow.expressions import placeholders
from appliance.config.schema import CentreConfig, MediaConfig, QueueConfig, RecordingConfig
from appliance.media import speech

_PROMPT = "prompt:"
_WORDS = {"number": ("number/",), "digits": ("number/", "digit/")}   # of a kind with any value; else all


def prompts(flows: Iterable[Flow], queues: Iterable[QueueConfig], media: MediaConfig,
            begun_in: Iterable[Language] = ()) -> set[str]:
    """Names as media.prompts.Library takes them, in every language that the flow can come to speak.

    `begun_in`: languages that entry rules let calls begin in.
    """
    of_queue, begun = {queue.name: queue for queue in queues}, set(begun_in)
    return {name for flow in flows for name in _of(flow, flow.languages | begun, of_queue, media)}


def promised(centre: CentreConfig, languages: Iterable[Language],
             recording: RecordingConfig | None = None) -> set[str]:
    """Likewise of callbacks, voicemail and surveys, whoever comes there, and that a talk is recorded."""
    callbacks = centre.callbacks
    names = {*callbacks.greeting, *callbacks.welcome}
    if recording is not None:
        names |= {one for one in (recording.announce, *(rule.announce for rule in recording.rules)) if one}
    for box in centre.voicemail:
        names |= {*box.greeting, *box.full}
    for survey in centre.surveys:
        names |= {*survey.intro, *survey.invalid, *survey.thanks}
        names |= {name for question in survey.questions for name in question.prompt}
    return {f"{language}/{name}" for language in languages for name in names}


def _of(flow: Flow, languages: set[Language], queues: dict[str, QueueConfig],
        media: MediaConfig) -> Iterator[str]:
    for node in flow.nodes.values():
        yield from _recordings(node.plays(), languages, media)
        if isinstance(node, QueueNode) and node.queue in queues:
            yield queues[node.queue].music
            for language in languages:
                yield from (name.removeprefix(_PROMPT) for name in _in_line(queues[node.queue], language))


def _in_line(queue: QueueConfig, language: Language) -> Iterator[str]:
    for place in range(1, MOST + 1):
        yield from position(language, place)
    if queue.say_wait:
        for minutes in range(1, int(MOST_WAIT_S) // MINUTE_S + 1):
            yield from wait(language, minutes * MINUTE_S)
    for name in queue.comfort:
        yield from prompt(language, name)


def _recordings(names: list[str], languages: Iterable[Language], media: MediaConfig) -> Iterator[str]:
    for language in languages:
        for name in names:
            said = [fragment(name, language)]
            if placeholders(name):
                yield from _words(said[0], language, media)
                continue
            if speech.is_spoken(said[0]):
                said = speech.speak(said[0], language, media.currency, media.wording)
            yield from (part.removeprefix(_PROMPT) for part in said if part.startswith(_PROMPT))


def _words(spoken: str, language: str, media: MediaConfig) -> Iterator[str]:
    """Every word that a value which nobody knows yet may need."""
    head, _, value = spoken.partition(":")
    kind, *choices = head.split("/")
    language = next((one for one in choices if one in speech.LANGUAGES), language)
    currency = value[-3:] if value[-3:] in speech.CURRENCIES else media.currency
    for name in speech.vocabulary(language, [currency]):
        if name.partition("/")[2].startswith(_WORDS.get(kind, ("",))):
            yield name
