"""Second factors without pages: codes once, clocks that are off, recovery codes, keys, thieves."""

import hashlib
import json
import sqlite3
import stat
import threading
from pathlib import Path

import cbor2
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers import bytes_to_base64url

from appliance.errors import Unavailable
from appliance.store.sealed import Tampered
from webui.access import ceremony, secrets
from webui.access.ceremony import Place, place_of
from webui.access.factors import CODES, MOST_KEYS, PENDING_S, STEP_S, Factors, Key, address_for_app
from webui.access.halves import Waiting
from webui.access.secrets import CODE_SIGNS, Sealer, plain, recovery_codes

NOW = 1_800_000_015.0                             # in the middle of a step


@pytest.fixture
def factors(tmp_path: Path) -> Factors:
    return Factors(tmp_path / "factors.sqlite", tmp_path / "factors.key")


def app_of(factors: Factors, name: str = "wang", now: float = NOW) -> pyotp.TOTP:
    """Set up, its first code used at `now`."""
    app = pyotp.TOTP(factors.begin_app(name, now))
    assert factors.confirm_app(name, app.at(int(now)), now)
    return app


def key(number: int = 1, host: str = "box.example", count: int = 0) -> Key:
    return Key(bytes([number]) * 16, f"key {number}", host, b"public", count, NOW, None)


def test_an_app_counts_only_after_its_first_code(factors: Factors) -> None:
    secret = factors.begin_app("wang", NOW)
    app = pyotp.TOTP(secret)
    assert factors.begin_app("wang", NOW + 1) == secret == factors.pending_app("wang", NOW)
    assert not factors.of("wang").any
    assert not factors.app_says("wang", app.at(int(NOW)), NOW)
    assert not factors.confirm_app("wang", "000000" if app.at(int(NOW)) != "000000" else "111111", NOW)
    assert factors.confirm_app("wang", app.at(int(NOW)), NOW)
    assert factors.of("wang").app_since == NOW
    assert factors.pending_app("wang", NOW) is None
    with pytest.raises(ValueError, match="has an app already"):
        factors.begin_app("wang", NOW)


def test_an_app_that_was_not_confirmed_in_time_is_forgotten(factors: Factors) -> None:
    app, late = pyotp.TOTP(factors.begin_app("wang", NOW)), NOW + PENDING_S
    assert factors.pending_app("wang", late) is None
    assert not factors.confirm_app("wang", app.at(int(late)), late)
    assert factors.begin_app("wang", late) != app.secret


@pytest.mark.parametrize(("off_s", "taken"), [
    (-2 * STEP_S, False), (-STEP_S, True), (0, True), (STEP_S, True), (2 * STEP_S, False)])
def test_a_clock_may_be_off_by_one_step(factors: Factors, off_s: int, taken: bool) -> None:
    app, later = app_of(factors), NOW + 10 * STEP_S
    assert factors.app_says("wang", app.at(int(later) + off_s), later) is taken


def test_a_code_works_once_and_none_before_it_afterwards(factors: Factors) -> None:
    app, later = app_of(factors), NOW + 10 * STEP_S
    assert not factors.app_says("wang", app.at(int(NOW)), NOW)                    # it confirmed the app
    assert factors.app_says("wang", app.at(int(later)), later)
    assert not factors.app_says("wang", app.at(int(later)), later)
    assert not factors.app_says("wang", app.at(int(later) - STEP_S), later)       # older than the one used
    assert factors.app_says("wang", app.at(int(later) + STEP_S), later)


def test_of_many_who_send_one_code_at_the_same_time_one_gets_in(factors: Factors) -> None:
    app, later, through = app_of(factors), NOW + 10 * STEP_S, list[bool]()
    code, together = app.at(int(later)), threading.Barrier(8)

    def send() -> None:
        together.wait()
        through.append(factors.app_says("wang", code, later))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(through) == [False] * 7 + [True]


