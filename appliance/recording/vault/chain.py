"""The chain of what was done with recordings, and by whom; it grows at its end, in the caller's transaction.

Every entry's link holds all before it, so that one changed, moved or taken out shows at the next check; heads
signed by the box's key show it when the tail is cut off.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, func, select

from appliance.recording.vault.keys import KeyStore, fingerprint
from appliance.recording.vault.links import GENESIS, Entry, Head, canonical, head_text, link, payload_hash
from appliance.recording.vault.tables import chain, heads

HEAD_EVERY_MS = 3_600_000
MAX_PAGE = 1000

_ENTRY = (chain.c.seq, chain.c.at_ms, chain.c.kind, chain.c.recording, chain.c.by, chain.c.data, chain.c.link)
_HEAD = (heads.c.seq, heads.c.at_ms, heads.c.link, heads.c.public_key, heads.c.signature)
# As octets, whatever somebody may have put in the place of a text or a number.
_FIELDS = ('SELECT seq, link, CAST(seq AS BLOB), CAST(at_ms AS BLOB), CAST(kind AS BLOB), '
           'CAST(recording AS BLOB), CAST("by" AS BLOB), CAST(data AS BLOB) '
           'FROM chain WHERE seq > ? ORDER BY seq LIMIT ?')


@dataclass(frozen=True, slots=True)
class Checked:
    """How far a check came. `broken_seq`: the first entry or head that does not hold, None: all so far do."""

    seq: int = 0
    link: bytes = GENESIS
    done: bool = False
    broken_seq: int | None = None
    why: str = ""


class Chain:
    """Appends to the chain of a database; the box's key signs its heads."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def append(self, connection: Connection, at: float, kind: str, recording: str, by: str,
               data: Mapping[str, Any]) -> Entry:
        """One more entry, there when the caller's transaction is. `at`: seconds since 1970.

        `data` is plain JSON without secrets. ValueError: it is none.
        """
        last = connection.execute(
            select(chain.c.seq, chain.c.link).order_by(chain.c.seq.desc()).limit(1)).one_or_none()
        seq, before = (last.seq + 1, last.link) if last is not None else (1, GENESIS)
        at_ms, text = round(at * 1000), canonical(data)
        entry = Entry(seq, at_ms, kind, recording, by, text, b"")
        entry = replace(entry, link=link(before, entry.payload_hash))
        connection.execute(chain.insert().values(
            seq=seq, at_ms=at_ms, kind=kind, recording=recording, by=by, data=text, link=entry.link))
        return entry

    def sign(self, connection: Connection, at: float) -> Head | None:
        """Sign the chain as it is, once for an entry; None: it is empty."""
        last = connection.execute(
            select(chain.c.seq, chain.c.link).order_by(chain.c.seq.desc()).limit(1)).one_or_none()
        if last is None:
            return None
        head = last_head(connection)
        if head is not None and head.seq >= last.seq:
            return head
        at_ms = round(at * 1000)
        signature = self._keys.sign(head_text(last.seq, at_ms, last.link))
        head = Head(last.seq, at_ms, last.link, self._keys.public_key, signature)
        connection.execute(heads.insert().values(
            seq=head.seq, at_ms=at_ms, link=head.link, public_key=head.public_key, signature=signature))
        return head

    def claim(self, connection: Connection, at: float) -> Head | None:
        """The last signed head, if another key signed it: the chain says so then, and is signed with ours."""
        head = last_head(connection)
        if head is None or head.public_key == self._keys.public_key:
            return None
        self.append(connection, at, "key-changed", "", "recordd", {
            "from": fingerprint(head.public_key), "to": fingerprint(self._keys.public_key)})
        self.sign(connection, at)
        return head

    def sign_when_due(self, connection: Connection, at: float) -> Head | None:
        """A new signed head, when entries came since the last and that is an hour ago; None: not now."""
        head, last = last_head(connection), connection.scalar(select(func.max(chain.c.seq)))
        if last is None or (head is not None and (
                head.seq >= last or 0 <= round(at * 1000) - head.at_ms < HEAD_EVERY_MS)):
            return None
        return self.sign(connection, at)


