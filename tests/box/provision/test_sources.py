"""Where documents come from: a stick that was really mounted, a server with certificate and signature."""

import base64
import http.server
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box.provision import __main__ as unit
from appliance.box.provision import offered, stick
from appliance.box.provision.applying import Applying
from appliance.box.provision.kept import Kept
from appliance.box.provision.plan import FILE
from appliance.box.provision.waiting import Waiting
from appliance.errors import Unavailable
from tests.box.provision.test_applying import Bench, bench

__all__ = ["bench"]

MAKES = {"vfat": ["mkfs.vfat", "-F", "32"], "ext4": ["mkfs.ext4", "-q"]}


def image(path: Path, kind: str, files: dict[str, str]) -> None:
    subprocess.run(["truncate", "-s", "40M", path], check=True)
    if kind == "ext4":
        tree = path.with_suffix(".tree")
        tree.mkdir()
        for name, text in files.items():
            (tree / name).write_text(text)
        subprocess.run([*MAKES[kind], "-d", tree, path], check=True)
    else:
        subprocess.run([*MAKES[kind], path], check=True, capture_output=True)
        for name, text in files.items():
            subprocess.run(["mcopy", "-i", path, "-", f"::{name}"], input=text.encode(), check=True)


@pytest.fixture
def loop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, Path]]:
    """A device that has the image of a stick, as `kind` and `files` of the test's parameter."""
    kind, files = request.param
    if kind not in Path("/proc/filesystems").read_text().split():
        pytest.skip(f"this kernel mounts no {kind}")
    path = tmp_path / "stick.img"
    image(path, kind, files)
    found = subprocess.run(["losetup", "--find", "--show", path], capture_output=True, text=True)
    if found.returncode:
        pytest.skip(f"no loop devices: {found.stderr}")
    yield Path(found.stdout.strip()), path
    subprocess.run(["losetup", "--detach", found.stdout.strip()], check=True)


def both(files: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("loop", [(kind, files) for kind in MAKES], indirect=True, ids=list(MAKES))


def waiting(bench: Bench, *devices: Path) -> Waiting:
    return Waiting(bench.kept, bench.applying, lambda: list(devices), Path("/nowhere"), Path("/nowhere"))


@pytest.mark.parametrize("kind", MAKES)
def test_a_file_system_is_known_by_its_first_octets(tmp_path: Path, kind: str) -> None:
    image(tmp_path / "stick.img", kind, {FILE: "{}"})
    with (tmp_path / "stick.img").open("rb") as file:
        assert stick.file_system(file.read(stick.HEAD_OCTETS)) == kind
    assert stick.file_system(bytes(stick.HEAD_OCTETS)) is None


@both({FILE: "hostname: branch-12\n"})
def test_a_stick_makes_a_new_box_and_is_told(bench: Bench, loop: tuple[Path, Path]) -> None:
    device, _ = loop
    look = waiting(bench, device)
    assert look.look()
    assert bench.file("etc/hostname") == "branch-12\n"
    with stick.mounted(device) as folder:
        assert "box BL-0001: provisioned as branch-12" in (folder / stick.LOG).read_text()
        with pytest.raises(OSError):
            (folder / "x").write_text("mounted to be read only")
    assert look.look(), "a provisioned box looks at no stick"


@both({FILE: "hostname: Branch 12\n"})
def test_a_stick_in_error_changes_nothing_and_says_why(bench: Bench, loop: tuple[Path, Path]) -> None:
    device, _ = loop
    look = waiting(bench, device)
    assert not look.look() and not look.look()
    assert f"{FILE}:1: hostname: " in bench.kept.told() and "/" not in bench.kept.told()
    with stick.mounted(device) as folder:
        log = (folder / stick.LOG).read_text()
        assert log.count("NOT PROVISIONED") == 1, "a stick that stays in is read once"
    assert bench.kept.provisioned() is None


@both({FILE: "hostname: branch-12\n"})
def test_what_is_kept_is_never_said_not_to_be(bench: Bench, loop: tuple[Path, Path]) -> None:
    device, _ = loop

    def run(command: list[str], within_s: float = 0.0) -> str:
        if command[0] == "networkctl":
            raise Unavailable("networkctl: has not ended in 60 s")
        return ""
    bench.applying = Applying(bench.kept, run)
    assert waiting(bench, device).look()
    with stick.mounted(device) as folder:
        log = (folder / stick.LOG).read_text()
    assert ": PROVISIONED, start the box again" in log and "nothing was changed" not in log
    assert bench.after_a_boot().file("etc/hostname") == "branch-12\n"


def test_noise_is_no_stick_and_an_installer_is_told(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 16)
    assert not waiting(bench, tmp_path / "noise").look()
    assert bench.kept.told().endswith("neither FAT, exFAT nor ext4: format it as FAT")
    bench.kept.tell("stick sda1: NOT PROVISIONED, nothing was changed")
    assert not waiting(bench, tmp_path / "noise", tmp_path / "pulled-out").look()
    assert "NOT PROVISIONED" in bench.kept.told(), "what was said of a document stays"


def test_the_unit_that_waits_knows_the_serial_number(
        bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents with `serial` are for it, too."""
    bench.applying.typed("{}", "web", 1.0)        # it has nothing to wait for
    served: list[str] = []
    monkeypatch.setattr(unit, "Kept", lambda: bench.kept)
    monkeypatch.setattr("appliance.box.provision.serial.serial", lambda: "BL-0001")

    def made(kept: Kept, applying: Applying) -> Waiting:
        served.append(applying.serial)
        return waiting(bench)
    monkeypatch.setattr("appliance.box.provision.waiting.Waiting", made)
    assert unit.main("wait") == 0
    assert served == ["BL-0001"]


@both({"branchline-provision.yaml.txt": "{}"})
def test_a_stick_without_a_document_is_told(bench: Bench, loop: tuple[Path, Path]) -> None:
    device, _ = loop
    assert not waiting(bench, device).look()
    assert bench.kept.told() == f"stick {device.name}: there is no {FILE} in its root folder"


def test_partitions_are_those_on_usb(tmp_path: Path) -> None:
    for name in ("pci0/usb1/host/sda/sda1", "pci0/usb1/host/sdb", "pci0/ata1/sdc/sdc1", "virtual/loop0"):
        (tmp_path / "devices" / name).mkdir(parents=True)
    for name in ("pci0/usb1/host/sda/sda1", "pci0/ata1/sdc/sdc1"):
        (tmp_path / "devices" / name / "partition").write_text("1\n")
    (tmp_path / "class/block").mkdir(parents=True)
    for path in (tmp_path / "devices").rglob("*"):
        if path.name in ("sda", "sda1", "sdb", "sdc", "sdc1", "loop0"):
            (tmp_path / "class/block" / path.name).symlink_to(path)
    assert stick.partitions(tmp_path) == ["sda1", "sdb"]


# --- named by DHCP


class Server:
    """https with a certificate of its own, which the test's environment trusts; a key to sign with."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, folder / "key.pem"
        run = subprocess.run
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", folder / "tls.key", "-out", folder / "tls.pem", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True)
        run(["openssl", "pkey", "-in", self.key, "-pubout", "-out", folder / "public.pem"], check=True)
        site = folder / "site"
        site.mkdir()

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args: object) -> None:
                super().__init__(*args, directory=str(site))          # type: ignore[arg-type]

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = f"https://localhost:{self.server.server_port}/branch.yaml"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def put(self, text: str) -> None:
        """Signed as the guide says."""
        path = self.folder / "site/branch.yaml"
        path.write_text(text)
        signature = subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", path],
            check=True, capture_output=True).stdout
        path.with_name("branch.yaml.sig").write_bytes(base64.b64encode(signature))

    def leases(self) -> Path:
        folder = self.folder / "leases"
        folder.mkdir(exist_ok=True)
        (folder / "2").write_text(f"ADDRESS=192.0.2.9\nOPTION_224={self.address.encode().hex()}\n")
        return folder


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    found = Server(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "tls.pem"))
    yield found
    found.server.shutdown()
    found.server.server_close()
    found.thread.join()


