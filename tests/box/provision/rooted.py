"""root's side of the box, for tests: its verbs behind the real socket, on a root folder of the test's own."""

import contextlib
import os
import socket
import threading
from pathlib import Path

from appliance.box.privileged.serving import serve
from appliance.box.privileged.verb import SOCKET, Nothing, Tell, Value, Verb
from appliance.box.provision.verbs import Verbs
from tests.box.provision.test_applying import Bench


class Root:
    """Programs and new starts are only noted."""

    def __init__(self, run_dir: Path, bench: Bench) -> None:
        self.bench, self.reboots = bench, 0
        rows = Verbs(bench.kept.root, bench.run).rows | {"reboot": Verb(Nothing, self._reboot)}
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(run_dir / SOCKET))
        self._listening.listen()

        def serving() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = self._listening.accept()
                    with line:
                        serve(line, rows, {os.getuid()}, run_dir / "lock")
        self._thread = threading.Thread(target=serving)
        self._thread.start()

    def _reboot(self, asked: Nothing, tell: Tell) -> dict[str, Value]:
        self.reboots += 1
        return {}

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
