"""A real call through the shipped image, its line an emulated circuit to an exchange outside."""

import os
import re
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hil_tests.instruments import audio
from hil_tests.instruments.call import Call
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.qemu.box import CONSOLE_PORT, LINE_PORT, SHELL_PORT, Site, until
from hil_tests.qemu.following import LINE, exchange
from hil_tests.qemu.machine import SLOW, Disk, Machine
from hil_tests.vm.debian import BenchError

NUMBER, CALLER = "5001", "13800138000"
KEY = "7"
ASK_HZ, TAKEN_HZ = 440.0, 1000.0                  # what the caller hears before and after KEY
LEVEL_DBM0, TOLERANCE_DB = -10.0, 1.0
LOOK_OCTETS = audio.RATE_HZ // 10
UP_S, ANSWER_S, HEAR_S, BACK_S = 420.0, 30.0, 30.0, 120.0
KEY_S = 0.3                                       # longer than a person's, for a guest that stumbles
MOST_MB = 400.0
OURS = ("sshd: admin", "sudo ", "sh -c", "grep ")  # whose memory is not that of an idle box: we who ask
LINK_UP = "links_up\N{NO-BREAK SPACE}1"
FORWARD = (("tcp", CONSOLE_PORT), ("tcp", SHELL_PORT), ("udp", LINE_PORT))
SPAN = f"cesop:{{host}}:{{peer}}?port={{port}}&{LINE}"
FLOW = f"""\
language: en
start: ask
nodes:
  ask: {{kind: menu, prompt: ask, digits: {{{KEY}: taken}}, default: end, timeout_s: 30, retries: 0}}
  taken: {{kind: play, prompt: taken, next: end}}
  end: {{kind: hangup}}
"""
CONFIGURATION = f"""\
spans:
  - {{{{name: telco1, url: "{SPAN}", side: user, trunk: telco, timeslots: 1-15}}}}
console: {{{{older_clients: true}}}}               # Debian 12 has OpenSSH 9.2
media:
  prompts: prompts
  country: cn
centre:
  inbound:
    - {{{{trunk: telco, called: "{NUMBER}", flow: main.yaml}}}}
"""
# Our hand in the guest, which the shipped image has not: systemd makes the files that a hypervisor hands it.
# Ref: systemd.system-credentials(7), tmpfiles.d(5).
HAND = "f /etc/sudoers.d/bench 0440 root root - admin ALL=(root) NOPASSWD: ALL\n"
MEMORY = ("grep -s ^Pss: /proc/[0-9]*/smaps_rollup; grep -sa . /proc/[0-9]*/cmdline | tr '\\0' ' '; "
          "cat /proc/meminfo")

Say = Callable[[str], None]


def site(folder: Path, configuration: str = CONFIGURATION, bundles: tuple[Path, ...] = ()) -> Site:
    """A stick with a box's configuration, whose flow plays tones, and update bundles."""
    prompts = {}
    for name, hz, seconds in (("ask", ASK_HZ, 20.0), ("taken", TAKEN_HZ, 3.0)):
        prompts[name] = folder / f"{name}.wav"
        audio.write_wav(prompts[name], audio.tone(hz, LEVEL_DBM0, seconds))
    return Site.made(folder / "site", FLOW, configuration, prompts, bundles)


def hand(folder: Path) -> Sequence[str]:
    """Devices of a machine whose admin may do all as root."""
    path = folder / "hand"
    path.write_text(HAND)
    return "-fw_cfg", f"name=opt/io.systemd.credentials/tmpfiles.extra,file={path}"


def run(folder: Path, image: Path, say: Say) -> dict[str, float]:
    """A new box is provisioned, called, its spand killed, and called again; what was measured."""
    branch, disk = site(folder), Disk.made(folder / "disk.qcow2", image)
    with Machine(folder, disk, stick=branch.stick, forward=FORWARD, devices=hand(folder)) as box:
        with exchange(box.ports[LINE_PORT], branch.far_port) as far_end:
            far_end.wait_up(UP_S * SLOW)
            figures = {"channel_s": time.monotonic() - box.began, "channel_cpu_s": box.cpu_s()}
            say(f"new box, D-channel up: {figures['channel_s']:.0f} s, {figures['channel_cpu_s']:.0f} CPU s")
            branch.wait_up(box, UP_S)
            figures |= call(far_end, say)
            told(branch, box, say)
            console(branch, box, say)
            figures |= memory(branch, box, say)
            figures["back_s"] = kill_spand(branch, box, far_end)
            say(f"spand killed: D-channel back after {figures['back_s']:.1f} s")
            call(far_end, say)
            say(f"far end: {far_end.line.span.counters()}")
        box.power_off()
    return figures


