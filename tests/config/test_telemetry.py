"""The section telemetry: off by default, its secrets shown nowhere, a token never sent in the open."""

from typing import Any

import pytest
from pydantic import ValidationError

from appliance.config.changes import HIDDEN, differences
from appliance.config.schema import Config, SpanConfig, TelemetryConfig

SPAN = SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")


def test_it_is_off_by_default() -> None:
    assert Config(spans=[SPAN]).telemetry.url == ""


def test_a_token_is_in_no_repr_and_no_comparison() -> None:
    one, other = (Config(spans=[SPAN], telemetry=TelemetryConfig(url="https://influx", token=token))
                  for token in ("first-secret", "second-secret"))
    (difference,) = differences(one, other, secrets=False)
    assert (difference.key, difference.old, difference.new) == ("telemetry.token", HIDDEN, HIDDEN)
    assert "secret" not in repr(one)


@pytest.mark.parametrize(("wrong", "said"), [
    ({"url": "influx:8086"}, "write e.g. https://"),
    ({"url": "https://user:word@influx"}, "use token or token_file"),
    ({"url": "https://influx:port"}, "no web address"),
    ({"url": "https://influx/?token=x"}, "no web address"),
    ({"url": "http://influx.example", "token": "t"}, "by https only"),
    ({"url": "http://8.8.8.8", "token_file": "t"}, "by https only"),
    ({"url": "HTTP://8.8.8.8", "token": "t"}, "by https only"),
    ({"url": " http://8.8.8.8", "token": "t"}, "no web address"),
    ({"url": "ht\ttp://8.8.8.8", "token": "t"}, "no web address"),
    ({"url": "http://8.8.8.8\\@10.0.0.1", "token": "t"}, "no web address"),
    ({"url": "https://influx/?"}, "no web address"),
    ({"url": "https://influx", "tags": {"time": "x"}}, "no tag 'time'"),
    ({"url": "https://influx", "token": "t", "token_file": "f"}, "write one of them"),
    ({"token": "t"}, "url: is missing"),
    ({"url": "http://10.0.0.7", "ca_file": "ca.pem"}, "not https"),
    ({"url": "https://influx", "tags": {"span": "x"}}, "'span' is a label of the measures"),
    ({"url": "https://influx", "tags": {"Site": "x"}}, "should match pattern"),
    ({"url": "https://influx", "tags": {"site": "a\nb"}}, "should match pattern"),
    ({"url": "https://influx", "token": "two words"}, "should match pattern"),
    ({"url": "https://influx", "interval_s": 1.0}, "greater than or equal to 5"),
    ({"url": "https://influx", "spool_mebibytes": 0.5}, "greater than or equal to 1"),
])
def test_a_mistake_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TelemetryConfig(**wrong)


@pytest.mark.parametrize("good", [
    {"url": "http://10.0.0.7:8428", "token": "t"}, {"url": "http://[::1]:8086", "token": "t"},
    {"url": "http://localhost:8086", "token": "t"}, {"url": "https://influx.example/path", "token": "t=="},
    {"url": "http://influx.example"}, {"url": "https://influx", "tags": {"box": "x", "site": "Hangzhou 2"}},
])
def test_what_is_allowed(good: dict[str, Any]) -> None:
    assert TelemetryConfig(**good).url == good["url"]
