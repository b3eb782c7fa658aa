"""A document in force: all or nothing, over a boot, and a network that undoes itself."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from appliance.box.provision import kept as places
from appliance.box.provision import plan
from appliance.box.provision.applying import CONSOLE, REVERT_UNIT, Applying
from appliance.box.provision.kept import Kept
from appliance.box.provision.plan import FILE, FOLDER
from appliance.errors import BranchlineError, ConfigError, StateError
from tests.box.provision.test_document import WHOLE, key

__all__ = ["key"]

STATIC = [{"port": "enp1s0", "ipv4": "192.0.2.10/24", "gateway4": "192.0.2.1"}]
BOX = 'spans:\n  - {name: telco1, url: "virtual:/tmp/none/b", side: user, trunk: telco}\n'


class PowerCut(BaseException):
    pass


class Bench:
    """A box's root folder, and what was started on it."""

    def __init__(self, root: Path) -> None:
        self.kept = Kept(root)
        self.ran: list[list[str]] = []
        self.applying = Applying(self.kept, self.run, "BL-0001", own=lambda path, user, group: None)

    def run(self, command: Sequence[str], within_s: float = 0.0) -> str:
        self.ran.append(list(command))
        return ""

    def file(self, name: str) -> str:
        return (self.kept.root / name).read_text()

    def networks(self) -> str:
        return "".join(path.read_text() for path in sorted(
            (self.kept.root / plan.NETWORK_FOLDER).glob("*.network")))

    def after_a_boot(self) -> "Bench":
        """What is in memory is gone."""
        for name in ("run", "etc"):
            shutil.rmtree(self.kept.root / name, ignore_errors=True)
        bench = Bench(self.kept.root)
        bench.kept.boot()
        return bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = Bench(tmp_path / "root")
    found.kept.boot()
    return found


