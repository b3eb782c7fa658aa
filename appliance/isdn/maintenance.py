"""SERVICE: either side takes channels out of service and says so, where the profile has such messages.

Ref: AT&T TR 41459 and National ISDN 2, maintenance messages. Statuses of the two ends are independent: one
that takes a channel out of service places no call on it and takes none, the other end places none. A channel
that we block while a call is on it is in "maintenance" until the call ends, then "out of service". What we
said is said again whenever the link was set up, since it may be lost; and that of all channels when a process
begins, which does not know what the one before it said.
"""
from collections.abc import Callable, Iterable

from appliance.isdn.channels import Channels
from appliance.isdn.elements import ChangeStatus, ChannelId
from appliance.isdn.q931 import Message, MessageType

ACKNOWLEDGE = {                                   # by the request, which tells the dialect
    MessageType.SERVICE: MessageType.SERVICE_ACKNOWLEDGE,
    MessageType.NI_SERVICE: MessageType.NI_SERVICE_ACKNOWLEDGE,
}
MESSAGES = (*ACKNOWLEDGE, *ACKNOWLEDGE.values())
GLOBAL = 0                                        # the call reference


class Maintenance:
    """`known`: the profile has SERVICE, else none is sent, and what comes in is passed over."""

    def __init__(self, channels: Channels, send: Callable[[Message, float], None], known: bool) -> None:
        self.known = known
        self._channels, self._send = channels, send
        self._request = MessageType.SERVICE       # in the far end's dialect, when we have heard it
        self._said: dict[int, int] = {}           # statuses by timeslot; never said: in service
        self._begun = False                       # all channels' statuses were said once

    def receive(self, message: Message, now: float) -> None:
        """SERVICE is done and acknowledged; an acknowledgement needs no answer."""
        status, channel = message.first(ChangeStatus), message.first(ChannelId)
        if not self.known or message.type not in ACKNOWLEDGE or status is None:
            return
        self._request = message.type
        timeslots: Iterable[int] = self._channels.timeslots
        if status.of_channel:
            timeslots = channel.timeslots if channel else ()
        for timeslot in timeslots:
            if timeslot in self._channels:
                self._channels.withdraw(timeslot, status.status != ChangeStatus.IN_SERVICE)
        elements = (status, channel) if channel else (status,)
        self._send(Message(ACKNOWLEDGE[message.type], GLOBAL, not message.to_originator, elements), now)

    def update(self, timeslots: Iterable[int], now: float) -> None:
        """Say what became of them, if it is news."""
        if not self.known:
            return
        for timeslot in timeslots:
            if self._status(timeslot) != self._said.get(timeslot, ChangeStatus.IN_SERVICE):
                self._say(timeslot, now)

    def link_established(self, now: float) -> None:
        if self.known:
            for timeslot in self._channels.timeslots:
                if not self._begun or timeslot in self._said or self._channels[timeslot].blocked:
                    self._say(timeslot, now)
            self._begun = True

    def _status(self, timeslot: int) -> int:
        channel = self._channels[timeslot]
        if not channel.blocked:
            return ChangeStatus.IN_SERVICE
        return ChangeStatus.MAINTENANCE if channel.key else ChangeStatus.OUT_OF_SERVICE

    def _say(self, timeslot: int, now: float) -> None:
        self._said[timeslot] = self._status(timeslot)
        elements = (ChangeStatus(self._said[timeslot]), ChannelId(timeslot))
        self._send(Message(self._request, GLOBAL, False, elements), now)
