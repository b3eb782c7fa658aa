"""Which ports the configuration opens, for the firewall of a box: everything else is dropped. Pure.

The console is not among them: systemd has port 22 open for it (branchline-ssh.socket), which the rules let
in, and on such a box nothing listens at `console.port`.

Ref: images/box/root/usr/lib/branchline-box/firewall.nft has the rules and the two sets that are filled here.
"""

import sys
from pathlib import Path

from appliance.config.load import load
from appliance.config.schema import Config
from appliance.errors import ConfigError
from e1_driver.backends.pwe3_url import cesop_circuit, satop_circuit

_CIRCUITS = {"cesop": cesop_circuit, "satop": satop_circuit}
_OWN = ("127.0.0.1", "::1", "localhost")          # heard by the box alone


def ruleset(config: Config) -> str:
    """For nft -f: both sets anew, in one step."""
    tcp = [] if config.web.host in _OWN or not config.web.port else [str(config.web.port)]
    udp = []
    rtp = config.media.rtp
    if rtp.legs and rtp.address not in _OWN:
        udp.append(f"{rtp.first_port}-{rtp.last_port}")
    if config.snmp.address and config.snmp.address not in _OWN:
        udp.append(str(config.snmp.port))
    for span in config.spans:
        scheme, _, rest = span.url.partition(":")
        if scheme in _CIRCUITS:
            udp.append(str(_CIRCUITS[scheme](rest).local[1]))
    lines = []
    for name, ports in (("tcp_ports", tcp), ("udp_ports", udp)):
        lines.append(f"flush set inet branchline {name}")
        if ports:
            lines.append(f"add element inet branchline {name} {{ {', '.join(ports)} }}")
    return "\n".join([*lines, ""])


def main(argv: list[str]) -> int:
    """Prints the rule set of the document `argv[0]`."""
    try:
        print(ruleset(load(Path(argv[0]))), end="")
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 78                                 # EX_CONFIG: what was open stays open
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
