"""Mistakes in flows with the new kinds of nodes, and warnings of what callers would never get out of."""

import re
import typing
from pathlib import Path

import pytest

from appliance.centre import heard
from appliance.centre.flow import Flow, Known, PlayNode, digest, load_flow, load_subflow
from appliance.centre.flow.model import AnyNode
from appliance.centre.flow.versions import Versions
from appliance.centre.nodes import NODES
from appliance.config.schema import MediaConfig
from appliance.errors import ConfigError
from appliance.media import speech
from tests.centre.flows import HOTLINE
from tests.conftest import ROOT

KNOWN = Known(sources={"crm": False, "billing": True}, calendars=["office"], boxes=["office"], surveys=[],
              agents=["ann"], trunks=["telco"], skills=["bills"])


def mistakes(folder: Path, text: str, known: Known = KNOWN) -> str:
    path = folder / "flow.yaml"
    path.write_text(text)
    try:
        load_flow(path, ["sales"], known)
    except ConfigError as error:
        return str(error).replace(f"{folder}/", "")
    return ""


def test_the_hotline_is_in_order(tmp_path: Path) -> None:
    assert mistakes(tmp_path, HOTLINE) == ""


@pytest.mark.parametrize(("old", "new", "mistake"), [
    ("source: crm", "source: erp", "nodes.who.source: no source is called 'erp', there are billing, crm"),
    ("source: billing\n    customer", "source: crm\n    customer",
     "nodes.proof.source: 'crm' would have the secret in its address"),
    ("pay: {kind: lookup, source: billing", "pay: {kind: lookup, source: crm",
     "nodes.pay.source: 'crm' would have the secret in its address"),
    ("when: balance > 100", "when: balanse > 100",
     "nodes.enough.cases[0].when: nothing sets the variable 'balanse', there are attempts, balance, "),
    ("when: balance > 100", "when: balance >", "nodes.enough.cases[0].when: 'balance >' is no expression"),
    ("when: balance > 100", "when: balance.size > 100",
     "nodes.enough.cases[0].when: 'balance.size > 100': there is no Attribute here"),
    ("amount:{balance} CNY", "amount:{balance} XXX",
     "nodes.bill.prompt[1]: 'amount:1 XXX': '1 XXX': no currency 'XXX' is known"),
    ("digits:{ticket}", "tone:{ticket}", "nodes.read-back.prompt[0]: 'tone:{ticket}': only what is said has"),
    ("digits:{ticket}", "digits:{card}",
     "nodes.read-back.prompt: 'card' is a secret: only a lookup may send it"),
    ("bye: {kind: hangup}", "bye: {kind: pause, next: complain}",    # what is collected while it is paused
     "nodes.read-back.prompt: 'ticket' is a secret: only a lookup may send it"),
    ("digits:{ticket}", "digits:{ti ket}", "{ti ket} is no variable: write e.g. {amount}"),
    ("to: ticket", "to: caller", "nodes.complain.to: 'caller' is taken: choose another name"),
    ("to: ticket", "to: in", "nodes.complain.to: 'in' is taken"),
    ("least: 3\n    most: 6", "least: 7\n    most: 6", "nodes.complain: least 7 is more than most 6"),
    ("{name}您好\", en: \"Hello {name}\"", "{name}您好\"",
     "nodes.hello.text: has no text in en, which the flow can come to speak"),
    ("attempts: attempts + 1", "5: attempts + 1", "nodes.rank.values.5.[key]: String should match pattern"),
    ("skills: {bills: 3}", "skills: {law: 3}",
     "nodes.agents.skills.law: no agent has the skill 'law', they have bills"),
    ("digits: {9: complain}", "digits: {x: complain}", "nodes.agents.digits.x.[key]: String should match"),
    ("bye: {kind: hangup}", "bye: {kind: return}", "flow.yaml: nodes.bye: only a sub-flow returns"),
    ("bye: {kind: hangup}", "bye: {kind: flow, file: flow.yaml, next: sorry}",
     "nodes.bye.file: leads into itself: a flow may not call itself"),
    ("bye: {kind: hangup}", "bye: {kind: flow, file: none.yaml, next: sorry}", "none.yaml: No such file"),
    ("bye: {kind: hangup}", "bye: {kind: voicemail, box: home, next: sorry}",
     "nodes.bye.box: no voicemail box is called 'home', there are office"),
    ("bye: {kind: hangup}", "bye: {kind: hours, calendar: shop, open: sorry, closed: menu}",
     "nodes.bye.calendar: no calendar is called 'shop', there are office"),
    ("bye: {kind: hangup}", "bye: {kind: transfer, agent: bo, next: menu}",
     "nodes.bye.agent: no agent is called 'bo', there are ann"),
    ("bye: {kind: hangup}", "bye: {kind: transfer, number: '{caller}', next: menu}",
     "nodes.bye: give agent, or trunk and number"),
    ("limit_s: 600", "limit_s: 5", "limit_s: Input should be greater than or equal to 10"),
    ("bye: {kind: hangup}", "bye: {kind: set, values: {x: '1'}, next: sorry}",
     "nodes.bye.next: leads back here without waiting for anything: let one of the nodes lead elsewhere"),
])
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, mistake: str) -> None:
    assert old in HOTLINE
    assert mistake in mistakes(tmp_path, HOTLINE.replace(old, new, 1))


