"""The signalling of one span: layer 2 kept up, call references, channels, RESTART. Octets and requests go in
with `now`; octets, events and the next deadline come out.

Ref: ITU-T Q.931 (05/98); bare clause numbers are Q.931's. One point-to-point link on timeslot 16, so call
references of two octets and channels by number.
"""
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from appliance.errors import DecodeError, StateError
from appliance.isdn.call import table
from appliance.isdn.call.call import Call, ChannelRefused, Snapshot
from appliance.isdn.call.recovery import restore
from appliance.isdn.call.states import LOCATIONS, TIMERS, On, State, Timers
from appliance.isdn.causes import (
    CHANNEL_NOT_AVAILABLE,
    DESTINATION_OUT_OF_ORDER,
    INVALID_CALL_REFERENCE,
    NO_CHANNEL,
    TEMPORARY_FAILURE,
)
from appliance.isdn.channels import Channel, Channels
from appliance.isdn.elements import (
    CHANNEL_DOES_NOT_EXIST,
    BearerCapability,
    CalledNumber,
    CallingNumber,
    CallState,
    Cause,
    ChannelId,
    Display,
    Element,
    RestartIndicator,
    SendingComplete,
)
from appliance.isdn.events import By, ChannelChanged, Event, LinkChanged, Released
from appliance.isdn.lapd import Side
from appliance.isdn.q921 import TROUBLES, Established, Link, Received, Trouble
from appliance.isdn.q921 import Released as LinkReleased
from appliance.isdn.q931 import MISSING_ELEMENT, Message, MessageError, MessageType, decode, encode
from appliance.isdn.restart import INTERFACE, Restarts

BEARERS = (*range(1, 16), *range(17, 32))
GLOBAL = 0                                        # the call reference of RESTART, 4.3
CALL_REFERENCES = 0x7FFF
MAX_TEXT_OCTETS = 32                              # of a name or number that every network takes
ACTED_ON_ANYHOW = (MessageType.SETUP, MessageType.DISCONNECT, MessageType.RELEASE,
                   MessageType.RELEASE_COMPLETE)
SETTLING_S = 5.0                                  # both ends set the link up; N200 + 1 SABMEs may come
SAY_AGAIN_S = 60.0                                # the same trouble of layer 2

log = logging.getLogger(__name__)