@pytest.mark.parametrize("typed", [
    "", "12345", "1234567", "abcdef", "１２３４５６", "12 34 5", "-12345", "1" * 64])
def test_what_is_no_code_is_refused(factors: Factors, typed: str) -> None:
    app_of(factors)
    assert not factors.app_says("wang", typed, NOW + 10 * STEP_S)


def test_a_code_may_be_typed_with_a_gap_and_is_one_persons(factors: Factors) -> None:
    app, later = app_of(factors), NOW + 10 * STEP_S
    app_of(factors, "li")
    code = app.at(int(later))
    assert not factors.app_says("li", code, later)
    assert not factors.app_says("nobody", code, later)
    assert factors.app_says("wang", f"{code[:3]} {code[3:]}", later)


def test_codes_are_those_of_rfc_6238(factors: Factors) -> None:
    """Appendix B, SHA1: eight digits there, the last six of which an app of six shows."""
    app = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    for at, digits in ((59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")):
        assert app.at(at) == digits[2:]
    assert address_for_app(app.secret, "wang", "Branchline box") == (
        "otpauth://totp/Branchline%20box:wang?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Branchline%20box")


def test_recovery_codes_work_once_each_however_they_are_typed(factors: Factors) -> None:
    app_of(factors)
    codes = factors.new_codes("wang")
    assert len(set(codes)) == CODES == factors.of("wang").codes_left
    assert all(len(code) == 11 and set(code) <= {*CODE_SIGNS, "-"} for code in codes)
    assert factors.use_code("wang", codes[3].lower().replace("-", " "))
    assert not factors.use_code("wang", codes[3])
    assert not factors.use_code("li", codes[4])
    assert not factors.use_code("wang", "AAAAA-AAAAA")
    assert factors.of("wang").codes_left == CODES - 1
    others = factors.new_codes("wang")
    assert not factors.use_code("wang", codes[5])
    assert factors.use_code("wang", others[5])


def test_recovery_codes_go_with_the_last_factor(factors: Factors) -> None:
    app_of(factors)
    factors.add_key("wang", key())
    factors.new_codes("wang")
    assert factors.remove_app("wang")
    assert factors.of("wang").codes_left == CODES
    assert factors.remove_key("wang", key().id) == "key 1"
    assert factors.of("wang").codes_left == 0
    assert not factors.remove_app("wang")


def test_keys_are_one_persons_and_counted(factors: Factors) -> None:
    factors.add_key("wang", key(1))
    with pytest.raises(ValueError, match="known already"):
        factors.add_key("li", key(1))
    for number in range(2, MOST_KEYS + 1):
        factors.add_key("wang", key(number))
    with pytest.raises(ValueError, match="keys already"):
        factors.add_key("wang", key(MOST_KEYS + 1))
    assert not factors.key_signed("li", key(1).id, 0, 5, NOW)
    assert factors.key_signed("wang", key(1).id, 0, 5, NOW)
    assert not factors.key_signed("wang", key(1).id, 0, 6, NOW)      # was 5: a copy signed, too
    first = factors.of("wang").keys[0]
    assert (first.count, first.used_at) == (5, NOW)
    assert factors.remove_key("li", key(1).id) == ""


def test_who_gives_rights_removes_all_of_a_persons_factors(
        factors: Factors, caplog: pytest.LogCaptureFixture) -> None:
    app = app_of(factors)
    factors.add_key("wang", key())
    code = factors.new_codes("wang")[0]
    app_of(factors, "li")
    assert factors.clear("wang", by="admin")
    assert "second factors of wang removed by admin" in caplog.text
    assert not factors.of("wang").any
    assert not factors.app_says("wang", app.at(int(NOW) + 300), NOW + 300)
    assert not factors.use_code("wang", code)
    assert factors.of("li").any
    assert not factors.clear("wang", by="admin")


def test_a_thief_of_the_file_has_nothing_that_opens(tmp_path: Path, factors: Factors) -> None:
    secret = factors.begin_app("wang", NOW)
    assert factors.confirm_app("wang", pyotp.TOTP(secret).at(int(NOW)), NOW)
    codes = factors.new_codes("wang")
    kept = (tmp_path / "factors.sqlite").read_bytes()
    assert secret.encode() not in kept
    assert not any(code.encode() in kept or plain(code).encode() in kept for code in codes)
    for name in ("factors.sqlite", "factors.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_secret_of_somebody_else_put_in_place_does_not_open(tmp_path: Path, factors: Factors) -> None:
    """Who may write the file but has not the key cannot give another his own app."""
    mine = app_of(factors, "thief")
    app_of(factors, "wang")
    with sqlite3.connect(tmp_path / "factors.sqlite") as base:
        base.execute("UPDATE apps SET sealed = (SELECT sealed FROM apps WHERE name = 'thief')")
    assert not factors.app_says("wang", mine.at(int(NOW) + 300), NOW + 300)
    assert factors.app_says("thief", mine.at(int(NOW) + 300), NOW + 300)


def test_factors_outlive_a_restart_and_a_lost_key_leaves_recovery_codes(
        tmp_path: Path, factors: Factors, caplog: pytest.LogCaptureFixture) -> None:
    app, code = app_of(factors), factors.new_codes("wang")[0]
    again = Factors(tmp_path / "factors.sqlite", tmp_path / "factors.key")
    assert again.handle("wang") == factors.handle("wang") != again.handle("li")
    assert again.app_says("wang", app.at(int(NOW) + 300), NOW + 300)
    (tmp_path / "factors.key").unlink()
    anew = Factors(tmp_path / "factors.sqlite", tmp_path / "factors.key")
    assert not anew.app_says("wang", app.at(int(NOW) + 600), NOW + 600)
    assert "a recovery code opens" in caplog.text
    assert anew.use_code("wang", code)


@pytest.mark.parametrize(("name", "octets", "says"), [
    ("factors.sqlite", b"no database, but long enough to be seen as none" * 40, "the file of second factors"),
    ("factors.key", b"short\n", "is damaged"), ("factors.key", b"\xff" * 64, "is damaged"),
    ("factors.key", b"", "is damaged")])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, octets: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(octets)
    with pytest.raises(Unavailable, match=says) as raised:
        Factors(tmp_path / "factors.sqlite", tmp_path / "factors.key")
    assert str(tmp_path / name) in str(raised.value)
    assert (tmp_path / name).read_bytes() == octets


@given(octets=st.binary(max_size=80), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_what_was_sealed_opens_whole_or_not_at_all(
        tmp_path_factory: pytest.TempPathFactory, octets: bytes, at: int, bit: int) -> None:
    sealer = Sealer(tmp_path_factory.getbasetemp() / "sealer.key")
    sealed = bytearray(sealer.seal(octets, "wang"))
    assert sealer.open(bytes(sealed), "wang") == octets
    with pytest.raises(Tampered):
        sealer.open(bytes(sealed), "li")
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(Tampered):
        sealer.open(bytes(sealed), "wang")
    with pytest.raises(Tampered):
        sealer.open(bytes(sealed[:at % len(sealed)]), "wang")


@given(st.text(max_size=20))
def test_any_text_is_a_recovery_code_or_none(text: str) -> None:
    signs = plain(text)
    assert signs == "" or (len(signs) == 10 and set(signs) <= set(CODE_SIGNS))


def test_recovery_codes_are_not_two_alike() -> None:
    assert len(set(recovery_codes(2000))) == 2000
    assert secrets.slow_digest("A", b"salt" * 4) != secrets.slow_digest("A", b"tlas" * 4)


@pytest.mark.parametrize(("host", "place"), [
    ("box.example", Place("box.example", ("https://box.example",))),
    ("Box.Example:8443", Place("box.example", ("https://box.example:8443",))),
    ("localhost:8080", Place("localhost", ("https://localhost:8080", "http://localhost:8080"))),
    ("a.localhost", Place("a.localhost", ("https://a.localhost", "http://a.localhost"))),
    ("evil-localhost", Place("evil-localhost", ("https://evil-localhost",))),
    ("192.0.2.7", None), ("192.0.2.7:8080", None), ("[2001:db8::1]", None), ("[::1]:8080", None), ("", None),
    ("a b", None), ("box.example:port", None), ("box@example", None), ("x" * 300, None), ("盒子", None)])
def test_keys_are_bound_to_a_name_and_to_https(host: str, place: Place | None) -> None:
    assert place_of(host) == place


@given(answer=st.one_of(
    st.text(max_size=200),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=30),
                 lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
                     ["id", "rawId", "type", "response", "clientDataJSON", "attestationObject", "transports",
                      "authenticatorData", "signature", "userHandle", "authenticatorAttachment"]), inner,
                     max_size=6), max_leaves=20).map(lambda value: json.dumps(value))))
