"""The signalling of one span: layer 2 kept up, calls placed, taken and cleared, channels restarted, audited
and blocked. Octets and requests go in with `now`; octets, events and the next deadline come out.

This is the front; supervision.py has layer 2, calls.py the calls and their channels, global_reference.py and
restart.py RESTART, maintenance.py SERVICE, audit.py the proof that idle is idle.

Ref: ITU-T Q.931 (05/98); bare clause numbers are Q.931's. One point-to-point link on timeslot 16, so call
references of two octets and channels by number.
"""
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from appliance.errors import DecodeError, StateError
from appliance.isdn.audit import Audit
from appliance.isdn.call import table
from appliance.isdn.call.call import Snapshot
from appliance.isdn.call.states import On, Timers
from appliance.isdn.call_services import CallServices
from appliance.isdn.calls import CALL_REFERENCES, Calls, Selection
from appliance.isdn.channels import Channel, Channels, Direction, Hunt
from appliance.isdn.elements import BearerCapability, CalledNumber, Element, NotificationIndicator
from appliance.isdn.events import ChannelChanged, Event, LinkChanged
from appliance.isdn.global_reference import GLOBAL, GlobalReference
from appliance.isdn.lapd import Side
from appliance.isdn.maintenance import MESSAGES as MAINTENANCE_MESSAGES
from appliance.isdn.maintenance import Maintenance
from appliance.isdn.profile import PROFILES, Profile
from appliance.isdn.q921 import Link
from appliance.isdn.q931 import Message, MessageError, MessageType, decode, encode
from appliance.isdn.restart import Restarts
from appliance.isdn.segments import Reassembly, cut
from appliance.isdn.setup import checked, setup_elements
from appliance.isdn.sparing_log import SparingLog
from appliance.isdn.supervision import Supervision
from appliance.isdn.supplementary.events import Role
from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.services import Services

__all__ = ["BEARERS", "CALL_REFERENCES", "Signalling"]

BEARERS = (*range(1, 16), *range(17, 32))

log = logging.getLogger(__name__)


class _Timed(Protocol):
    def next_deadline(self) -> float | None: ...