class Signalling:
    """`new_key` names the calls that come in. Requests about a call that is not there raise StateError.

    `overlap`: a SETUP without Sending complete waits for digits. `exclusive`: our SETUP insists on its
    channel. `cold`: nothing is known of earlier calls, so the far end is asked once to restart the interface.
    `name` is for the log.
    """

    def __init__(self, side: Side, new_key: Callable[[], str], *, timers: Timers | None = None,
                 timeslots: Iterable[int] = BEARERS, hunt: str = "up", overlap: bool = False,
                 exclusive: bool = False, cold: bool = True, first_call_ref: int = 1,
                 name: str = "span") -> None:
        self.name, self.side, self.overlap, self.exclusive = name, side, overlap, exclusive
        self.timers = timers or TIMERS[side]
        self.counts: Counter[str] = Counter()     # what was out of the ordinary; layer 2's are in figures()
        self.channels = Channels(timeslots, hunt, self._channel_changed)
        self._new_key, self._next_ref = new_key, first_call_ref
        self._link: Link | None = None            # None: the line is down
        self._link_up = False
        self._up_at = 0.0                         # when the link came up
        self._establish_at: float | None = None
        self._trouble_said_at: dict[str, float] = {}
        self._calls: dict[tuple[int, bool], Call] = {}          # (call reference, ours)
        self._keys: dict[str, Call] = {}
        self._events: list[Event] = []
        self._restarts = Restarts(name, self.channels, self.timers, self._send_restart)
        if cold:
            self._restarts.begin_interface()

    # --- inputs: the line

    def line_up(self, up: bool, now: float) -> None:
        """The line carries frames, or does so no longer. Down is a data link failure (5.8.9)."""
        if up and self._link is None:
            self._link = Link(self.side)
            self._link.establish(now)
        elif not up:
            self.counts.update(self._layer2())
            self._link, self._establish_at = None, None
            self._link_lost(now)
        self._pump(now)

    def receive_frame(self, octets: bytes, now: float) -> None:
        """One LAPD frame without flags and FCS; any octets will do."""
        if self._link is not None:
            self._link.receive(octets, now)
            self._pump(now)

    def expire(self, now: float) -> None:
        """Time has come to `now`. Harmless when nothing is due."""
        if self._link is not None:
            if self._establish_at is not None and self._establish_at <= now:
                self._establish_at = None
                self._link.establish(now)
            self._link.expire(now)
        self._pump(now)
        self._restarts.expire(now)
        for call in list(self._calls.values()):
            table.expire(call, now)

    # --- inputs: the application

    def setup(self, key: str, called: str, now: float, *, calling: str = "", name: str = "",
              bearer: int = BearerCapability.SPEECH, complete: bool = True,
              timeslot: int | None = None) -> None:
        """Place a call; without link or channel it is Released at once. ValueError: no SETUP can carry it."""
        elements = self._setup_elements(called, calling, name, bearer, complete)
        if key in self._keys:
            raise StateError(f"call {key} is there already")
        if not self._link_up:
            self._events.append(Released(key, DESTINATION_OUT_OF_ORDER, By.LINE))
            return
        chosen = self.channels.next_idle() if timeslot is None else timeslot
        if chosen is None or not self.channels.is_idle(chosen):
            self._events.append(Released(key, NO_CHANNEL, By.LINE))
            return
        call = Call(self, key, self._new_reference(), ours=True, setup=elements, timeslot=chosen)
        self._add(call)
        self.channels.take(chosen, key)
        table.fire(call, On.DIAL, now)

    def more_digits(self, key: str, digits: str, now: float) -> None:
        """Overlap sending: sent now, or when the far end asks for more."""
        CalledNumber(digits).write()
        table.more_digits(self._call(key), digits, now)

    def proceed(self, key: str, now: float) -> None:
        """The number is complete. Harmless when that was said already."""
        table.fire(self._call(key), On.PROCEED, now)

    def alert(self, key: str, now: float, *, in_band: bool = False) -> None:
        """`in_band`: the caller hears our tones, his own exchange need not make any."""
        table.alert(self._call(key), in_band, now)

    def answer(self, key: str, now: float) -> None:
        table.fire(self._call(key), On.ANSWER, now)

    def hang_up(self, key: str, cause: int, now: float) -> None:
        """End the call in whatever state it is; gone already is good too."""
        if key in self._keys:
            table.hang_up(self._keys[key], cause, now)

    def restart(self, timeslot: int, now: float) -> None:
        """RESTART an idle channel; it is idle again when the far end acknowledges."""
        if not self.channels.is_idle(timeslot):
            raise StateError(f"timeslot {timeslot} is not an idle channel")
        self._restarts.begin(timeslot, now)

    def restore(self, snapshots: Iterable[Snapshot], now: float) -> None:
        """Calls of the process before this one, before the line is up. Active ones go on, the others are
        Released now and cleared at the far end when the link is there. One whose call reference cannot be is
        only Released."""
        for snapshot in snapshots:
            call = Call(self, snapshot.key, snapshot.call_ref, snapshot.ours)
            if not 0 < call.call_ref <= CALL_REFERENCES or (call.call_ref, call.ours) in self._calls:
                self._events.append(Released(call.key, TEMPORARY_FAILURE, By.LINE))
                continue
            self._add(call)
            timeslot = snapshot.timeslot
            if snapshot.active and timeslot is not None and self.channels.is_idle(timeslot):
                self.channels.take(timeslot, call.key)
                restore(call, timeslot, None, now)
            else:
                restore(call, None, snapshot.cause, now)

    # --- outputs

    def next_deadline(self) -> float | None:
        """When expire() is due next; None: never."""
        deadlines = [call.next_deadline() for call in self._calls.values()]
        deadlines += [self._establish_at, self._restarts.next_deadline()]
        if self._link is not None:
            deadlines.append(self._link.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def take_frames(self) -> list[bytes]:
        """Frames to send now."""
        return [] if self._link is None else self._link.take_frames()

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    @property
    def link_up(self) -> bool:
        return self._link_up

    def snapshot(self, key: str) -> Snapshot | None:
        """What restore() needs; None: no such call."""
        return self._keys[key].snapshot() if key in self._keys else None

    def figures(self) -> Counter[str]:
        """Totals since the start."""
        return self.counts + Counter(self._layer2())

    def _layer2(self) -> dict[str, int]:
        if self._link is None:
            return {}
        counters = self._link.counters
        return {"frames_in": counters.frames_in, "frames_out": counters.frames_out,
                "frames_retransmitted": counters.retransmitted, "frames_invalid": counters.invalid,
                "layer2_troubles": counters.troubles.total()}

    def __len__(self) -> int:
        """How many calls there are, those that are being cleared included."""
        return len(self._calls)

    # --- layer 2

    def _pump(self, now: float) -> None:
        while self._link is not None and (events := self._link.take_events()):
            for event in events:
                match event:
                    case Received(info):
                        self._receive(info, now)
                    case Established(by_peer=by_peer, lost=lost):
                        # a far end that sets it up anew may have lost its own messages, or all its calls
                        self._established(lost or by_peer, now)
                    case LinkReleased(reason):
                        level = logging.WARNING if self._link_up else logging.DEBUG   # not at every attempt
                        log.log(level, "%s: layer 2 is down: %s", self.name, reason)
                        self._establish_at = now + self.timers.link_pause_s
                        self._link_lost(now)
                    case Trouble(letter):
                        self._say_trouble(letter, now)

    def _established(self, lost: bool, now: float) -> None:
        """For the first time, or once more: then `lost` says that messages may not have arrived."""
        self._establish_at = None
        first = not self._link_up
        if first:
            self._link_up, self._up_at = True, now
            log.info("%s: layer 2 is up", self.name)
            self._events.append(LinkChanged(True))
        else:
            self.counts["link_resets"] += 1
        self._restarts.link_established(now)      # before all other messages
        if first:
            self._tell_all(On.LINK_BACK, now)
        elif lost:
            self._tell_all(On.LINK_RESET, now)

    def _say_trouble(self, letter: str, now: float) -> None:
        """SABMEs that cross at the start are no news, nor is the same trouble within a minute."""
        said_at = self._trouble_said_at.get(letter)
        crossed = letter == "F" and now < self._up_at + SETTLING_S
        if crossed or (said_at is not None and now < said_at + SAY_AGAIN_S):
            level = logging.DEBUG
        else:
            level = logging.WARNING
            self._trouble_said_at[letter] = now
        log.log(level, "%s: layer 2: %s (MDL-ERROR %s)", self.name, TROUBLES[letter], letter)

    def _link_lost(self, now: float) -> None:
        if self._link_up:
            self._link_up = False
            self._events.append(LinkChanged(False))
            self._restarts.link_lost()
            self._tell_all(On.LINK_LOST, now)

    def _tell_all(self, on: On, now: float) -> None:
        for call in list(self._calls.values()):
            table.fire(call, on, now)

    # --- messages

    def _receive(self, info: bytes, now: float) -> None:
        try:
            message = decode(info)
        except MessageError as error:
            self.counts["faulty_messages"] += 1
            log.info("%s: faulty message: %s", self.name, error)
            self._refuse(error, now)
            return
        except DecodeError as error:
            self.counts["ignored_messages"] += 1
            log.info("%s: ignored message: %s", self.name, error)
            return
        if message.faults:
            self.counts["faulty_elements"] += len(message.faults)
        if message.call_ref == GLOBAL:
            self._receive_global(message, now)
        else:
            table.receive(self._call_of(message), message, now)

    def _call_of(self, message: Message) -> Call:
        """Its call, or one in the null state that takes part in the world only when it is admitted."""
        ours = message.to_originator
        key = self._new_key() if message.type is MessageType.SETUP else ""
        return self._calls.get((message.call_ref, ours)) or Call(self, key, message.call_ref, ours)

    def _refuse(self, error: MessageError, now: float) -> None:                      # 5.8.4, 5.8.6.1
        if error.type == MessageType.STATUS:
            return                                # never answer a faulty STATUS: two of us would not end
        if error.call_ref == GLOBAL:
            self._send_global_status(error.cause, now)
        elif error.type in ACTED_ON_ANYHOW:
            message = Message(MessageType(error.type), error.call_ref, error.to_originator)
            table.receive(self._call_of(message), message, now, error.cause)
        else:
            call = self._calls.get((error.call_ref, error.to_originator))
            call = call or Call(self, "", error.call_ref, error.to_originator)
            call.reject(error.cause, error.diagnostic, now)

    def _receive_global(self, message: Message, now: float) -> None:
        indicator, channel = message.first(RestartIndicator), message.first(ChannelId)
        match message.type:
            case MessageType.RESTART if indicator is not None:
                if indicator.value != RestartIndicator.CHANNELS:
                    self._restarted(message, (indicator,), self.channels.timeslots, now)
                elif channel is not None and channel.timeslots:
                    self._restarted(message, (channel, indicator), channel.timeslots, now)
                else:
                    self._send_global_status(MISSING_ELEMENT, now)                   # 5.5.2, 5.8.6.1
            case MessageType.RESTART_ACKNOWLEDGE:
                self._restarts.acknowledged(channel.timeslots if channel else (), now)
            case MessageType.STATUS:
                self.counts["global_status"] += 1
            case _:
                self._send_global_status(INVALID_CALL_REFERENCE, now)                # 5.8.3.2 f)

    def _restarted(self, message: Message, elements: tuple[Element, ...], timeslots: Sequence[int],
                   now: float) -> None:
        """5.5.2. Clearing takes no time here, so T317 never runs."""
        self.counts["restarts_received"] += 1
        for call in list(self._calls.values()):
            if call.timeslot in timeslots:
                table.fire(call, On.RESTARTED, now)
        self._restarts.used([timeslot for timeslot in timeslots if self.channels.is_out(timeslot)], now)
        self.send(Message(MessageType.RESTART_ACKNOWLEDGE, GLOBAL, not message.to_originator, elements), now)

    def _send_global_status(self, cause: int, now: float) -> None:
        elements = (Cause(cause, LOCATIONS[self.side]), CallState(0))
        self.send(Message(MessageType.STATUS, GLOBAL, True, elements), now)

    def _send_restart(self, timeslot: int, now: float) -> None:
        self.counts["restarts_sent"] += 1
        elements: tuple[Element, ...] = (RestartIndicator(RestartIndicator.INTERFACE),)
        if timeslot != INTERFACE:
            elements = (ChannelId(timeslot), RestartIndicator(RestartIndicator.CHANNELS))
        self.send(Message(MessageType.RESTART, GLOBAL, False, elements), now)

    # --- what calls need of us (call.Owner)

    def send(self, message: Message, now: float) -> None:
        """Nothing is sent while layer 2 is down: what the far end must hear then is said when it is back."""
        if self._link is not None and self._link_up:
            try:
                self._link.send(encode(message), now)
            except StateError as error:           # it went down in this turn, or the far end takes nothing
                self.counts["messages_dropped"] += 1
                log.warning("%s: %s not sent: %s", self.name, message.type.name, error)

    def tell(self, event: Event) -> None:
        self._events.append(event)

    def offer(self, call: Call, wanted: ChannelId | None, now: float) -> int:
        timeslot = self._choose(wanted)
        self._restarts.used([timeslot], now)
        self._add(call)
        self.channels.take(timeslot, call.key)
        return timeslot

    def _choose(self, wanted: ChannelId | None) -> int:
        """5.1.2, 5.2.3. A taken channel that is preferred is answered with another one, else refused."""
        if wanted is not None and wanted.timeslot is not None:
            timeslot = wanted.timeslot
            if timeslot not in self.channels:
                refusal = CHANNEL_DOES_NOT_EXIST
            elif self.channels.usable_by_peer(timeslot):
                return timeslot
            else:
                refusal = CHANNEL_NOT_AVAILABLE
                rival = self._keys.get(self.channels[timeslot].key)
                if rival is not None and rival.ours and rival.state is State.INITIATED:
                    self.counts["glare"] += 1
                    if self._gives_way(wanted):
                        rival.yield_channel()
                        return timeslot
                    refusal = NO_CHANNEL
            if wanted.exclusive:
                raise ChannelRefused(refusal)
        another = self.channels.next_idle()
        if another is None:
            raise ChannelRefused(NO_CHANNEL)
        return another

    def _gives_way(self, theirs: ChannelId) -> bool:
        """Glare: both sides sent SETUP for one channel. The network side has control; a call that insists on
        the channel wins over one that prefers it (5.7, Annex D)."""
        if theirs.exclusive != self.exclusive:
            return theirs.exclusive
        return self.side is Side.USER

    def move(self, call: Call, timeslot: int, now: float) -> bool:
        if timeslot not in self.channels or not self.channels.usable_by_peer(timeslot):
            return False
        self._restarts.used([timeslot], now)
        self.leave(call)
        call.timeslot = timeslot
        self.channels.take(timeslot, call.key)
        return True

    def leave(self, call: Call) -> None:
        if call.timeslot is not None:
            self.channels.free(call.timeslot)
            call.timeslot = None

    def forget(self, call: Call, now: float, *, unanswered: bool) -> None:
        del self._calls[call.call_ref, call.ours]
        del self._keys[call.key]
        timeslot = call.timeslot
        self.leave(call)
        if timeslot is None:
            return
        if call.channel_refused:
            unanswered = self.channels.refused(timeslot)
        elif call.settled:
            self.channels.trusted(timeslot)
        if unanswered:
            self._restarts.begin(timeslot, now)

    # --- small things

    def _setup_elements(self, called: str, calling: str, name: str, bearer: int,
                        complete: bool) -> tuple[Element, ...]:
        elements: list[Element] = [BearerCapability(bearer), CalledNumber(called)]
        if complete:
            elements.append(SendingComplete())
        network = self.side is Side.NETWORK
        if calling:                               # screening: 3 network provided, 0 user's, not screened
            elements.append(CallingNumber(calling, screening=3 if network else 0))
        if network and name.isascii() and name.isprintable() and name:     # Display is IA5 and for the user
            elements.append(Display(name[:MAX_TEXT_OCTETS]))
        for element in elements:
            element.write()
        if len(called) > MAX_TEXT_OCTETS or len(calling) > MAX_TEXT_OCTETS:
            raise ValueError(f"a number of more than {MAX_TEXT_OCTETS} digits")
        return tuple(elements)

    def _add(self, call: Call) -> None:
        self._calls[call.call_ref, call.ours] = call
        self._keys[call.key] = call

    def _new_reference(self) -> int:
        while (self._next_ref, True) in self._calls:
            self._next_ref = self._next_ref % CALL_REFERENCES + 1
        reference, self._next_ref = self._next_ref, self._next_ref % CALL_REFERENCES + 1
        return reference

    def _call(self, key: str) -> Call:
        if key not in self._keys:
            raise StateError(f"no call {key}")
        return self._keys[key]

    def _channel_changed(self, channel: Channel) -> None:
        self._events.append(ChannelChanged(channel.timeslot, channel.state))
