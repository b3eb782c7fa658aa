"""What callers may hear: every prompt that flows and their queues ask for."""

from collections.abc import Iterable, Iterator

from appliance.centre.announce import MOST, position
from appliance.centre.flow import Flow, MenuNode, PlayNode, QueueNode
from appliance.config.schema import QueueConfig

_PROMPT = "prompt:"


def prompts(flows: Iterable[Flow], queues: Iterable[QueueConfig]) -> set[str]:
    """Names as media.prompts.Library takes them, in every language that the flow can come to speak."""
    of_queue = {queue.name: queue for queue in queues}
    return {name for flow in flows for name in _of(flow, of_queue)}


def _of(flow: Flow, queues: dict[str, QueueConfig]) -> Iterator[str]:
    languages = {flow.language}
    for node in flow.nodes.values():
        if isinstance(node, MenuNode):
            languages |= {option.language for option in node.digits.values() if option.language}
    for node in flow.nodes.values():
        if isinstance(node, PlayNode):
            yield from (f"{language}/{name}" for language in languages for name in node.prompt)
        elif isinstance(node, MenuNode):
            names = [*node.prompt, *(node.invalid or [])]
            yield from (f"{language}/{name}" for language in languages for name in names)
        elif isinstance(node, QueueNode):
            yield queues[node.queue].music
            for language in languages:
                for place in range(1, MOST + 1):
                    yield from (name.removeprefix(_PROMPT) for name in position(language, place))
