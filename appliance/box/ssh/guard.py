"""How often strangers may try, how many may come: limits by address and person. Pure; time comes in."""

from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

WRONG_BEFORE_WAIT = 5                             # of an address or a person; then waits, each twice as long
FIRST_WAIT_S, MOST_WAIT_S = 1.0, 900.0
FORGOTTEN_S = 3600.0                              # after the last wrong one
BURST, PER_S = 15.0, 5.0                          # connections of one address
MOST_STRANGERS, MOST_STRANGERS_EACH = 24, 8       # connections that have not signed in: in all, of an address
MOST_KNOWN = 4096                                 # of each kind: addresses, people, names of nobody
MOST_TRIES = 6                                    # keys or passwords in one connection
MOST_REFUSALS = 24                                # answers to whatever else it says before it has signed in


@dataclass(slots=True)
class _Wrong:
    count: int = 0
    at: float = 0.0

    def wait_until(self) -> float:
        over = self.count - WRONG_BEFORE_WAIT
        return 0.0 if over < 0 else self.at + min(FIRST_WAIT_S * 2.0 ** min(over, 30), MOST_WAIT_S)


@dataclass(slots=True)
class _Bucket:
    left: float = BURST
    at: float = 0.0


def plain(address: str) -> str:
    """As people write it: a socket for both kinds of addresses has those of IPv4 as ::ffff:192.0.2.7."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    return str(read.ipv4_mapped) if isinstance(read, IPv6Address) and read.ipv4_mapped else address


def place_of(address: str) -> str:
    """What counts as one place: an address, of IPv6 its network of 64 bits."""
    try:
        read = ip_address(plain(address).partition("%")[0])
    except ValueError:
        return address
    return f"{IPv6Address(int(read) >> 64 << 64)}/64" if isinstance(read, IPv6Address) else str(read)


@dataclass(slots=True)
class Guard:
    """`now` is of a clock that nobody sets, in seconds.

    People, addresses and names of nobody are apart: who makes up names makes no person's count forgotten.
    """

    _addresses: dict[str, _Wrong] = field(default_factory=dict)
    _people: dict[str, _Wrong] = field(default_factory=dict)
    _nobodies: dict[str, _Wrong] = field(default_factory=dict)
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _strangers: dict[str, int] = field(default_factory=dict)

    def comes(self, address: str, now: float) -> str:
        """Why a new connection is sent away; "": it may begin to sign in, and leaves by goes()."""
        place = place_of(address)
        bucket = self._buckets.pop(place, None) or _Bucket(at=now)
        bucket.left = min(BURST, bucket.left + (now - bucket.at) * PER_S)
        bucket.at = now
        self._buckets[place] = bucket             # the last one in the dictionary came last
        while len(self._buckets) > MOST_KNOWN:
            del self._buckets[next(iter(self._buckets))]
        if bucket.left < 1.0:
            return "too many connections in a short time"
        bucket.left -= 1.0
        if _waits(self._addresses, place, now):
            return "too many wrong sign-ins"
        if self._strangers.get(place, 0) >= MOST_STRANGERS_EACH:
            return "too many connections of one address that have not signed in"
        if sum(self._strangers.values()) >= MOST_STRANGERS:
            return "too many connections that have not signed in"
        self._strangers[place] = self._strangers.get(place, 0) + 1
        return ""

    def goes(self, address: str) -> None:
        """It has signed in, or is closed."""
        place = place_of(address)
        left = self._strangers.get(place, 0) - 1
        if left > 0:
            self._strangers[place] = left
        else:
            self._strangers.pop(place, None)

    def wait_s(self, address: str, person: str, now: float) -> float:
        """For how long no password of this person, or from this address, is looked at; 0: it is."""
        return max(_waits(self._addresses, place_of(address), now), _waits(self._people, person, now),
                   _waits(self._nobodies, person, now))

    def wrong(self, address: str, now: float) -> None:
        """A sign-in failed."""
        _count(self._addresses, place_of(address), now)

    def tries(self, address: str, person: str, known: bool, now: float) -> None:
        """A password is about to be looked at: wrong until right() says otherwise. `known`: there is such a
        person."""
        self.wrong(address, now)
        _count(self._people if known else self._nobodies, person, now)

    def right(self, address: str, person: str) -> None:
        """Somebody signed in: what was wrong before is forgotten."""
        self._addresses.pop(place_of(address), None)
        self._people.pop(person, None)


def _count(wrong: dict[str, _Wrong], name: str, now: float) -> None:
    found = wrong.pop(name, None) or _Wrong()
    if now - found.at > FORGOTTEN_S:
        found.count = 0
    found.count, found.at = found.count + 1, now
    wrong[name] = found                           # the last one in the dictionary was wrong last
    while len(wrong) > MOST_KNOWN:
        del wrong[next(iter(wrong))]


def _waits(wrong: dict[str, _Wrong], name: str, now: float) -> float:
    found = wrong.get(name)
    return 0.0 if found is None else max(0.0, found.wait_until() - now)