def stick(folder: Path, text: str, configuration: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_text(text)
    if configuration is not None:
        (folder / FOLDER).mkdir()
        (folder / FOLDER / "branchline.yaml").write_text(configuration)
        (folder / FOLDER / "prompts").mkdir()
        (folder / FOLDER / "prompts/hello.wav").write_bytes(b"RIFF")
    return folder / FILE


def test_a_new_box_asks_dhcp_and_has_a_claim_code(bench: Bench) -> None:
    assert "DHCP=ipv4" in bench.networks() and "RequestOptions=224" in bench.networks()
    code = bench.kept.claim_code()
    assert bench.after_a_boot().kept.claim_code() == code
    assert bench.kept.claims(code.lower().replace("-", " "))


def test_a_disk_that_takes_nothing_still_has_a_network_and_a_code(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/data").write_text("no folder can be made below this")
    bench = Bench(tmp_path / "root")
    bench.kept.boot()
    assert "DHCP=ipv4" in bench.networks() and bench.kept.claims(bench.kept.claim_code())
    with pytest.raises(OSError):
        bench.applying.typed("{}", "console", 1.0)
    assert bench.kept.provisioned() is None


def test_a_wrong_claim_code_costs_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    assert not bench.kept.claims("")
    (bench.kept.root / places.CLAIM).write_bytes(b"abcd-efgh-jkmn\n")
    assert bench.kept.claims("ABCD EFGH JKMN"), "as people write it on a label"
    (bench.kept.root / places.CLAIM).write_bytes(b"AB\xff")
    assert len(bench.kept.claim_code()) == 14, "a damaged one is made anew"
    assert not bench.kept.claims("ÀBCD")
    assert waited == [places.WRONG_CODE_S] * 2


def test_a_document_with_a_configuration_makes_the_box_and_outlives_a_boot(
        bench: Bench, tmp_path: Path, key: str) -> None:
    path = stick(tmp_path / "stick", WHOLE.replace("KEY", key) + "configuration: true\n", BOX)
    bench.applying.provision(path, "stick", 1000.0)
    assert bench.file(places.ADMIN_KEYS) == f"{key}\n"
    assert bench.file(places.SETUP_CODE) == "ABCD-EFGH-JKLM"
    assert bench.file(f"{places.CONFIG}/branchline.yaml") == BOX
    assert (bench.kept.root / places.CONFIG / "prompts/hello.wav").exists()
    assert ["networkctl", "reload"] in bench.ran
    assert "ABCD" not in bench.file(places.PROVISIONED)
    again = bench.after_a_boot()
    assert again.file("etc/hostname") == "branch-12\n"
    assert os.readlink(again.kept.root / "etc/localtime") == "/usr/share/zoneinfo/Asia/Shanghai"
    assert again.file(plan.TIMESYNCD) == "[Time]\nNTP=ntp.example 192.0.2.7\nFallbackNTP=\n"
    assert "Address=192.0.2.10/24" in again.networks() and "224" not in again.networks()
    with pytest.raises(StateError, match="provisioned already, by stick"):
        again.applying.provision(path, "stick", 2000.0)


@pytest.mark.parametrize(("text", "configuration", "said"), [
    ("hostname: X", None, "hostname"), ("serial: BL-0002", None, "for the box BL-0002, this is BL-0001"),
    ("configuration: true", None, "no branchline-config/branchline.yaml"),
    ("configuration: true", "spans: []", "branchline-config/branchline.yaml:1: spans"),
])
def test_what_is_wrong_anywhere_changes_nothing(
        bench: Bench, tmp_path: Path, text: str, configuration: str | None, said: str) -> None:
    before = sorted(str(path) for path in bench.kept.root.rglob("*"))
    with pytest.raises(ConfigError, match=said):
        bench.applying.provision(stick(tmp_path / "stick", text, configuration), "stick", 1.0)
    assert sorted(str(path) for path in bench.kept.root.rglob("*")) == before
    assert bench.ran == []


def test_links_on_a_stick_lead_nowhere(bench: Bench, tmp_path: Path) -> None:
    path = stick(tmp_path / "stick", "configuration: true\n", BOX)
    (tmp_path / "stick" / FOLDER / "prompts/shadow").symlink_to("/etc/shadow")
    with pytest.raises(ConfigError, match="only files and folders"):
        bench.applying.provision(path, "stick", 1.0)
    assert bench.kept.provisioned() is None


def test_a_cut_at_any_step_leaves_a_new_box_or_a_whole_one(
        tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stick(tmp_path / "stick", WHOLE.replace("KEY", key) + "configuration: true\n", BOX)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)        # a disk's time
    real = {name: getattr(os, name) for name in ("fsync", "rename", "open", "mkdir")}
    left = 0

    def cutting(name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left == 0:
                raise PowerCut(name)
            left -= 1
            return real[name](*args, **kwargs)
        return call

    cuts = whole = 0
    while True:
        bench = Bench(tmp_path / f"root-{cuts}")
        bench.kept.boot()
        left = cuts
        with monkeypatch.context() as patched:
            for name in real:
                patched.setattr(os, name, cutting(name))
            try:
                bench.applying.provision(path, "stick", 1.0)
                break
            except PowerCut:
                pass
        again = bench.after_a_boot()
        if again.kept.provisioned() is None:
            again.applying.provision(path, "stick", 2.0)
        else:
            whole += 1
        assert again.after_a_boot().file("etc/hostname") == "branch-12\n"
        assert again.file(places.ADMIN_KEYS) == f"{key}\n"
        assert again.file(f"{places.CONFIG}/branchline.yaml") == BOX
        cuts += 1
    assert cuts > 20 and whole > 0


def test_an_older_plan_is_made_anew_by_the_version_that_boots(bench: Bench) -> None:
    bench.applying.typed("hostname: old", "web", 1.0)
    record = bench.kept.root / places.PROVISIONED
    old = record.read_text().replace('"made_by": 1', '"made_by": 0').replace("DHCP=ipv4", "DHCP=4")
    record.write_text(old)
    assert "DHCP=ipv4" in bench.after_a_boot().networks()


def test_a_disk_that_takes_nothing_has_its_network_of_another_version(
        bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.applying.typed("hostname: old", "web", 1.0)
    record = bench.kept.root / places.PROVISIONED
    record.write_text(record.read_text().replace('"made_by": 1', '"made_by": 0'))

    def refuses(path: Path, octets: bytes) -> None:
        raise OSError(30, "Read-only file system", str(path))
    monkeypatch.setattr(places, "write_file", refuses)
    again = bench.after_a_boot()
    assert "DHCP=ipv4" in again.networks() and again.file("etc/hostname") == "old\n"


def test_a_version_that_is_rolled_back_to_knows_its_box(bench: Bench) -> None:
    bench.applying.typed("hostname: box-7", "web", 1.0)
    record = bench.kept.root / places.PROVISIONED
    record.write_text(record.read_text().replace('"made_by": 1', '"made_by": 2, "later": 1').replace(
        '"hostname":', '"later": [], "hostname":'))
    again = bench.after_a_boot()
    assert again.file("etc/hostname") == "box-7\n" and again.applying.document().hostname == "box-7"


def test_a_network_is_undone_by_itself_by_a_boot_and_by_people(bench: Bench) -> None:
    first = bench.networks()
    bench.applying.try_network(STATIC, 300)
    assert "192.0.2.10" in bench.networks()
    timer = next(command for command in bench.ran if command[0] == "systemd-run")
    assert "--on-active=300s" in timer and timer[-3:] == ["-m", "appliance.box.provision", "revert"]
    assert bench.ran.index(timer) < bench.ran.index(["networkctl", "reload"]), "the way back comes first"
    assert bench.after_a_boot().networks() == first
    bench.applying.try_network(STATIC, 300)
    assert bench.applying.revert_network() and bench.networks() == first
    assert not bench.applying.revert_network()


def test_a_trial_outlives_another_change_and_makes_room_for_the_next(bench: Bench) -> None:
    bench.applying.try_network(STATIC, 300)
    bench.applying.change({"hostname": "box-7"}, "web", 1.0)
    assert "192.0.2.10" in bench.networks(), "what is confirmed now must be what is in force"
    bench.applying.try_network(STATIC, 300)
    before = bench.ran[:len(bench.ran) - 1 - [one[0] for one in reversed(bench.ran)].index("systemd-run")]
    assert ["systemctl", "stop", f"{REVERT_UNIT}.timer"] in before[-2:], "its name is free, waited for"
    bench.applying.confirm_network(CONSOLE, "console", 1.0)
    assert bench.after_a_boot().networks() == bench.networks()


def test_a_vlan_that_is_undone_is_gone_with_its_address(bench: Bench) -> None:
    gone = ["ip", "link", "delete", "dev", "port0.20"]
    bench.applying.try_network([{"port": "enp1s0", "vlan": 20, "ipv4": "192.0.2.10/24"}], 300)
    assert gone not in bench.ran
    assert bench.applying.revert_network()
    assert bench.ran.index(gone) > len(bench.ran) - 4 and bench.ran.count(gone) == 1


def test_a_network_is_kept_from_its_new_address_or_the_console_only(bench: Bench) -> None:
    with pytest.raises(StateError, match="no network is on trial"):
        bench.applying.confirm_network(CONSOLE, "web", 1.0)
    bench.applying.try_network(STATIC, 300)
    with pytest.raises(StateError, match=r"confirm it from the new address, 192\.0\.2\.10"):
        bench.applying.confirm_network("198.51.100.7", "web", 1.0)
    with pytest.raises(StateError):
        bench.applying.confirm_network("127.0.0.1", "web", 1.0)
    bench.applying.confirm_network("192.0.2.10", "web", 1.0)
    assert "192.0.2.10" in bench.after_a_boot().networks()
    bench.applying.try_network([{"ipv6": "auto"}], 300)
    bench.applying.confirm_network(CONSOLE, "console", 2.0)
    assert "192.0.2.10" not in bench.after_a_boot().networks()


@pytest.mark.parametrize(("act", "said"), [
    (lambda one: one.try_network([{"ipv4": "x"}], 300), "network.0.ipv4"),
    (lambda one: one.try_network(STATIC, 5), "60 to 1800 s"),
    (lambda one: one.change({"hostname": "-"}, "web", 1.0), "hostname"),
    (lambda one: one.change({"network": STATIC}, "web", 1.0), "on trial"),
    (lambda one: one.typed("hostname: [", "web", 1.0), "branchline-provision.yaml:"),
    (lambda one: one.set_time(1.8e9, True), "follows NTP or PTP"),
])
def test_what_cannot_be_is_refused_and_changes_nothing(bench: Bench, act: Any, said: str) -> None:
    before = bench.networks()
    with pytest.raises(BranchlineError, match=said):
        act(bench.applying)
    assert (bench.networks(), bench.kept.provisioned(), bench.ran) == (before, None, [])


def test_keys_change_one_by_one(bench: Bench, key: str) -> None:
    bench.applying.change({"hostname": "box-7"}, "console", 1.0)
    bench.applying.change({"admin_keys": [key]}, "console", 2.0)
    again = bench.after_a_boot()
    assert (again.file("etc/hostname"), again.file(places.ADMIN_KEYS)) == ("box-7\n", f"{key}\n")
    assert "hostname: box-7" in again.applying.shown()
    bench.applying.change({"admin_keys": []}, "console", 3.0)
    assert bench.file(places.ADMIN_KEYS) == ""


def test_a_boot_reads_no_schema() -> None:
    """An early boot waits for it: half a second on a small processor."""
    code = ("import sys; import appliance.box.provision.kept; "
            "print('pydantic' in sys.modules, 'yaml' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
