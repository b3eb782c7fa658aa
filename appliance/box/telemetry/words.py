"""The table of measures as docs/telemetry.md has it: `python -m appliance.box.telemetry.words` prints it."""

import sys
from collections.abc import Iterator

from appliance.box.telemetry.measures import MEASURES


def table() -> Iterator[str]:
    """Markdown, by measurement."""
    groups = {measure.measurement: [one for one in MEASURES if one.group == measure.group]
              for measure in MEASURES}
    yield "| measurement | field | kind | unit | tags | what | 中文 |"
    yield "|---|---|---|---|---|---|---|"
    for measurement, measures in groups.items():
        for one in measures:
            cells = (measurement, one.field, one.kind, one.unit, ", ".join(one.labels), one.en, one.zh)
            yield "| " + " | ".join(cells).replace("|  |", "| |").replace("|  |", "| |") + " |"


def main() -> int:
    sys.stdout.writelines(f"{line}\n" for line in table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