def test_nodes_without_a_way_out_are_named(tmp_path: Path) -> None:
    text = """\
start: a
nodes:
  a: {kind: menu, prompt: a, digits: {1: b}, default: a}
  b: {kind: menu, prompt: b, digits: {1: a}, default: b}
  c: {kind: hangup}
"""
    assert mistakes(tmp_path, text).splitlines() == [
        "flow.yaml:5: nodes.c: no node leads here: remove it or let one",
        "flow.yaml:3: nodes.a: no way leads out of here: let a node hang up, queue, transfer or return",
        "flow.yaml:4: nodes.b: no way leads out of here: let a node hang up, queue, transfer or return"]


def test_a_sub_flow_s_mistake_is_told_in_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "inner.yaml").write_text("start: x\nnodes: {x: {kind: play, prompt: p, next: y}}")
    text = "start: a\nnodes: {a: {kind: flow, file: inner.yaml, next: b}, b: {kind: hangup}}"
    assert "inner.yaml:2: nodes.x.next: no node is called 'y'" in mistakes(tmp_path, text)
    deep = "start: a\nnodes: {a: {kind: flow, file: %s, next: b}, b: {kind: return}}"
    for number in range(5):
        (tmp_path / f"{number}.yaml").write_text(deep % f"{number + 1}.yaml")
    assert "more than 3 sub-flows deep" in mistakes(tmp_path, text.replace("inner", "0"))


def test_without_a_configuration_any_name_will_do(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(HOTLINE.replace("source: crm", "source: erp"))
    assert load_subflow(path, None).start == "greeting"


@pytest.mark.parametrize("file", ["../other.yaml", "{elsewhere}/other.yaml", "parts/../../other.yaml"])
def test_a_sub_flow_is_of_the_flow_s_folder(tmp_path: Path, file: str) -> None:
    flows, below = tmp_path / "flows", tmp_path / "flows" / "parts"
    below.mkdir(parents=True)
    for folder in (tmp_path, below):
        (folder / "other.yaml").write_text("start: a\nnodes: {a: {kind: return}}")
    path = flows / "flow.yaml"
    text = "start: a\nnodes:\n  a: {kind: flow, file: %s, next: b}\n  b: {kind: hangup}"
    path.write_text(text % "parts/other.yaml")
    assert load_flow(path, None).nodes["a/a"]
    path.write_text(text % file.format(elsewhere=tmp_path))
    with pytest.raises(ConfigError, match=r"flow\.yaml:3: nodes\.a\.file: .* leads out of the flow's folder"):
        load_flow(path, None)


def test_every_kind_of_node_has_its_doing() -> None:
    kinds = set(AnyNode.__origin__.__args__)      # type: ignore[attr-defined]
    assert kinds == set(NODES)


def test_what_a_value_may_need_is_looked_for(tmp_path: Path) -> None:
    flow = Flow.model_validate({"language": "en", "start": "a", "variables": {"x": 1}, "nodes": {
        "a": {"kind": "play", "prompt": ["digits:{x}", "amount/zh:{x} EUR"], "next": "end"},
        "end": {"kind": "hangup"}}})
    found = heard.prompts([flow], [], MediaConfig(currency="CNY"))
    assert {"en/number/8", "en/digit/star", "zh/currency/eur", "zh/number/8"} <= found
    assert not {"en/month/1", "zh/currency/cny"} & found
    assert found <= speech.vocabulary("en").keys() | speech.vocabulary("zh").keys()


def test_versions_outlive_a_restart_and_are_what_they_were(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(HOTLINE)
    flow = load_flow(path, ["sales"])
    other = Flow(start="a", nodes={"a": PlayNode(kind="play", prompt=["x"], next="a")})
    assert digest(flow) == digest(load_flow(path, ["sales"])) != digest(other)
    versions = Versions(tmp_path / "flows")
    versions.keep({digest(flow): flow, digest(other): other})
    assert versions.load([digest(flow), "0" * 32]) == {digest(flow): flow}
    (tmp_path / "flows" / f"{digest(other)}.json").write_text(flow.model_dump_json())
    assert versions.load([digest(other)]) == {}
    versions.forget_all_but([digest(flow)])
    assert [one.stem for one in (tmp_path / "flows").iterdir()] == [digest(flow)]
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="acdd has to write there"):
        Versions(tmp_path / "file").keep({digest(flow): flow})


def test_every_key_of_every_kind_is_explained() -> None:
    text = (ROOT / "docs" / "flows.md").read_text()
    rows = dict(re.findall(r"^\| ([a-z]+) \| ([^|]*)\|", text, re.M))
    for kind in AnyNode.__origin__.__args__:      # type: ignore[attr-defined]
        name = typing.get_args(kind.model_fields["kind"].annotation)[0]
        keys = kind.model_fields.keys() - {"kind"} - ({"start"} if name == "flow" else set())
        told = re.findall(r"[a-z_]+", re.sub(r"\([^)]*\)", "", rows[name]))
        assert keys == set(told) - {"or", "and"}, name
