"""Flow files: what is accepted, and how mistakes are told."""

from pathlib import Path

import pytest

from appliance.centre import heard
from appliance.centre.announce import MOST, position
from appliance.centre.flow import Flow, MenuNode, PlayNode, fragment, load_flow
from appliance.config.schema import MediaConfig
from appliance.errors import ConfigError
from appliance.media import speech

GOOD = """\
language: en
start: welcome
nodes:
  welcome: {kind: play, prompt: welcome, next: main}
  main:
    kind: menu
    prompt: [menu, choose]
    digits:
      1: sales
      "*":
        next: sales
        language: zh
    default: bye
  sales:
    kind: queue
    queue: sales
    overflow_s: 60
    next: bye
  bye: {kind: hangup}
"""


def load(tmp_path: Path, text: str) -> str:
    """The mistakes, or "" when there are none."""
    path = tmp_path / "flow.yaml"
    path.write_text(text)
    try:
        load_flow(path, ["sales"])
    except ConfigError as error:
        return str(error).replace(f"{tmp_path}/", "")
    return ""


def test_a_flow_is_read(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text(GOOD)
    flow = load_flow(tmp_path / "flow.yaml", ["sales"])
    assert (flow.language, flow.start) == ("en", "welcome")
    menu = flow.nodes["main"]
    assert isinstance(menu, MenuNode)
    assert (menu.prompt, menu.retries) == (["menu", "choose"], 2)
    assert {digit: (one.next, one.language) for digit, one in menu.digits.items()} == {
        "1": ("sales", None), "*": ("sales", "zh")}


@pytest.mark.parametrize(("old", "new", "mistake"), [
    ("start: welcome", "start: hello",
     "flow.yaml:2: start: no node is called 'hello', there are bye, main, sales, welcome"),
    ("next: main}", "next: man}",
     "flow.yaml:4: nodes.welcome.next: no node is called 'man', there are bye, main, sales, welcome"),
    ("      1: sales", "      1: sells",
     "flow.yaml:9: nodes.main.digits.1.next: no node is called 'sells', there are bye, main, sales, welcome"),
    ("queue: sales", "queue: tales",
     "flow.yaml:16: nodes.sales.queue: no queue is called 'tales', there are sales"),
    ("    overflow_s: 60\n", "",
     "flow.yaml:14: nodes.sales: overflow_s and next go together: give both or none"),
    ("next: main}", "next: bye}", "flow.yaml:5: nodes.main: no node leads here: remove it or let one"),
    ("next: main}", "next: welcome}",
     "flow.yaml:4: nodes.welcome.next: only plays, round and round: let one of the nodes lead elsewhere"),
    ('      1: sales\n      "*":\n        next: sales\n        language: zh\n', "      {}\n",
     "flow.yaml:8: nodes.main.digits: Dictionary should have at least 1 item"),
    ("      1: sales", "      12: sales",
     "flow.yaml:9: nodes.main.digits.12.[key]: String should match pattern"),
    ("kind: hangup", "kind: hang",
     "flow.yaml:19: nodes.bye: Input tag 'hang' found using 'kind' does not match"),
    ("    default: bye\n", "", "flow.yaml:5: nodes.main.default: Field required"),
    ("prompt: welcome", "prompt: ../x",
     "flow.yaml:4: nodes.welcome.prompt[0]: String should match pattern"),
    ("kind: hangup", "kind: hangup, cause: 0",
     "flow.yaml:19: nodes.bye.cause: Input should be greater than"),
    ("prompt: welcome", "prompt: number:12x",
     "flow.yaml:4: nodes.welcome.prompt[0]: 'number:12x': '12x' is no number"),
    ("prompt: welcome", "prompt: tone:siren",
     "flow.yaml:4: nodes.welcome.prompt[0]: 'tone:siren': no such tone: write one of"),
    ("prompt: welcome", "prompt: spoken:12",
     "flow.yaml:4: nodes.welcome.prompt[0]: String should match pattern"),
    ("language: en", "language: fr", "flow.yaml:1: language: Input should be 'zh' or 'en'"),
])
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, mistake: str) -> None:
    assert old in GOOD
    assert mistake in load(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize(("language", "place", "said"), [
    ("zh", 1, "您是第 一 位"), ("zh", 10, "您是第 十 位"), ("zh", 13, "您是第 十 三 位"),
    ("zh", 20, "您是第 二 十 位"), ("zh", 99, "您是第 九 十 九 位"),
    ("en", 3, "you are number three in line"),
    ("en", 12, "you are number twelve in line"), ("en", 30, "you are number thirty in line"),
    ("en", 47, "you are number forty seven in line"),
])
def test_a_position_in_words(language: str, place: int, said: str) -> None:
    texts = speech.vocabulary(language)
    assert " ".join(texts[one.removeprefix("prompt:")] for one in position(language, place)) == said


@pytest.mark.parametrize("language", speech.LANGUAGES)
def test_a_place_that_is_no_help_is_not_said(language: str) -> None:
    assert position(language, 0) == position(language, MOST + 1) == []


PLAYED = [
    "balance", "amount:12.50", "number/zh:2", "silence:500", "tone:busy 2000", "dtmf:12#", "prompt:zh/bye"]


def test_a_prompt_may_be_any_fragment() -> None:
    node = PlayNode(kind="play", prompt=PLAYED, next="end")
    assert [fragment(name, "en") for name in node.prompt] == [
        "prompt:en/balance", "amount/en:12.50", "number/zh:2", "silence:500", "tone:busy 2000", "dtmf:12#",
        "prompt:zh/bye"]


def test_recordings_that_values_need_are_looked_for() -> None:
    flow = Flow.model_validate({"language": "en", "start": "a", "nodes": {
        "a": {"kind": "play", "prompt": PLAYED, "next": "end"}, "end": {"kind": "hangup"}}})
    assert heard.prompts([flow], [], MediaConfig(currency="EUR")) == {
        "en/balance", "en/number/12", "en/currency/eur-many", "en/number/and", "en/number/50",
        "en/currency/eur-minor-many", "zh/number/2", "zh/bye"}
