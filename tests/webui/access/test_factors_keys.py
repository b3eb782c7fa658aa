"""Security keys against a software one: what is right opens, and each single thing that is wrong does not."""

import html
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from webauthn.helpers import bytes_to_base64url

from tests.webui.access.soft_key import PRESENT, SoftKey, challenge_of
from tests.webui.conftest import NAME, PASSWORD, post, token
from webui.access.ceremony import Place, Refused, challenge, registered, signed, to_register, to_sign
from webui.access.factors import Factors, Key

BOX = Place("box.example", ("https://box.example:8443",))
ORIGIN = BOX.origins[0]
ELSEWHERE = ["http://box.example:8443", "https://box.example", "https://box.example.evil", "https://evil.example",
             "https://localhost:8443", "null", ""]
NOW = 1_800_000_000.0


def added(soft: SoftKey, place: Place = BOX) -> Key:
    options = to_register(place, NAME, b"handle", [], challenge())
    return registered(place, soft.register(options, place.origins[-1]), challenge_of(options), "blue", NOW)


@pytest.mark.parametrize("counts", [True, False])
def test_a_key_signs_again_and_again(counts: bool) -> None:
    soft = SoftKey(counts=counts)
    key = added(soft)
    assert (key.id, key.host, key.label, key.count) == (soft.id, "box.example", "blue", 0)
    for number in range(1, 4):
        options = to_sign(BOX, [key], challenge())
        found, count = signed(BOX, soft.sign(options, ORIGIN), challenge_of(options), [key])
        assert (found, count) == (key, number if counts else 0)
        key = replace(key, count=count)


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_another_site_gets_nothing(origin: str) -> None:
    """A page that looks like ours may pass on what it is asked: the browser says where it was."""
    soft = SoftKey()
    options = to_register(BOX, NAME, b"handle", [], challenge())
    with pytest.raises(Refused):
        registered(BOX, soft.register(options, origin), challenge_of(options), "blue", NOW)
    key = added(soft)
    options = to_sign(BOX, [key], challenge())
    with pytest.raises(Refused):
        signed(BOX, soft.sign(options, origin), challenge_of(options), [key])


