"""The branchline command."""

import click

from appliance.launch import rooms

# Commands and their rooms, read when they are asked for: others need not wait for what they import.
ELSEWHERE = {
    "abandoned": "callbacks:abandoned",
    "agents": "agents:agents",
    "archive": "archive:archive",
    "backup": "backup:backup",
    "board": "hardware:board",
    "bring-back": "channels:bring_back_command",
    "busy-out": "channels:busy_out_command",
    "calendar": "route:calendar",
    "callbacks": "callbacks:callbacks",
    "card": "card:card",
    "channels": "channels:channels",
    "check": "configured:check",
    "clock": "own_box:clock",
    "config": "config:config",
    "console": "own_box:console",
    "control": "control:control",
    "e1ctl": "configured:e1ctl",
    "factory-reset": "own_box:factory_reset",
    "figures": "figures:figures",
    "fleet": "fleet:fleet",
    "flow": "flow:flow",
    "grafana": "grafana:grafana",
    "hardware": "hardware:hardware",
    "health": "hardware:health",
    "listen": "listening:listen_command",
    "maintenance": "maintenance:maintenance",
    "media": "media:media",
    "people-password": "people_password:people_password",
    "prompts": "configured:prompts",
    "provision": "own_box:provision",
    "quality": "quality:quality",
    "queues": "queues:queues",
    "rebuild": "records:rebuild",
    "recorded": "recorded:recorded",
    "recordings": "recordings:recordings",
    "reload": "configured:reload",
    "route": "route:route",
    "sim": "sim:sim",
    "ssh-password": "ssh_password:ssh_password",
    "status": "status:status",
    "support": "own_box:support",
    "survey": "callbacks:survey",
    "test-call": "update:test_call",
    "trace": "tracing:trace",
    "trace-malicious": "malicious:trace_malicious",
    "up": "configured:up",
    "update": "update:update",
    "verify": "verify:verify",
    "voicemail": "callbacks:voicemail",
}


@click.group(
    cls=rooms.Commands, elsewhere=ELSEWHERE, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="branchline")
def main() -> None:
    """Branchline: a branch office's E1/PRI lines turned into a complete call centre."""