class Signalling:
    """`new_key` names the calls that come in. Requests about a call that is not there raise StateError.

    timers          None: the profile's
    timeslots       of the channels
    hunt            which idle channel is next: "up", "down", "longest-idle", "round-robin"
    overlap         a SETUP without Sending complete waits for digits
    auto_proceed    a SETUP is answered at once; False: by what the application asks for first
    selection       of the channel in our SETUP: "preferred", "exclusive", "any", "none"; None: the profile's
    cold            nothing is known of earlier calls: the far end is asked to restart the interface, or each
                    channel where the profile says so
    audit_s         each idle channel is proved once in this time; 0: never
    slow_clearing   see cleared()
    name            for the log
    """

    def __init__(self, side: Side, new_key: Callable[[], str], *, profile: Profile = PROFILES["etsi"],
                 timers: Timers | None = None, timeslots: Iterable[int] = BEARERS, hunt: str = "up",
                 overlap: bool = False, auto_proceed: bool = True, selection: str | None = None,
                 cold: bool = True, audit_s: float = 0.0, slow_clearing: bool = False,
                 first_call_ref: int = 1, name: str = "span",
                 make_link: Callable[[Side], Link] = Link) -> None:
        self.name, self.side, self.profile = name, side, profile
        timers = timers or profile.timers[side]
        self.counts: Counter[str] = Counter()     # what was out of the ordinary; layer 2's are in figures()
        self._messages: Counter[str] = Counter()  # by direction and type
        self._events: list[Event] = []
        self._reassembly = Reassembly()
        self._faults = SparingLog(log, logging.INFO, name)
        self._drops = SparingLog(log, logging.WARNING, name)
        self.channels = Channels(timeslots, hunt, self._channel_changed)
        self._supervision = Supervision(name, side, self, self.counts, timers.link_pause_s, make_link)
        self._restarts = Restarts(
            name, self.channels, timers, self.counts, self._send_restart, self._restarted)
        self._maintenance = Maintenance(self.channels, self.send, profile.service_messages)
        self._served = CallServices(self._events)
        self.services = self._served.services = Services(
            profile, side, self._served.facts, self.counts, name)
        self._calls = Calls(
            side, profile, timers, overlap=overlap, auto_proceed=auto_proceed,
            selection=Selection(selection or profile.selection),
            channels=self.channels, restarts=self._restarts, maintenance=self._maintenance,
            counts=self.counts, new_key=new_key, first_call_ref=first_call_ref, send=self.send,
            services=self._served)
        self._served.calls = self._calls
        self._audit = self._calls.audit = Audit(
            self.channels, self._restarts, audit_s, self.counts, self._calls.enquire)
        self._global = GlobalReference(
            name, timers, self.channels, self._restarts, self._calls, self.counts, self.send,
            location=profile.locations[side], slow=slow_clearing)
        self._timed: tuple[_Timed, ...] = (
            self._supervision, self._restarts, self._global, self._calls, self.services, self._audit)
        if cold and profile.restart_at_start:
            self._restarts.begin_interface()
        elif cold:
            self._restarts.begin_each()

    # --- inputs: the line

    def line_up(self, up: bool, now: float) -> None:
        """The line carries frames, or does so no longer. Down is a data link failure (5.8.9)."""
        self._supervision.line_up(up, now)

    def receive_frame(self, octets: bytes, now: float) -> None:
        """One LAPD frame without flags and FCS; any octets will do."""
        self._supervision.receive_frame(octets, now)

    def expire(self, now: float) -> None:
        """Time has come to `now`. Harmless when nothing is due."""
        self._supervision.expire(now)
        self._restarts.expire(now)
        self._global.expire(now)
        self._calls.expire(now)
        self._served.expire(now)
        self._audit.expire(now)

    # --- inputs: the application, about calls

    def setup(self, key: str, called: str, now: float, *, calling: str = "", name: str = "",
              bearer: int = BearerCapability.SPEECH, complete: bool = True, timeslot: int | None = None,
              exclusive: bool | None = None, elements: Sequence[Element] = ()) -> None:
        """Place a call; without link or channel it is Released at once. ValueError: no SETUP can carry it.

        `elements` come in place of those of their kind that the other arguments make. `timeslot` None: the
        next one. `exclusive` None: as the span's `selection` is.
        """
        said = setup_elements(self.profile, self.side, called, calling, name, bearer, complete, elements)
        if name:
            said += self.services.naming(Role.CALLING, name)
        self._calls.place(key, said, now, timeslot=timeslot, exclusive=exclusive)

    def more_digits(self, key: str, digits: str, now: float, *, complete: bool = False) -> None:
        """Overlap sending: sent now, or when the far end asks for more. `complete`: the last ones."""
        CalledNumber(digits).write()
        call = self._calls[key]
        table.more_digits(call, digits, now, complete)
        self._calls.touched(call)

    def want_digits(self, key: str, now: float, *elements: Element) -> None:
        """Without auto_proceed: an offered call is to send more digits (5.1.3)."""
        self._calls.fire(self._calls[key], On.WANT_DIGITS, now, *checked(elements))

    def proceed(self, key: str, now: float, *elements: Element) -> None:
        """The number is complete. Harmless when that was said already."""
        self._calls.fire(self._calls[key], On.PROCEED, now, *checked(elements))

    def progress(self, key: str, now: float, *elements: Element) -> None:
        """How an offered call goes on, e.g. a ProgressIndicator of tones in the channel (5.1.6, 5.2.6)."""
        self._calls.fire(self._calls[key], On.PROGRESS, now, *checked(elements))

    def alert(self, key: str, now: float, *, in_band: bool = False, elements: Sequence[Element] = ()) -> None:
        """`in_band`: the caller hears our tones, his own exchange need not make any."""
        call = self._calls[key]
        table.alert(call, in_band, now, *checked(elements))
        self._calls.touched(call)

    def answer(self, key: str, now: float, *, elements: Sequence[Element] = ()) -> None:
        self._calls.fire(self._calls[key], On.ANSWER, now, *checked(elements))

    def hang_up(self, key: str, cause: int, now: float, *, elements: Sequence[Element] = ()) -> None:
        """End the call in whatever state it is; gone already is good too."""
        if key in self._calls:
            call = self._calls[key]
            table.hang_up(call, cause, now, *checked(elements))
            self._calls.touched(call)

    def notify(self, key: str, indicator: int, now: float) -> None:
        """NOTIFY with that notification description (4.5.22)."""
        self.tell(key, MessageType.NOTIFY, (NotificationIndicator(indicator),), now)

    def tell(self, key: str, kind: MessageType, elements: Sequence[Element], now: float) -> None:
        """A message that changes no state: FACILITY, USER INFORMATION, INFORMATION, NOTIFY."""
        call = self._calls[key]
        table.tell(call, kind, checked(elements), now)
        self._calls.touched(call)

    def enquire(self, key: str, now: float) -> None:
        """STATUS ENQUIRY; a far end that does not know the call, or does not answer, ends it (5.8.10)."""
        self._calls.fire(self._calls[key], On.ENQUIRE, now)

    def deflect(self, key: str, to: str, now: float, *, deflection: bool = False) -> None:
        """Services.deflect(): an unanswered call is offered elsewhere."""
        self.services.deflect(key, Party(to, self.profile.called.type, self.profile.called.plan), now,
                              deflection=deflection)
        self._served.flush(now)

    def answer_deflection(self, key: str, granted: bool, now: float) -> None:
        """To a DeflectionAsked."""
        self.services.answer_deflection(key, granted)
        self._served.flush(now)

    def transfer(self, key: str, other: str, now: float) -> None:
        """Services.transfer(): the far end joins two calls of its own and both channels are free."""
        self.services.transfer(key, other, now)
        self._served.flush(now)

    def answer_transfer(self, key: str, granted: bool, now: float) -> str:
        """To a TransferAsked; its other call."""
        other = self.services.answer_transfer(key, granted)
        self._served.flush(now)
        return other

    def trace_malicious(self, key: str, now: float) -> None:
        """Services.trace_malicious(): the network registers who calls."""
        self.services.trace_malicious(key, now)
        self._served.flush(now)

    def cleared(self, key: str, now: float) -> None:
        """With slow_clearing: the application has let go of a call that was Released, so that a RESTART of
        the far end which ended it can be acknowledged (5.5.2). Harmless for other calls."""
        self._global.cleared(key, now)

    def restore(self, snapshots: Iterable[Snapshot], now: float) -> None:
        """Calls of the process before this one, before the line is up. Those that talk, ring or proceed go on
        and are asked for when the link is there; the others are Released now and cleared at the far end then.
        One whose call reference cannot be is only Released."""
        self._calls.restore(snapshots, now)

    # --- inputs: the application, about channels

    def restart(self, timeslot: int, now: float) -> None:
        """RESTART an idle channel; it is idle again when the far end acknowledges."""
        if not self.channels.is_idle(timeslot):
            raise StateError(f"timeslot {timeslot} is not an idle channel")
        self._restarts.begin(timeslot, now)

    def block(self, timeslots: Iterable[int], now: float) -> None:
        """No call comes onto these channels any more; a busy one is BLOCKED when its call ends. ValueError:
        no such channel."""
        self._block(timeslots, True, now)

    def unblock(self, timeslots: Iterable[int], now: float) -> None:
        self._block(timeslots, False, now)

    def _block(self, timeslots: Iterable[int], blocked: bool, now: float) -> None:
        chosen = self._existing(timeslots)
        for timeslot in chosen:
            self.channels.block(timeslot, blocked)
        self._maintenance.update(chosen, now)

    def reserve(self, directions: Mapping[int, str]) -> None:
        """Channels for calls of one direction: "in" is the far end's, "out" ours, "both". Those not named are
        for both. ValueError: no such channel or direction."""
        self._existing(directions)
        self.channels.reserve({timeslot: Direction(value) for timeslot, value in directions.items()})

    def change(self, *, profile: Profile | None = None, timers: Timers | None = None,
               hunt: str | None = None, overlap: bool | None = None, auto_proceed: bool | None = None,
               selection: str | None = None, audit_s: float | None = None) -> None:
        """Settings from now on, None: as before. Calls that are there go on; timers that run, run on. A new
        profile without `timers` brings its own. ValueError: there is no such hunt or selection."""
        hunts = self.channels.hunt if hunt is None else Hunt(hunt)
        selects = self._calls.selection if selection is None else Selection(selection)
        if profile is not None:
            self.profile = self._calls.profile = profile
            self.services.change(profile)
            self._maintenance.known = profile.service_messages
            self._global.location = profile.locations[self.side]
            timers = timers or profile.timers[self.side]
        if timers is not None:
            self._calls.timers = self._restarts.timers = self._global.timers = timers
            self._supervision.pause_s = timers.link_pause_s
        if overlap is not None:
            self._calls.overlap = overlap
        if auto_proceed is not None:
            self._calls.auto_proceed = auto_proceed
        if audit_s is not None:
            self._audit.period_s = audit_s
        self.channels.hunt, self._calls.selection = hunts, selects

    # --- outputs

    def next_deadline(self) -> float | None:
        """When expire() is due next, or a little before; None: never."""
        due = None
        for part in self._timed:
            deadline = part.next_deadline()
            if deadline is not None and (due is None or deadline < due):
                due = deadline
        return due

    def take_frames(self) -> list[bytes]:
        """Frames to send now."""
        return self._supervision.take_frames()

    def take_events(self) -> list[Event]:
        events = self._events[:]
        self._events.clear()
        return events

    @property
    def link_up(self) -> bool:
        return self._calls.link_up

    def snapshot(self, key: str) -> Snapshot | None:
        """What restore() needs; None: no such call."""
        return self._calls[key].snapshot() if key in self._calls else None

    def figures(self) -> Counter[str]:
        """Totals since the start of what was out of the ordinary, and of frames."""
        return self.counts + Counter(self._supervision.figures())

    def statistics(self) -> dict[str, int]:
        """Everything that is counted: figures(), messages by direction and type, layer 2 of the link that is
        there, and how many calls and channels there are now, by state."""
        now_there = Counter(f"channels_{channel.state.value}" for channel in self.channels.all())
        return {**self.figures(), **self._messages, **self._supervision.statistics(), **now_there,
                "calls": len(self._calls), "link_up": int(self.link_up)}

    def __len__(self) -> int:
        """How many calls there are, those that are being cleared included."""
        return len(self._calls)

    def __iter__(self) -> Iterator[str]:
        """Their keys."""
        return (call.key for call in self._calls)

    # --- layer 3 on the link (supervision.Layer3)

    def receive(self, info: bytes, now: float) -> None:
        """One message, whatever it holds."""
        try:
            message = decode(info)
        except MessageError as error:
            self.counts["faulty_messages"] += 1
            self._faults.say(f"faulty message: {error}", now)
            self._refuse(error, now)
            return
        except DecodeError as error:
            self.counts["ignored_messages"] += 1
            self._faults.say(f"ignored message: {error}", now)
            return
        if message.faults:
            self.counts["faulty_elements"] += len(message.faults)
        self._messages["received_" + message.type.name.lower()] += 1
        if message.type is MessageType.SEGMENT:
            whole = self._reassembly.take(message, now, self._calls.timers.t314_s)
            if whole is not None:
                if whole:
                    self.receive(whole, now)
                return
        self._reassembly.interrupted(message)
        if message.type in MAINTENANCE_MESSAGES:
            self._maintenance.receive(message, now)
        elif message.call_ref == GLOBAL:
            self._global.receive(message, now)
        else:
            self._calls.receive(message, now)

    def link_established(self, first: bool, lost: bool, now: float) -> None:
        if first:
            self._calls.link_up = True
            self._events.append(LinkChanged(True))
        self._restarts.link_established(now)      # before all other messages
        self._maintenance.link_established(now)
        self._audit.link_established(now)
        if first:
            self._calls.fire_all(On.LINK_BACK, now)
        elif lost:
            self._calls.fire_all(On.LINK_RESET, now)

    def link_lost(self, now: float) -> None:
        self._calls.link_up = False
        self._events.append(LinkChanged(False))
        self._restarts.link_lost()
        self._global.link_lost()
        self._audit.link_lost()
        self._calls.fire_all(On.LINK_LOST, now)

    def send(self, message: Message, now: float) -> None:
        """Nothing is sent while layer 2 is down: what the far end must hear then is said when it is back."""
        if self._calls.link_up:
            try:
                for octets in cut(encode(message)):
                    self._supervision.send(octets, now)
                self._messages["sent_" + message.type.name.lower()] += 1
            except (StateError, ValueError) as error:     # it went down in this turn, or it is too long
                self.counts["messages_dropped"] += 1
                self._drops.say(f"{message.type.name} not sent: {error}", now)

    # --- small things

    def _refuse(self, error: MessageError, now: float) -> None:                      # 5.8.4, 5.8.6.1
        if error.type > 0xFF:
            return                                # a SERVICE; nobody has a procedure for its faults
        if error.call_ref != GLOBAL:
            self._calls.refuse(error, now)
        elif error.type != MessageType.STATUS:    # never answer a faulty STATUS: two of us would not end
            self._global.refuse(error, now)

    def _send_restart(self, timeslot: int, now: float) -> None:
        self._global.request(timeslot, now)

    def _restarted(self, timeslot: int, now: float) -> None:
        self._audit.proved(timeslot, now)

    def _channel_changed(self, channel: Channel) -> None:
        self._events.append(ChannelChanged(channel.timeslot, channel.state))

    def _existing(self, timeslots: Iterable[int]) -> list[int]:
        chosen = list(timeslots)
        for timeslot in chosen:
            if timeslot not in self.channels:
                raise ValueError(f"timeslot {timeslot} is not a channel of {self.name}")
        return chosen
