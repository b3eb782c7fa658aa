"""From what is seen to points: of each measurement and set of tags one, with all its fields."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from appliance.box.telemetry.measure import Measure
from appliance.box.telemetry.seen import Seen

BOX = "box"                                       # the tag that tells boxes apart
LEVEL = 6                                         # of gzip

Sample = dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, float]]     # measurement, tags -> fields


def sample(measures: Iterable[Measure], seen: Seen) -> Sample:
    """All that is known at this moment."""
    found: Sample = {}
    for measure in measures:
        measurement = measure.measurement
        for values, figure in measure.read(seen):
            if isfinite(figure):                  # line protocol has no other
                tags = tuple(zip(measure.labels, values, strict=True))
                found.setdefault((measurement, tags), {})[measure.field] = float(figure)
    return found


def member(found: Sample, tags: Mapping[str, str], at_ns: int, point: Any) -> bytes:
    """The points, each with `tags` beside its own, as a gzip member. point: client.point()."""
    lines = []
    for (measurement, own), fields in found.items():
        one = point(measurement).time(at_ns)
        for key, value in (*tags.items(), *own):
            one.tag(key, value)
        for field, figure in fields.items():
            one.field(field, figure)
        lines.append(one.to_line_protocol())
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), LEVEL, mtime=0)


def joined(members: Sequence[bytes]) -> bytes:
    """Several members as one: InfluxDB 3 reads the first one only, and says that it took all."""
    if len(members) == 1:
        return members[0]
    return gzip.compress(b"".join(map(gzip.decompress, members)), LEVEL, mtime=0)
