"""Keys set and taken out of a text with its comments, secrets not shown, values before and after."""

import difflib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.box.document.editing import MOST_ONE_BY_ONE, changed, changed_all, place_of
from appliance.box.document.showing import changes, shown
from appliance.bus.messages import KeyChange
from appliance.config.changes import HIDDEN
from appliance.errors import ConfigError

TEXT = """\
# The branch in Suzhou
spans:
  # The telephone company's; its engineer is Mr Wu.
  - {name: telco1, url: "virtual:/x/b", side: user, trunk: telco}   # port 1

centre:
    queues:
      - name: sales
        ring_s: 12.0       # agents asked for it
        # who is there
        agents: [zhang]
      - {name: service, agents: [zhang]}
    agents:
      - {name: zhang, extension: "801", trunk: telco}
    sources:
      - name: crm
        url: "https://crm.example/find?number={number}"      # 密: before, https://robot:pw@crm.example
        headers: {Authorization: "Bearer s3cret", X-Tenant: "7"}
      - {name: erp, database: "mysql://u:hidden@erp/db", query: "select 1"}

web:
  port: 8080
"""


def differing(old: str, new: str) -> list[str]:
    return [line for line in difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
            if line[0] in "+-" and line[:3] not in ("+++", "---")]


@pytest.mark.parametrize(("key", "value", "lines"), [
    ("web.port", "9090", ["-  port: 8080", "+  port: 9090"]),
    ("spans[0].side", "network", [
        '-  - {name: telco1, url: "virtual:/x/b", side: user, trunk: telco}   # port 1',
        '+  - {name: telco1, url: "virtual:/x/b", side: network, trunk: telco}   # port 1']),
    ("centre.queues.sales.ring_s", "7.5", [
        "-        ring_s: 12.0       # agents asked for it",
        "+        ring_s: 7.5       # agents asked for it"]),
    ("centre.queues.sales.wrap_up_s", "30", ["+        wrap_up_s: 30"]),
    ("centre.agents[+]", '{name: li, extension: "802", trunk: telco}', [
        '+      - {name: li, extension: "802", trunk: telco}']),
    ("trace.days", "30", ["+trace:", "+  days: 30"]),
    ("centre.queues.sales.ring_s", None, ["-        ring_s: 12.0       # agents asked for it"]),
    ("centre.queues.service", None, ["-      - {name: service, agents: [zhang]}"]),
    ("centre.queues.service.agents", None, [
        "-      - {name: service, agents: [zhang]}", "+      - {name: service}"]),
])
def test_one_key_and_nothing_else(key: str, value: str | None, lines: list[str]) -> None:
    assert differing(TEXT, changed(TEXT, key, value)) == lines


SETS = [
    ("centre.queues.sales.ring_s", "7.5"), ("centre.queues.sales.wrap_up_s", "30"),
    ("centre.agents[+]", '{name: li, extension: "802", trunk: telco, skills: {en: 3}}'),
    ("centre.agents.zhang.skills", "{en: 5}"), ("centre.agents.li.skills.en", "9"),
    ("centre.queues.service", None), ("centre.not_ready[+]", "{name: lunch}"), ("web.port", "9090"),
    ("spans[0].side", "network"), ("centre.agents.li.starts", "logged-out"), ("web.tls", "\"on\""),
    ("centre.agents[+]", "{name: wang, starts: logged-out}")]


@settings(deadline=None)
@given(st.permutations(range(len(SETS))))
def test_many_keys_at_once_are_as_one_after_the_other(order: list[int]) -> None:
    sets = [SETS[index] for index in order]
    one_by_one: str | None = TEXT
    for key, value in sets:
        try:
            one_by_one = changed(one_by_one or "", key, value)
        except ConfigError:                       # a key of a part that comes only later
            one_by_one = None
            break
    assert len(sets) > MOST_ONE_BY_ONE
    if one_by_one is None:
        with pytest.raises(ConfigError):
            changed_all(TEXT, sets)
        return
    found = changed_all(TEXT, sets)
    assert yaml.safe_load(found) == yaml.safe_load(one_by_one)
    for comment in ("# The branch in Suzhou", "its engineer is Mr Wu.", "# port 1", "# agents asked for it",
                    "# who is there", "# 密: before"):
        assert comment in found


