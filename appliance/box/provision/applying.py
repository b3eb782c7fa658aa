"""What root does with a document: all of it checked first, then kept in one step, then in force."""

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from ipaddress import ip_interface
from pathlib import Path

import yaml
from pydantic import ValidationError

from appliance.box.backup.durable import make_folder, sync_folder, write_file
from appliance.box.clock import kernel
from appliance.box.programs import Run, run
from appliance.box.provision import kept as places
from appliance.box.provision import plan
from appliance.box.provision.document import NetworkConfig, Provision, kept_document, load
from appliance.box.provision.kept import Candidate, Json, Kept, Provisioned, since_boot_s, swap_folder
from appliance.box.provision.plan import FILE, FOLDER
from appliance.config.load import load as load_configuration
from appliance.errors import ConfigError, StateError, Unavailable

TRIAL_S = (60, 1800)                              # a network may be on trial for so long
MOST_FILES, MOST_OCTETS = 2000, 256 << 20         # of a configuration folder
GROUP = "branchline"
WEBUI = "branchline-webui"
REVERT_UNIT = "branchline-network-revert"
CONSOLE = "console"

def give(path: Path, user: str, group: str) -> None:
    """Unavailable: this machine has no such user."""
    try:
        shutil.chown(path, user, group)
    except LookupError as error:
        raise Unavailable(f"{path}: {error.args[0]}: is the package branchline installed?") from None


