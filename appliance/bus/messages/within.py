"""The range of who asks: calls outside it are not found, and not counted."""

import msgspec

MOST_WITHIN = 500                                 # names of one limit


class Within(msgspec.Struct, frozen=True, kw_only=True):
    """None is no limit; an empty list names nobody. A call is within when no limit leaves out what is known
    of it, and one limit names it: a caller who waits has no agent yet, and a call in a menu neither."""

    queues: list[str] | None = None
    agents: list[str] | None = None
    trunks: list[str] | None = None               # of recordings; a contact does not keep its trunk

    def holds(self, queue: str = "", agent: str = "", trunk: str = "") -> bool:
        """A call of which this is known, "": is not."""
        values = {"queue": queue, "agent": agent, "trunk": trunk}
        said = [values[name] in names for name, names in self.limits().items() if values[name]]
        return (bool(said) and all(said)) if self.limits() else True

    def limits(self) -> dict[str, list[str]]:
        """By the name of the column; of kinds that have one."""
        return {name: names for name, names in (
            ("queue", self.queues), ("agent", self.agents), ("trunk", self.trunks)) if names is not None}