def test_any_answer_of_a_key_is_refused_and_breaks_nothing(answer: str) -> None:
    place = Place("box.example", ("https://box.example",))
    with pytest.raises(ceremony.Refused):
        ceremony.registered(place, answer, b"asked", "label", NOW)
    with pytest.raises(ceremony.Refused):
        ceremony.signed(place, answer, b"asked", [key()])


@given(
    binary=st.binary(max_size=300), more=st.binary(max_size=100), count=st.integers(0, 2 ** 32 - 1),
    flags=st.integers(0, 255), form=st.sampled_from(["none", "packed", "tpm", "fido-u2f", "apple"]))
def test_octets_in_a_keys_answer_break_nothing(
        binary: bytes, more: bytes, count: int, flags: int, form: str) -> None:
    """Of the right shape, asked for, from the right place; then nonsense, as deep as it gets."""
    place, one = Place("box.example", ("https://box.example",)), key()

    def said(kind: str, **octets: bytes) -> str:
        client = json.dumps({"type": kind, "challenge": bytes_to_base64url(b"asked"),
                             "origin": "https://box.example"}).encode()
        return json.dumps({
            "id": bytes_to_base64url(one.id), "rawId": bytes_to_base64url(one.id), "type": "public-key",
            "response": {"clientDataJSON": bytes_to_base64url(client)} | {
                name: bytes_to_base64url(value) for name, value in octets.items()}})

    data = hashlib.sha256(b"box.example").digest() + bytes([flags]) + count.to_bytes(4, "big")
    attested = data + bytes(16) + len(more).to_bytes(2, "big") + more + binary
    for octets in (binary, cbor2.dumps({"fmt": form, "attStmt": {"sig": more}, "authData": attested}),
                   cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data + binary})):
        with pytest.raises(ceremony.Refused):
            ceremony.registered(place, said("webauthn.create", attestationObject=octets), b"asked", "l", NOW)
    for octets in (binary, data, data + binary):
        with pytest.raises(ceremony.Refused):
            answer = said("webauthn.get", authenticatorData=octets, signature=more)
            ceremony.signed(place, answer, b"asked", [one])


def test_an_answer_that_is_too_long_is_not_read() -> None:
    with pytest.raises(ceremony.Refused, match="too long"):
        ceremony.registered(Place("b", ()), "[" * (ceremony.ANSWER_MOST + 1), b"asked", "label", NOW)


def test_what_waits_for_a_browser_is_bounded_in_time_and_number() -> None:
    waiting: Waiting[str] = Waiting(for_s=300.0, most=3)
    tokens = [waiting.keep(f"w{number}", 1000.0) for number in range(5)]
    assert [waiting.find(token, 1001.0) for token in tokens] == [None, None, "w2", "w3", "w4"]
    assert waiting.take(tokens[2], 1001.0) == "w2"
    assert waiting.take(tokens[2], 1001.0) is None
    assert waiting.find(tokens[3], 1299.9) == "w3"
    assert waiting.find(tokens[3], 1300.0) is None
    assert waiting.find("", 1001.0) is None
    assert len(waiting) == 2