def verify(connection: Connection) -> int | None:
    """The first entry or signed head that does not hold, by its number; None: the whole chain holds."""
    return check(connection, Checked()).broken_seq


def check(connection: Connection, since: Checked, most: int | None = None) -> Checked:
    """Go on with a check for `most` entries; without it to the end, where no signed head may be left over."""
    if since.broken_seq is not None:
        return since
    seq, at = since.seq, since.link
    if seq and connection.scalar(select(chain.c.link).where(chain.c.seq == seq)) != at:
        return Checked(seq, at, True, seq, "what was checked before has changed")
    signed_at = _heads_from(connection, seq + 1)
    head = next(signed_at, None)
    rows = connection.exec_driver_sql(_FIELDS, (seq, -1 if most is None else most))
    found = 0
    while batch := rows.fetchmany(1000):
        for number, stored, *fields in batch:
            found += 1
            before, at = at, link(at, payload_hash(fields))
            if number != seq + 1 or at != stored:
                return Checked(seq, before, True, seq + 1, "an entry was changed, moved or taken out")
            seq = number
            if head is not None and head.seq == seq:
                if head.link != at or not head.good:
                    return Checked(seq, at, True, seq, "the signed head does not fit: all was written anew")
                head = next(signed_at, None)
    if most is not None and found == most:
        return Checked(seq, at)
    if head is not None:
        return Checked(seq, at, True, seq + 1, f"the end was cut off: the box signed entry {head.seq}")
    return Checked(seq, at, True)


def of_recording(connection: Connection, recording: str) -> list[Entry]:
    """All that was done with it, oldest first."""
    return _entries(connection, select(*_ENTRY).where(chain.c.recording == recording).order_by(chain.c.seq))


def page(connection: Connection, *, recording: str = "", kinds: tuple[str, ...] = (), by: str = "",
         from_at: float | None = None, until_at: float | None = None, before_seq: int | None = None,
         most: int = MAX_PAGE) -> list[Entry]:
    """Newest first; the next page is before the last one's seq."""
    wanted = select(*_ENTRY).order_by(chain.c.seq.desc()).limit(min(most, MAX_PAGE))
    if recording:
        wanted = wanted.where(chain.c.recording == recording)
    if kinds:
        wanted = wanted.where(chain.c.kind.in_(kinds))
    if by:
        wanted = wanted.where(chain.c.by == by)
    if from_at is not None:
        wanted = wanted.where(chain.c.at_ms >= round(from_at * 1000))
    if until_at is not None:
        wanted = wanted.where(chain.c.at_ms < round(until_at * 1000))
    if before_seq is not None:
        wanted = wanted.where(chain.c.seq < before_seq)
    return _entries(connection, wanted)


def between(connection: Connection, first_seq: int, last_seq: int) -> list[Entry]:
    """Both of them and what lies between."""
    return _entries(connection, select(*_ENTRY).where(chain.c.seq.between(first_seq, last_seq))
                    .order_by(chain.c.seq))


def last_head(connection: Connection) -> Head | None:
    row = connection.execute(select(*_HEAD).order_by(heads.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else Head(*row)


def heads_from(connection: Connection, seq: int) -> list[Head]:
    """Signed at this entry or later, oldest first."""
    return list(_heads_from(connection, seq))


def _heads_from(connection: Connection, seq: int) -> Iterator[Head]:
    for row in connection.execute(select(*_HEAD).where(heads.c.seq >= seq).order_by(heads.c.seq)):
        yield Head(*row)


def _entries(connection: Connection, wanted: Select[Any]) -> list[Entry]:
    return [Entry(*row) for row in connection.execute(wanted)]
