"""An information element in words: a few for the line of its message, the rest for who looks closer.

Ref: ITU-T Q.931 (05/98), 4.5.
"""
from collections.abc import Callable
from typing import Any

from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CalledSubaddress,
    CallIdentity,
    CallingNumber,
    CallingSubaddress,
    Cause,
    ChangeStatus,
    ChannelId,
    CongestionLevel,
    ConnectedNumber,
    ConnectedSubaddress,
    DateTime,
    Display,
    Element,
    Facility,
    HighLayerCompatibility,
    KeypadFacility,
    LowLayerCompatibility,
    MoreData,
    NetworkSpecificFacilities,
    NotificationIndicator,
    PartyCategory,
    ProgressIndicator,
    RedirectingNumber,
    RedirectionNumber,
    RepeatIndicator,
    RestartIndicator,
    SegmentedMessage,
    SendingComplete,
    Signal,
    TransitCounter,
    TransitNetworkSelection,
    UserUser,
)
from appliance.isdn.ladder import names
from appliance.isdn.ladder.names import named

Details = tuple[tuple[str, str], ...]             # what, value
Words = tuple[str, Details]


def element_words(element: Element) -> Words:
    """Short words and details of any element but CallState, whose words need to know the call reference."""
    words = _WORDS.get(type(element))
    return words(element) if words else ("", (("content", octets_text(element.write())),))


def octets_text(octets: bytes) -> str:
    """Octets in hexadecimal, and as text where all of them are printable IA5."""
    shown = octets.hex(" ")
    printable = octets.isascii() and octets.decode().isprintable()
    return f"{shown} ({octets.decode()!r})" if octets and printable else shown


def _bearer(one: BearerCapability) -> Words:
    capability = named(names.CAPABILITIES, one.transfer_capability)
    layer1 = "" if one.layer1 is None else named(names.LAYERS1, one.layer1)
    details = [("information transfer capability", capability),
               ("transfer mode and rate", named(names.RATES, one.rate))]
    if layer1:
        details.append(("layer 1 protocol", layer1))
    if one.multiplier is not None:
        details.append(("rate multiplier", str(one.multiplier)))
    if one.adaptation or one.layers:
        details.append(("further octets", (one.adaptation + one.layers).hex(" ")))
    return f"{capability} {layer1}".rstrip(), tuple(details)


def _cause(one: Cause) -> Words:
    details = [("location", named(names.LOCATIONS, one.location))]
    if one.diagnostic:
        details.append(("diagnostic", _diagnostic(one)))
    return f"cause {one.value}", tuple(details)


_OF_ELEMENTS = {43, 96, 99, 100}                  # Q.850 table 1: the diagnostic is identifiers of elements
_OF_MESSAGES = {97, 98, 101}                      # a message type


def _diagnostic(one: Cause) -> str:
    if one.value in _OF_ELEMENTS:
        return ", ".join(f"{octet:#04x} {names.ELEMENTS.get(octet, 'unknown element')}"
                         for octet in one.diagnostic)
    if one.value in _OF_MESSAGES:
        return f"message type {one.diagnostic[0]:#04x}"
    return octets_text(one.diagnostic)


def _channel(one: ChannelId) -> Words:
    how = "exclusive" if one.exclusive else "preferred"
    if one.timeslots:
        short = f"channel {_ranges(one.timeslots)} {how}"
    else:
        short = "any channel" if one.any_channel else "no channel"
    details: list[tuple[str, str]] = []
    if one.slot_map:
        details.append(("named by", "slot map"))
    if one.interface is not None:
        details.append(("interface", str(one.interface)))
    return short, tuple(details)


def _ranges(timeslots: tuple[int, ...]) -> str:
    """1-3, 5; many channels of one RESTART stay readable."""
    runs: list[list[int]] = []
    for timeslot in timeslots:
        if runs and timeslot == runs[-1][-1] + 1:
            runs[-1].append(timeslot)
        else:
            runs.append([timeslot])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _number(word: str) -> Callable[[Any], Words]:
    """For every kind of number: what it has of type, plan, presentation, screening and reason."""
    def words(one: Any) -> Words:
        details = [("type of number", named(names.TYPES_OF_NUMBER, one.type)),
                   ("numbering plan", named(names.PLANS, one.plan))]
        restricted = getattr(one, "presentation", 0)
        for field, kinds in (("presentation", names.PRESENTATIONS), ("screening", names.SCREENINGS),
                             ("reason", names.REASONS)):
            value = getattr(one, field, None)
            if value is not None:
                details.append((field, named(kinds, value)))
        short = f"{word} {one.digits or 'without digits'}"
        return f"{short} ({named(names.PRESENTATIONS, restricted)})" if restricted else short, tuple(details)
    return words