class Applying:
    """`own`: gives a file or folder to a user and group of the box."""

    def __init__(self, kept: Kept, run: Run = run, serial: str = "",
                 own: Callable[[Path, str, str], None] = give) -> None:
        self._kept, self._run, self.serial, self._own = kept, run, serial, own

    # --- the whole document

    def read(self, path: Path) -> Provision:
        """ConfigError: a line for every mistake of the document, and of the configuration beside it."""
        document = load(path)
        if document.serial and document.serial != self.serial:
            raise ConfigError(f"{path}: serial: the document is for the box {document.serial}, this is "
                              f"{self.serial or 'one without a serial number'}")
        if document.configuration:
            found = path.parent / FOLDER / "branchline.yaml"
            if not found.is_file():
                raise ConfigError(f"{path}: configuration: there is no {FOLDER}/branchline.yaml beside it")
            load_configuration(found)
        return document

    def provision(self, path: Path, source: str, at: float) -> Provision:
        """Make the box what the document at `path` says. ConfigError, StateError: nothing was changed,
        unless it says so.

        A power cut before the document is kept leaves an unprovisioned box, which takes it again.
        """
        if (found := self._kept.provisioned()) is not None:
            raise StateError(f"the box is provisioned already, by {found.source}: change what is to change, "
                             "or reset it to its state from the factory")
        document = self.read(path)
        root = self._kept.root
        if document.configuration:
            self._take_configuration(path.parent / FOLDER)
        if document.web_setup_code is not None and not (
                root / places.SETUP_CODE).with_name("users.sqlite").exists():
            write_file(root / places.SETUP_CODE, document.web_setup_code.encode())
            self._own(root / places.SETUP_CODE, WEBUI, GROUP)
        self._write_keys(document.admin_keys)
        self._keep(document, source, at)
        self._put_in_force(document)
        if document.configuration:
            self._run(["systemctl", "--no-block", "restart", "branchline.target"])
        return document

    def typed(self, text: str, source: str, at: float, check: bool = False) -> Provision:
        """As provision, of a document that a person sent; `check`: only read. Nothing lies beside it."""
        with tempfile.TemporaryDirectory(prefix="branchline-") as folder:
            path = Path(folder) / FILE
            path.write_text(text)
            try:
                return self.read(path) if check else self.provision(path, source, at)
            except ConfigError as error:
                raise ConfigError(str(error).replace(f"{folder}/", "")) from None

    # --- parts of it

    def document(self) -> Provision:
        """As it is kept; that of the factory without one."""
        found = self._kept.provisioned()
        return Provision() if found is None else kept_document(found.document)

    def shown(self) -> str:
        """It as YAML, without what is secret."""
        return yaml.safe_dump(self.document().model_dump(mode="json", exclude_none=True,
                                                         exclude={"web_setup_code", "configuration"}),
                              sort_keys=False, allow_unicode=True)

    def change(self, update: Json, source: str, at: float) -> Provision:
        """Keys of the document other than `network`, in force at once. ConfigError: what is wrong."""
        if "network" in update or "configuration" in update:
            raise ConfigError("network is changed on trial, configuration by a commit")
        document = self._changed(update)
        self._write_keys(document.admin_keys)
        self._keep(document, source, at)
        self._put_in_force(document)
        return document

    def set_time(self, at: float, synchronised: bool) -> None:
        """StateError: somebody who knows better sets the clock."""
        if synchronised:
            raise StateError("the clock follows NTP or PTP: it is not set by hand")
        time.clock_settime(time.CLOCK_REALTIME, at)
        kernel.set_rtc(at)

    # --- a network on trial

    def try_network(self, network: list[Json], for_s: float) -> Candidate:
        """In force at once; undone after `for_s`, or by a boot, unless somebody confirms it."""
        if not TRIAL_S[0] <= for_s <= TRIAL_S[1]:
            raise ConfigError(f"a network is on trial for {TRIAL_S[0]} to {TRIAL_S[1]} s")
        document = self._changed({"network": network})
        now = since_boot_s()
        candidate = Candidate([one.model_dump(mode="json") for one in document.network],
                              plan.network_files(document), now, now + for_s)
        self._stop_timer()
        self._run(["systemd-run", "--quiet", "--collect", f"--unit={REVERT_UNIT}",
                   f"--on-active={for_s:g}s", "--timer-property=AccuracySec=1s",
                   sys.executable, "-P", "-m", "appliance.box.provision", "revert"])
        self._kept.try_out(candidate)
        self._write_network(candidate.files)
        return candidate

    def confirm_network(self, through: str, source: str, at: float) -> Provision:
        """`through`: the box's address at which the confirmation came, or CONSOLE."""
        candidate = self._kept.candidate()
        if candidate is None:
            raise StateError("no network is on trial: its time was over, or it was confirmed already")
        network = [NetworkConfig.model_validate(one) for one in candidate.network]
        own = {str(ip_interface(text).ip) for one in network for text in (one.ipv4, one.ipv6)
               if text not in ("dhcp", "auto", "off")}
        given = any(one.ipv6 == "auto" if ":" in through else one.ipv4 == "dhcp" for one in network)
        if through != CONSOLE and through not in own and not given:
            raise StateError(f"confirm it from the new address, {' or '.join(sorted(own))}, or on the "
                             f"console: this came to {through}")
        document = self._changed({"network": candidate.network})
        self._keep(document, source, at)
        self._kept.try_out(None)
        self._stop_timer()
        return document

    def revert_network(self) -> bool:
        """The network as it is kept, in force again. False: none was on trial."""
        if self._kept.candidate() is None:
            return False
        found = self._kept.provisioned()
        self._write_network(plan.unprovisioned() if found is None else found.files)
        self._kept.try_out(None)
        self._stop_timer()
        return True

    # --- how

    def _changed(self, update: Json) -> Provision:
        try:
            return Provision.model_validate({**self.document().model_dump(mode="json"), **update})
        except ValidationError as error:
            raise ConfigError("\n".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}"
                for one in error.errors())) from None

    def _keep(self, document: Provision, source: str, at: float) -> None:
        self._kept.keep(Provisioned(source, at, document.model_dump(mode="json", exclude={"web_setup_code"}),
                                    plan.files(document)))

    def _put_in_force(self, document: Provision) -> None:
        self._kept.boot()
        if (candidate := self._kept.candidate()) is not None:        # its trial goes on
            self._write_network(candidate.files)
        try:
            self._run(["networkctl", "reload"])
            for unit in ("systemd-timesyncd.service", "branchline-ptp.service"):
                self._run(["systemctl", "--no-block", "restart", unit])
        except Unavailable as error:
            raise StateError(f"it is kept, and in force when the box has started again: {error}") from None

    def _write_network(self, files: plan.Files) -> None:
        found = self._kept.provisioned()
        now = plan.unprovisioned() if found is None else found.files
        rest = {name: text for name, text in now.items() if not name.startswith(plan.NETWORK_FOLDER)}
        network = {name: text for name, text in files.items() if name.startswith(plan.NETWORK_FOLDER)}
        folder = self._kept.root / plan.NETWORK_FOLDER
        before = set(folder.glob("*.netdev"))
        self._kept.write({**rest, **network}, self.document().time_zone)
        self._run(["networkctl", "reload"])
        for path in before - set(folder.glob("*.netdev")):           # networkd leaves them as they were
            with contextlib.suppress(Unavailable):         # it was never made: no such port
                self._run(["ip", "link", "delete", "dev", path.stem.removeprefix("20-")])

    def _stop_timer(self) -> None:
        with contextlib.suppress(Unavailable):    # it is not loaded: none runs
            self._run(["systemctl", "stop", f"{REVERT_UNIT}.timer"])         # its name is free on return

    def _write_keys(self, keys: list[str]) -> None:
        """sshd reads the file as the user, so all may read it."""
        path = self._kept.root / places.ADMIN_KEYS
        make_folder(path.parent, 0o755)
        write_file(path, "".join(f"{key}\n" for key in keys).encode())
        path.chmod(0o644)

    def _take_configuration(self, folder: Path) -> None:
        """A copy of the folder in the place of the box's, checked where it will be read."""
        root = self._kept.root
        place = root / places.CONFIG
        staging = place.with_name("config.new")
        if staging.exists():
            places.remove(staging)
        make_folder(place.parent, 0o755)
        copy(folder, staging)
        load_configuration(staging / "branchline.yaml")
        for path in (staging, *staging.rglob("*")):
            self._own(path, "root", GROUP)
            path.chmod(0o2770 if path.is_dir() else 0o660)           # the group's: boxd commits changes
        swap_folder(staging, place)


def copy(folder: Path, to: Path) -> None:
    """Files and folders, durable; ConfigError: links and devices, too many, too large."""
    files = octets = 0
    to.mkdir(mode=0o750)
    for place, folders, names in os.walk(folder):
        above = to / Path(place).relative_to(folder)
        for name in names:
            path = Path(place) / name
            found = path.lstat()
            if not stat.S_ISREG(found.st_mode):
                raise ConfigError(f"{path}: only files and folders are taken")
            files, octets = files + 1, octets + found.st_size
            if files > MOST_FILES or octets > MOST_OCTETS:
                raise ConfigError(f"{folder}: more than {MOST_FILES} files or {MOST_OCTETS >> 20} MiB: "
                                  "that is no configuration")
            write_file(above / name, path.read_bytes())
        for name in folders:
            if (Path(place) / name).is_symlink():
                raise ConfigError(f"{Path(place) / name}: only files and folders are taken")
            (above / name).mkdir(mode=0o750)
        sync_folder(above)

