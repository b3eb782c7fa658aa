"""How often strangers may try: limits and waits, in time that the test says."""

import pytest

from appliance.box.ssh.guard import (
    BURST,
    FORGOTTEN_S,
    MOST_KNOWN,
    MOST_STRANGERS,
    MOST_STRANGERS_EACH,
    MOST_WAIT_S,
    PER_S,
    WRONG_BEFORE_WAIT,
    Guard,
    place_of,
    plain,
)

HERE, THERE = "192.0.2.7", "192.0.2.8"


def test_an_address_may_come_so_often() -> None:
    guard, now = Guard(), 100.0
    for _ in range(int(BURST)):
        assert guard.comes(HERE, now) == ""
        guard.goes(HERE)
    assert "short time" in guard.comes(HERE, now)
    assert guard.comes(THERE, now) == ""
    assert guard.comes(HERE, now + 1.01 / PER_S) == ""


def test_strangers_are_so_many_at_most() -> None:
    guard = Guard()
    for _ in range(MOST_STRANGERS_EACH):
        assert guard.comes(HERE, 0.0) == ""
    assert "one address" in guard.comes(HERE, 0.0)
    for number in range(MOST_STRANGERS - MOST_STRANGERS_EACH):
        assert guard.comes(f"198.51.100.{number}", 0.0) == ""
    assert guard.comes(THERE, 0.0) == "too many connections that have not signed in"
    guard.goes(HERE)
    assert guard.comes(THERE, 0.0) == ""


def test_wrong_ones_wait_twice_as_long_each_time() -> None:
    guard, waits = Guard(), []
    for _ in range(WRONG_BEFORE_WAIT + 12):
        guard.tries(HERE, "li", True, 0.0)
        waits.append(guard.wait_s(HERE, "li", 0.0))
    assert waits[:WRONG_BEFORE_WAIT] == [0.0] * (WRONG_BEFORE_WAIT - 1) + [1.0]
    assert waits[WRONG_BEFORE_WAIT:WRONG_BEFORE_WAIT + 3] == [2.0, 4.0, 8.0]
    assert waits[-1] == MOST_WAIT_S
    assert guard.wait_s(THERE, "li", 0.0) == MOST_WAIT_S             # the person, wherever he is
    assert guard.wait_s(HERE, "wu", 0.0) == MOST_WAIT_S              # the address, whoever it is
    assert guard.wait_s(THERE, "wu", 0.0) == 0.0
    assert "wrong sign-ins" in guard.comes(HERE, 0.0)
    assert guard.wait_s(HERE, "li", MOST_WAIT_S) == 0.0


def test_keys_hold_up_the_address_only_and_time_forgets() -> None:
    guard = Guard()
    for _ in range(WRONG_BEFORE_WAIT):
        guard.wrong(HERE, 0.0)
    assert guard.wait_s(THERE, "li", 0.0) == 0.0 < guard.wait_s(HERE, "li", 0.0)
    guard.wrong(HERE, FORGOTTEN_S + 1)
    assert guard.wait_s(HERE, "li", FORGOTTEN_S + 1) == 0.0


def test_who_signs_in_is_forgiven() -> None:
    guard = Guard()
    for _ in range(WRONG_BEFORE_WAIT):
        guard.tries(HERE, "li", True, 0.0)
    guard.right(HERE, "li")
    assert guard.wait_s(HERE, "li", 0.0) == 0.0


def test_what_is_remembered_has_an_end() -> None:
    guard = Guard()
    for number in range(MOST_KNOWN + 100):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        guard.tries(address, f"n{number}", False, 0.0)
        if not guard.comes(address, 0.0):
            guard.goes(address)
    assert len(guard._addresses) == len(guard._nobodies) == len(guard._buckets) == MOST_KNOWN


def test_made_up_names_make_no_persons_count_forgotten() -> None:
    guard = Guard()
    for _ in range(WRONG_BEFORE_WAIT):
        guard.tries(HERE, "li", True, 0.0)
    for number in range(MOST_KNOWN + 1):
        guard.tries(f"10.9.{number >> 8}.{number & 255}", f"n{number}", False, 0.0)
    assert guard.wait_s(THERE, "li", 0.0) == 1.0


def test_a_name_that_nobody_has_waits_like_one_that_somebody_has() -> None:
    guard, waits = Guard(), []
    for name, known in (("li", True), ("nobody", False)):
        for number in range(WRONG_BEFORE_WAIT + 2):
            guard.tries(f"192.0.2.{number}", name, known, 0.0)
        waits.append(guard.wait_s(THERE, name, 0.0))
    assert waits == [4.0, 4.0]


@pytest.mark.parametrize(("address", "place"), [
    ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8::1", "2001:db8::/64"),
    ("2001:db8::ffff:1", "2001:db8::/64"), ("fe80::1%eth0", "fe80::/64"), ("", ""),
])
def test_a_place_is_an_address_or_a_network(address: str, place: str) -> None:
    assert place_of(address) == place


@pytest.mark.parametrize(("address", "written"), [
    ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8::1", "2001:db8::1"),
    ("fe80::1%eth0", "fe80::1%eth0"), ("", "")])
def test_addresses_are_as_people_write_them(address: str, written: str) -> None:
    assert plain(address) == written