WRONG: dict[str, Callable[[SoftKey, str, Key], tuple[str, bytes, list[Key]]]] = {
    "another host": lambda soft, asked, key: (
        soft.sign(asked, ORIGIN, host="evil.example"), challenge_of(asked), [key]),
    "another question": lambda soft, asked, key: (soft.sign(asked, ORIGIN), challenge(), [key]),
    "somebody else's key": lambda soft, asked, key: (
        soft.sign(asked, ORIGIN), challenge_of(asked), [added(SoftKey())]),
    "no key at all": lambda soft, asked, key: (soft.sign(asked, ORIGIN), challenge_of(asked), []),
    "the id of another": lambda soft, asked, key: (
        SoftKey(id=soft.id, count=9).sign(asked, ORIGIN), challenge_of(asked), [key]),
    "an older count": lambda soft, asked, key: (
        soft.sign(asked, ORIGIN), challenge_of(asked), [replace(key, count=9)]),
    "the same count": lambda soft, asked, key: (
        soft.sign(asked, ORIGIN), challenge_of(asked), [replace(key, count=1)]),
    "a count that stands still": lambda soft, asked, key: (
        SoftKey(counts=False, id=soft.id, _key=soft._key).sign(asked, ORIGIN), challenge_of(asked),
        [replace(key, count=1)]),
    "nobody touched it": lambda soft, asked, key: (
        SoftKey(flags=0, id=soft.id, count=9, _key=soft._key).sign(asked, ORIGIN), challenge_of(asked),
        [key]),
    "added under another name": lambda soft, asked, key: (
        soft.sign(asked, ORIGIN), challenge_of(asked), [replace(key, host="other.example")]),
    "a registration": lambda soft, asked, key: (
        soft.register(to_register(BOX, NAME, b"h", [], challenge_of(asked)), ORIGIN), challenge_of(asked),
        [key]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_one_thing_wrong_is_enough(wrong: str) -> None:
    soft = SoftKey()
    key = added(soft)
    answer, asked, keys = WRONG[wrong](soft, to_sign(BOX, [key], challenge()), key)
    with pytest.raises(Refused):
        signed(BOX, answer, asked, keys)


@pytest.mark.parametrize(("soft", "host"), [(SoftKey(flags=0), ""), (SoftKey(), "evil.example")])
def test_a_key_that_nobody_touched_or_of_another_host_is_not_added(soft: SoftKey, host: str) -> None:
    options = to_register(BOX, NAME, b"handle", [], challenge())
    with pytest.raises(Refused):
        registered(BOX, soft.register(options, ORIGIN, host), challenge_of(options), "blue", NOW)
    with pytest.raises(Refused):
        registered(BOX, SoftKey(flags=PRESENT).register(options, ORIGIN), challenge(), "blue", NOW)


def test_what_is_asked_names_the_keys_of_this_host_and_no_person() -> None:
    here, there = added(SoftKey()), replace(added(SoftKey()), host="other.example")
    asked = json.loads(to_register(BOX, NAME, b"handle", [here, there], b"c" * 32))
    assert [one["id"] for one in asked["excludeCredentials"]] == [bytes_to_base64url(here.id)]
    assert asked["rp"]["id"] == "box.example"
    assert len({challenge() for _ in range(100)}) == 100


def options_on(page: str) -> str:
    found = re.search(r'data-options="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def half_in(client: FlaskClient) -> str:
    """What a key is asked at the second step."""
    assert post(client, "/login", name=NAME, password=PASSWORD).location == "/login/second"
    return options_on(client.get("/login/second").text)


@pytest.fixture
def soft(app: Flask, visitor: FlaskClient) -> SoftKey:
    """The administrator's key, for the name that a test's client uses."""
    soft, factors = SoftKey(), app.extensions["branchline"].factors
    assert isinstance(factors, Factors)
    factors.add_key(NAME, added(soft, Place("localhost", ("http://localhost",))))
    return soft


def send(client: FlaskClient, answer: str, page: str = "") -> int:
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page or client.get("/login/second").text)
    assert csrf
    status: int = client.post("/login/second/key", data={"csrf_token": csrf[1], "answer": answer}).status_code
    return status


def test_a_signature_opens_once(app: Flask, visitor: FlaskClient, soft: SoftKey) -> None:
    assert post(visitor, "/login", name=NAME, password=PASSWORD).location == "/login/second"
    page = visitor.get("/login/second").text
    answer = soft.sign(options_on(page), "http://localhost")
    thief = app.test_client()
    cookie = visitor.get_cookie("branchline")
    assert cookie
    thief.set_cookie("branchline", cookie.value)                      # of the same browser, to be hard
    assert send(visitor, answer, page) == 303
    assert visitor.get("/").status_code == 200
    assert send(thief, answer, page) == 303
    assert thief.get("/").status_code == 303
    half_in(again := app.test_client())
    assert send(again, answer) == 422


def test_each_question_is_answered_once_and_the_newest_counts(visitor: FlaskClient, soft: SoftKey) -> None:
    first = half_in(visitor)
    page = visitor.get("/login/second").text
    assert options_on(page) != first
    assert send(visitor, soft.sign(first, "http://localhost"), page) == 422
    page = visitor.get("/login/second").text
    assert send(visitor, soft.sign(options_on(page), "https://evil.example"), page) == 422
    assert send(visitor, soft.sign(options_on(page), "http://localhost"), page) == 422     # asked before
    page = visitor.get("/login/second").text
    assert send(visitor, soft.sign(options_on(page), "http://localhost"), page) == 303
    assert visitor.get("/").status_code == 200


def test_a_key_is_added_by_its_answer_once(client: FlaskClient, app: Flask) -> None:
    soft, factors = SoftKey(), app.extensions["branchline"].factors
    page = client.get("/me/").text
    form = {"csrf_token": token(client, "/me/"), "label": "  the  blue\tone " + "x" * 60}
    page = client.get("/me/").text
    form["answer"] = soft.register(options_on(page), "http://localhost")
    done = client.post("/me/keys", data=form)
    assert done.status_code == 200
    assert done.text.count("<li>") >= 10
    (key,) = factors.of(NAME).keys
    assert key.label == ("the blue one " + "x" * 60)[:40]
    assert key.made_at == pytest.approx(time.time(), abs=60)
    assert client.post("/me/keys", data=form).status_code == 422
    page = client.get("/me/").text
    form["answer"] = soft.register(options_on(page), "http://localhost")
    assert client.post("/me/keys", data=form).status_code == 422      # known already
