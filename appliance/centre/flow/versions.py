"""Versions of flows that callers are in, kept as files: a call ends on the version that it began with."""

import logging
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from appliance.centre.flow.model import Flow, digest
from appliance.errors import ConfigError

FOLDER = "flows"                                  # below the state folder
_SUFFIX = ".json"

log = logging.getLogger(__name__)


class Versions:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, flows: Mapping[str, Flow]) -> None:
        """Have files of these, by digest. ConfigError: a restart would lose callers."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name, flow in flows.items():
                path = self._path(name)
                if not path.exists():
                    new = path.with_name(f".{path.name}")
                    with new.open("w", encoding="utf-8") as file:
                        file.write(flow.model_dump_json())
                        file.flush()
                        os.fsync(file.fileno())
                    new.replace(path)
        except OSError as error:
            raise ConfigError(f"{self._folder}: {error.strerror}: acdd has to write there") from None

    def load(self, names: Collection[str]) -> dict[str, Flow]:
        """Those that are there and whole; the log says which are not."""
        return dict(self._loaded(names))

    def forget_all_but(self, names: Collection[str]) -> None:
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if path.stem not in names:
                path.unlink(missing_ok=True)

    def _loaded(self, names: Collection[str]) -> Iterator[tuple[str, Flow]]:
        for name in sorted(names):
            try:
                flow = Flow.model_validate_json(self._path(name).read_bytes())
            except (OSError, ValidationError) as error:
                log.error("version %s of a flow is gone, its callers cannot go on: %s", name,
                          str(error).splitlines()[0])
                continue
            if digest(flow) == name:
                yield name, flow
            else:
                log.error("version %s of a flow is not what its file holds", name)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"