def _progress(one: ProgressIndicator) -> Words:
    what = names.PROGRESS.get(one.description, "(reserved)")
    return f"progress {one.description} {what}", (("location", named(names.LOCATIONS, one.location)),)


def _high_layer(one: HighLayerCompatibility) -> Words:
    details = [("characteristics", named(names.SERVICES_OF_USER, one.characteristics))]
    if one.extended is not None:
        details.append(("extended", named(names.SERVICES_OF_USER, one.extended)))
    return "", tuple(details)


def _display(one: Display) -> Words:
    charset = () if one.charset is None else (("character set octet", f"{one.charset:#04x}"),)
    return f"display {one.text!r}", charset


def _user_user(one: UserUser) -> Words:
    said = one.content
    text = repr(said.decode()) if said.isascii() and said.decode().isprintable() else f"{len(said)} octets"
    return f"user-user {text}", (
        ("protocol", named(names.USER_PROTOCOLS, one.protocol)), ("information", octets_text(one.content)))


def _date_time(one: DateTime) -> Words:
    clock = [part for part in (one.hour, one.minute, one.second) if part is not None]
    moment = f"{one.year:02d}-{one.month:02d}-{one.day:02d} {':'.join(f'{part:02d}' for part in clock)}"
    return "", (("moment", moment.rstrip()),)


def _subaddress(word: str) -> Callable[[Any], Words]:
    def words(one: Any) -> Words:
        return f"{word} subaddress {octets_text(one.content)}", (
            ("type of subaddress", named(names.SUBADDRESSES, one.type)),)
    return words


def _network(one: TransitNetworkSelection) -> Words:
    return f"transit network {one.network}", (
        ("type of network identification", str(one.type)), ("plan", str(one.plan)))


def _network_facilities(one: NetworkSpecificFacilities) -> Words:
    whose = () if one.network is None else (("network", one.network),)
    return "network-specific facility", (*whose, ("facility", octets_text(one.facility)))


def _segment(one: SegmentedMessage) -> Words:
    which = "first segment" if one.first else "segment"
    return f"{which}, {one.remaining} to come", (("message type", f"{one.type:#04x}"),)


def _status(one: ChangeStatus) -> Words:
    whose = "channel" if one.of_channel else "interface"
    return f"{whose} {named(names.STATUSES, one.status)}", ()


def _plain(word: str) -> Callable[[Any], Words]:
    """Named by `word` in the line; the content beside it."""
    return lambda one: (f"{word} present" if word else "", (("content", octets_text(one.content)),))


_WORDS: dict[type[Element], Callable[[Any], Words]] = {
    MoreData: lambda one: ("more data", ()),
    SendingComplete: lambda one: ("sending complete", ()),
    CongestionLevel: lambda one: (f"congestion level {one.level}", ()),
    RepeatIndicator: lambda one: ("", (("indication", str(one.indication)),)),
    SegmentedMessage: _segment,
    BearerCapability: _bearer,
    Cause: _cause,
    CallIdentity: _plain("call identity"),
    ChannelId: _channel,
    Facility: _plain("facility"),
    ProgressIndicator: _progress,
    NetworkSpecificFacilities: _network_facilities,
    NotificationIndicator: lambda one: (named(names.NOTIFICATIONS, one.value), ()),
    Display: _display,
    DateTime: _date_time,
    KeypadFacility: lambda one: (f"keypad {one.digits}", ()),
    Signal: lambda one: (named(names.SIGNALS, one.value), ()),
    ConnectedNumber: _number("connected"),
    ConnectedSubaddress: _subaddress("connected"),
    CallingNumber: _number("calling"),
    CallingSubaddress: _subaddress("calling"),
    CalledNumber: _number("called"),
    CalledSubaddress: _subaddress("called"),
    RedirectingNumber: _number("redirecting"),
    RedirectionNumber: _number("redirection"),
    TransitNetworkSelection: _network,
    RestartIndicator: lambda one: (named(names.RESTARTS, one.value), ()),
    LowLayerCompatibility: _plain(""),
    HighLayerCompatibility: _high_layer,
    UserUser: _user_user,
    TransitCounter: lambda one: ("", (("transit exchanges", str(one.count)),)),
    PartyCategory: lambda one: ("", (("category", named(names.CATEGORIES, one.category)),)),
    ChangeStatus: _status,
}
