"""What callers may hear: every prompt that flows and their queues ask for."""

from collections.abc import Iterable, Iterator

from appliance.centre.announce import MOST, position
from appliance.centre.flow import Flow, MenuNode, PlayNode, QueueNode, fragment
from appliance.config.schema import MediaConfig, QueueConfig
from appliance.media import speech

_PROMPT = "prompt:"


def prompts(flows: Iterable[Flow], queues: Iterable[QueueConfig], media: MediaConfig) -> set[str]:
    """Names as media.prompts.Library takes them, in every language that the flow can come to speak."""
    of_queue = {queue.name: queue for queue in queues}
    return {name for flow in flows for name in _of(flow, of_queue, media)}


def _of(flow: Flow, queues: dict[str, QueueConfig], media: MediaConfig) -> Iterator[str]:
    languages = {flow.language}
    for node in flow.nodes.values():
        if isinstance(node, MenuNode):
            languages |= {option.language for option in node.digits.values() if option.language}
    for node in flow.nodes.values():
        if isinstance(node, PlayNode):
            yield from _recordings(node.prompt, languages, media)
        elif isinstance(node, MenuNode):
            yield from _recordings([*node.prompt, *(node.invalid or [])], languages, media)
        elif isinstance(node, QueueNode):
            yield queues[node.queue].music
            for language in languages:
                for place in range(1, MOST + 1):
                    yield from (name.removeprefix(_PROMPT) for name in position(language, place))


def _recordings(names: list[str], languages: Iterable[str], media: MediaConfig) -> Iterator[str]:
    for language in languages:
        for name in names:
            said = [fragment(name, language)]
            if speech.is_spoken(said[0]):
                said = speech.speak(said[0], language, media.currency, media.wording)
            yield from (part.removeprefix(_PROMPT) for part in said if part.startswith(_PROMPT))