def test_a_signed_document_of_dhcp_makes_a_new_box(bench: Bench, server: Server) -> None:
    server.put("hostname: branch-13\n")
    assert offered.addresses(server.leases()) == [server.address]
    look = Waiting(bench.kept, bench.applying, list, server.leases(), server.folder / "public.pem")
    assert look.look()
    assert bench.file("etc/hostname") == "branch-13\n"


def test_nobody_else_makes_a_box_by_dhcp(
        bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    public = server.folder / "public.pem"
    server.put("hostname: branch-13\n")
    (server.folder / "site/branch.yaml").write_text("hostname: evil\n")
    with pytest.raises(Unavailable, match="not that of this image's key"):
        offered.fetch(server.address, public)
    server.put("hostname: branch-13\n")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unavailable, match="certificate verify failed"):
        offered.fetch(server.address, public)
    assert not Waiting(bench.kept, bench.applying, list, server.leases(), Path("/no-key")).look()
    assert bench.kept.provisioned() is None


@pytest.mark.parametrize("octets", [
    b"http://a/b", b"https://u:p@a/b", b"https://[", b"\xff\xfe", b"file:///etc/shadow", b""])
def test_what_a_lease_must_not_name(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "2").write_text(f"OPTION_224={octets.hex()}\n")
    assert offered.addresses(tmp_path) == []


def test_a_server_that_never_ends_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and says nothing; one that drips is ended alike."""
    monkeypatch.setattr(offered, "FETCH_S", 0.05)
    with socket.create_server(("localhost", 0)) as silent, pytest.raises(Unavailable, match="has not ended"):
        offered.fetch(f"https://localhost:{silent.getsockname()[1]}/x", tmp_path / "key.pem")


def test_each_address_of_a_lease_has_its_pause(
        bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(address: str, key: Path) -> str:
        asked.append(address)
        raise Unavailable(f"{address}: not there")
    monkeypatch.setattr(offered, "fetch", fetch)
    (tmp_path / "leases").mkdir()
    (tmp_path / "key.pem").touch()
    for port in "23":
        (tmp_path / "leases" / port).write_text(f"OPTION_224={f'https://host-{port}/a'.encode().hex()}\n")
    look = Waiting(bench.kept, bench.applying, list, tmp_path / "leases", tmp_path / "key.pem")
    assert not (look.look() or look.look() or look.look())
    assert asked == ["https://host-2/a", "https://host-3/a"]