def test_many_keys_change_their_lines_only() -> None:
    text = TEXT.replace("    sources:", "".join(
        f"      - {{name: agent{n}, extension: '8{n}', trunk: telco}}   # desk {n}\n" for n in range(30))
        + "    sources:")
    found = changed_all(text, [(f"centre.agents.agent{n}.skills", "{en: 5}") for n in range(0, 30, 2)])
    assert len(differing(text, found)) == 30
    assert "trunk: telco, skills: {en: 5}} # desk 8\n" in found


@pytest.mark.parametrize(("key", "value", "place"), [
    ("centre.queues.sales.ring_s", "1", "centre.queues.sales.ring_s"),
    ("centre.agents[+]", "{name: li}", "centre.agents.li"), ("centre.agents[+]", "[", "centre.agents"),
    ("centre.inbound[+]", "{trunk: telco}", "centre.inbound"), ("spans[0].url", "x", "spans")])
def test_where_a_key_changes_the_document(key: str, value: str, place: str) -> None:
    assert place_of(key, value) == place


@pytest.mark.parametrize(("key", "value", "why"), [
    ("a..b", "1", "write keys like centre.queues.sales.ring_s"),
    ("", "1", "write keys like"),
    ("spans[", "1", "write keys like"),
    ("centre.queues.marketing.ring_s", "1", "there is none of this name, there are sales, service"),
    ("spans[7].url", "x", "the list has 1 parts, counted from 0"),
    ("web.port.high", "1", r"web\.port\.high: what it is in is neither a list nor has keys"),
    ("web.tls", None, r"web\.tls: is not there"),
    ("web.port", "[1, 2", "web.port: "),
    ("web.port", "&a [*a]", "aliases are not read here"),
    ("web.port", "[" * 60, "nested more than"),
    ("web.port", "x" * 30_000, "a value of more than 20000 characters"),
])
def test_what_cannot_be_set_is_said_by_its_key(key: str, value: str | None, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        changed(TEXT, key, value)


@given(st.text(max_size=60), st.none() | st.text(max_size=40))
def test_any_key_and_value_end_in_a_text_or_in_an_error_of_ours(key: str, value: str | None) -> None:
    try:
        changed(TEXT, key, value)
    except ConfigError:
        pass


def test_secrets_are_not_shown_and_all_else_is() -> None:
    seen = shown(TEXT, False)
    assert seen.hidden and len(seen.text.splitlines()) == len(TEXT.splitlines())
    for secret in ("s3cret", "pw@", "hidden@", '"7"'):
        assert secret in TEXT and secret not in seen.text
    assert differing(TEXT, seen.text) == differing(TEXT, (
        TEXT.replace("robot:pw", HIDDEN).replace('"Bearer s3cret"', HIDDEN).replace('"7"', HIDDEN)
        .replace('"mysql://u:hidden@erp/db"', HIDDEN)))
    assert shown(TEXT, True) == (TEXT, False)
    assert "s3cret" not in shown(TEXT + "\n\t: [", False).text       # not even YAML


def test_values_before_and_after() -> None:
    new = TEXT.replace("12.0", "7.5").replace("s3cret", "other").replace("  port: 8080", "  language: en")
    found = changes(TEXT, new, secrets=False)
    assert found == [
        KeyChange("centre.queues.sales.ring_s", "12.0", "7.5"),
        KeyChange("centre.sources.crm.headers", HIDDEN, HIDDEN), KeyChange("web.language", "zh", "en")]
    assert "other" in (changes(TEXT, new, secrets=True)[1].new or "")
    assert changes(TEXT, "spans: 3", secrets=True) == []
    [gone] = changes(TEXT, TEXT.replace("      - {name: service, agents: [zhang]}\n", ""), secrets=True)
    assert gone.key == "centre.queues.service" and gone.new is None
