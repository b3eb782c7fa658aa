"""The section `console`: who may come is right, or the mistake is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.box.ssh.host_key import new_key
from appliance.box.ssh.passwords import HASHER
from appliance.config.changes import differences
from appliance.config.load import load
from appliance.errors import ConfigError

KEY, OTHER = (f"{new_key()[1]} noc" for _ in range(2))
HASH, TOTP = HASHER.hash("geheim"), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
DOCUMENT = {"spans": [{"name": "e1", "url": "virtual:/tmp/x/a", "side": "user", "trunk": "telco"}]}


def text(**console: Any) -> str:
    return yaml.safe_dump(DOCUMENT | {"console": console})


def person(**keys: Any) -> dict[str, Any]:
    return {"name": "li", "keys": [KEY]} | keys


def test_what_is_written_is_read() -> None:
    found = load(Path("x.yaml"), text(port=2022, address="::", people=[
        person(role="admin", password=HASH, totp=TOTP, principals=["noc-admins"])])).console
    [li] = found.people
    assert (found.port, found.address, li.role, li.recordings) == (2022, "::", "admin", False)
    assert HASH not in repr(found) and TOTP not in repr(found)


def test_without_the_section_nothing_listens() -> None:
    assert load(Path("x.yaml"), yaml.safe_dump(DOCUMENT)).console.port is None


@pytest.mark.parametrize(("console", "named"), [
    ({"people": [person(), person(keys=[OTHER])]}, "'li' is there twice"),
    ({"people": [person(), person(name="wu")]}, "keys"),
    ({"people": [person(keys=[KEY[:-30]])]}, "cut or damaged"),
    ({"people": [person(keys=['command="sh" ' + KEY])]}, "one line of a public key"),
    ({"people": [person(keys=["ssh-dss AAAA"])]}, "kinds are"),
    ({"people": [person(password=HASH)]}, "go together"),
    ({"people": [person(totp=TOTP)]}, "go together"),
    ({"people": [person(password="geheim", totp=TOTP)]}, "Argon2id"),
    ({"people": [person(password=HASH.replace("m=19456", "m=900000"), totp=TOTP)]}, "Argon2id"),
    ({"people": [person(password=HASH, totp="AAAA")]}, "Base32"),
    ({"people": [person(name="Li")]}, "name"),
    ({"people": [person(role="root")]}, "role"), ({"people": [person(name="admin")]}, "admin has role admin"),
    ({"people": [person(password=HASH.replace("m=19456", "m=65536"), totp=TOTP)]}, "Argon2id"),
    ({"people": [person(password=HASH.replace("t=2", "t=9"), totp=TOTP)]}, "Argon2id"),
    ({"people": [person(principals=["a,b"])]}, "principals"),
    ({"people": [person(), person(name="wu", keys=[], principals=["li"])]}, "principals"),
    ({"address": "box.example"}, "address"), ({"port": 70000}, "port"), ({"idle_s": 1}, "idle_s"),
    ({"banner": "\x1b[2J"}, "printable"), ({"user_cas": ["x"]}, "user_cas"), ({"shell": True}, "shell"),
])
def test_mistakes_are_named(console: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(Path("x.yaml"), text(**console))
    assert named in str(error.value) and "console" in str(error.value)


def test_a_comparison_shows_no_secret() -> None:
    old = load(Path("x.yaml"), text(people=[person()]))
    new = load(Path("x.yaml"), text(people=[person(password=HASH, totp=TOTP)]))
    shown = str(differences(old, new, secrets=False))
    assert "console.people.li.password" in shown and HASH not in shown and TOTP not in shown
