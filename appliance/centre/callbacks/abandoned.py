"""Who went before anybody talked to him, and what has been done about it since: out of the records alone."""

from collections.abc import Callable, Iterable, Mapping

from appliance.bus.messages import AbandonedInfo, Disposition
from appliance.store.records import ContactRecord, Touch


def abandoned(lost: Iterable[ContactRecord], touches: Iterable[Touch],
              dispositions: Mapping[str, Disposition], callbacks: Mapping[str, str],
              canonical: Callable[[str], str]) -> list[AbandonedInfo]:
    """In the order of `lost`. touches: what customers had to do with us otherwise. callbacks: promised, by
    number. dispositions: the last of a contact."""
    by_number: dict[str, list[Touch]] = {}
    in_order = sorted(touches, key=lambda one: one.at)
    dialled = {touch.contact: touch.detail for touch in in_order if touch.kind == "dial"}
    for touch in in_order:
        number = touch.calling if touch.direction == "in" else dialled.get(touch.contact, touch.called)
        if number := canonical(number):
            by_number.setdefault(number, []).append(touch)
    gone = [(record, canonical(record.calling)) for record in lost
            if not any(one.kind == "talk" for one in record.segments)]
    times: dict[str, int] = {}
    for _, number in gone:
        times[number] = times.get(number, 0) + 1
    return [_info(record, times[number] if number else 1, by_number.get(number, []),
                  dispositions.get(record.contact), callbacks.get(number, "")) for record, number in gone]


def _info(record: ContactRecord, times: int, touches: list[Touch], disposition: Disposition | None,
          callback: str) -> AbandonedInfo:
    since = [one for one in touches if one.at >= record.ended_at and one.contact != record.contact]
    dialled = next((one for one in since if one.direction == "out" and one.kind == "dial"), None)
    talked = next((one for one in since if one.kind == "talk"), None)
    waits = [one for one in record.segments if one.kind in ("queue", "ring")]
    closed_at, closed_by = (talked.at, talked.agent) if talked is not None else (0.0, "")
    if disposition is not None and not closed_at:
        closed_at, closed_by = disposition.at, disposition.by
    return AbandonedInfo(
        contact=record.contact, number=record.calling, at=record.ended_at, times=times,
        queue=next((one.detail for one in reversed(waits) if one.kind == "queue"), ""),
        where=record.segments[-1].kind if record.segments else "flow",
        wait_s=sum(max(0.0, one.ended_at - one.began_at) for one in waits),
        called_back_at=0.0 if dialled is None else dialled.at,
        called_back_by="" if dialled is None else dialled.agent,
        closed_at=closed_at, closed_by=closed_by, closed_in="" if talked is None else talked.contact,
        disposition="" if disposition is None else disposition.code,
        note="" if disposition is None else disposition.note, callback=callback)