def call(far_end: SoftwareExchange, say: Say) -> dict[str, float]:
    """A caller hears a tone, presses a key, hears another; the box ends it. NotSeen: otherwise."""
    one = far_end.place_call(NUMBER, CALLER)
    connected = one.wait_for("CONNECT", ANSWER_S * SLOW)
    figures = {"answer_s": connected.at - one.setup_at, "ask_dbm0": heard_dbm0(one, ASK_HZ)}
    one.dtmf(KEY, KEY_S, KEY_S)
    figures["taken_dbm0"] = heard_dbm0(one, TAKEN_HZ)
    released = one.wait_for("RELEASED", HEAR_S * SLOW)
    if (one.cleared_by, released.cause) != ("far", 16):
        raise BenchError(f"the call was cleared by {one.cleared_by}, cause {released.cause}")
    say(f"answered {figures['answer_s']:.2f} s after SETUP; {ASK_HZ:g} Hz at {figures['ask_dbm0']:.1f} dBm0, "
        f"key {KEY}, {TAKEN_HZ:g} Hz at {figures['taken_dbm0']:.1f} dBm0; ended by the box")
    return figures


def heard_dbm0(one: Call, hz: float) -> float:
    """The tone's level where it is first as loud as it was recorded. NotSeen: it never is."""
    at_s = one.wait_to_hear(hz, LEVEL_DBM0, TOLERANCE_DB, HEAR_S * SLOW)
    return audio.level_dbm0(one.heard(at_s)[:LOOK_OCTETS], hz)


def told(branch: Site, box: Machine, say: Say) -> None:
    """What the NOC is shown of it. BenchError: not the call."""
    say(branch.branchline(box, "status"))
    health = branch.ssh(box, "sudo", "branchline", "health")
    say(f"{health.stdout}{health.stderr}")
    ladder = branch.branchline(box, "trace", "--call", "last")
    say(ladder)
    if missing := [word for word in ("SETUP", "CONNECT", "RELEASE", CALLER, NUMBER) if word not in ladder]:
        raise BenchError(f"branchline trace --call last does not show {', '.join(missing)}")


def console(branch: Site, box: Machine, say: Say) -> None:
    """Its own port, that systemd opens; boxd answers, and there is no shell. BenchError: anything else."""
    asked = branch.ssh(box, "show", "version", "--json", port=CONSOLE_PORT)
    shell = branch.ssh(box, "sh", "-c", "id", port=CONSOLE_PORT)
    say(f"console: {asked.stdout}{asked.stderr}{shell.stdout}{shell.stderr}")
    if asked.returncode or '"version":' not in asked.stdout or shell.returncode != os.EX_USAGE:
        raise BenchError(f"the console: exit {asked.returncode}, for a shell {shell.returncode}")


def memory(branch: Site, box: Machine, say: Say) -> dict[str, float]:
    """MB of all processes, shared pages counted once, and of the whole box, without caches. BenchError: the
    processes have more than MOST_MB."""
    said = as_root(branch, box, MEMORY)
    names = dict(re.findall(r"^/proc/(\d+)/cmdline:(.*)$", said, re.MULTILINE))
    rows = sorted(((int(kib) * 1024 / 1e6, names.get(process, "")) for process, kib in re.findall(
        r"^/proc/(\d+)/smaps_rollup:Pss: +(\d+) kB$", said, re.MULTILINE)
        if not names.get(process, "").startswith(OURS)), reverse=True)
    mb = {name: int(kib) * 1024 / 1e6 for name, kib in re.findall(r"^(\w+): +(\d+) kB$", said, re.MULTILINE)}
    used = mb["MemTotal"] - sum(mb[name] for name in ("MemFree", "Buffers", "Cached", "SReclaimable"))
    figures = {"processes_mb": sum(one for one, _ in rows), "box_mb": used + mb["Shmem"]}
    say("\n".join(f"{one:7.1f} MB  {name[:90]}" for one, name in rows[:15]))
    say(", ".join(f"{name} {mb[name]:.0f} MB" for name in (
        "MemTotal", "MemFree", "MemAvailable", "Cached", "Shmem", "AnonPages", "Mapped", "Unevictable",
        "SUnreclaim", "SReclaimable", "KernelStack", "PageTables", "VmallocUsed", "Percpu")))
    say(f"memory: {len(rows)} processes {figures['processes_mb']:.0f} MB, "
        f"the whole box {figures['box_mb']:.0f} MB as free(1) counts it")
    if figures["processes_mb"] > MOST_MB:
        raise BenchError(f"more than {MOST_MB:g} MB")
    return figures


def kill_spand(branch: Site, box: Machine, far_end: SoftwareExchange) -> float:
    """By SIGKILL; seconds until another one has the D-channel up, by systemd alone."""
    before = spand(branch, box)
    as_root(branch, box, "systemctl kill --signal=KILL branchline-spand.service")
    began = time.monotonic()
    until(lambda: spand(branch, box) not in ("0", before), BACK_S, "spand is not started anew")
    until(lambda: LINK_UP in branch.ssh(box, "sudo", "branchline", "status").stdout, BACK_S,
          "the D-channel does not come back")
    far_end.wait_up(BACK_S * SLOW)
    return time.monotonic() - began


def spand(branch: Site, box: Machine) -> str:
    """Its process, "0": none."""
    return as_root(branch, box, "systemctl show --value --property MainPID branchline-spand.service").strip()


def as_root(branch: Site, box: Machine, command: str) -> str:
    """By our own hand. BenchError: it fails."""
    done = branch.ssh(box, "sudo", "sh", "-c", shlex.quote(command))
    if done.returncode:
        raise BenchError(f"{command}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
