"""Q.931 information elements: content octets <-> frozen dataclasses, and the table of their identifiers.

Each class reads and writes the content only; identifier and length are q931's. read() raises DecodeError with
the cause to answer and passes over optional octets that are of no use to a telephone call; write() raises
ValueError for a field out of range.

Ref: ITU-T Q.931 (05/98), 4.5; bare clause numbers are Q.931's. Connected number, subaddress: Q.951.5 (06/93).
Facility: Q.932 (05/98). Redirection number: EN 300 207-1. Party category: ECMA-143. Transit counter:
ECMA-225. Change status: AT&T TR 41459.
Coding standards other than ITU-T's are read where the layout is the same and written as ITU-T's. What only
packet mode or basic rate has is of no class.
"""
from appliance.isdn.elements.base import (
    ACCESS_INFORMATION_DISCARDED,
    BEARER_NOT_IMPLEMENTED,
    CHANNEL_DOES_NOT_EXIST,
    INVALID_CONTENTS,
    SHIFT,
    SINGLE_OCTET,
    Element,
    Unread,
)
from appliance.isdn.elements.carried import DateTime, Display, Facility, MoreData, UserUser
from appliance.isdn.elements.channel import (
    BearerCapability,
    ChangeStatus,
    ChannelId,
    HighLayerCompatibility,
    LowLayerCompatibility,
    RestartIndicator,
)
from appliance.isdn.elements.course import (
    CallIdentity,
    CallState,
    Cause,
    CongestionLevel,
    NotificationIndicator,
    ProgressIndicator,
    RepeatIndicator,
    SegmentedMessage,
    Signal,
    TransitCounter,
)
from appliance.isdn.elements.parties import (
    CalledNumber,
    CalledSubaddress,
    CallingNumber,
    CallingSubaddress,
    ConnectedNumber,
    ConnectedSubaddress,
    KeypadFacility,
    NetworkSpecificFacilities,
    PartyCategory,
    RedirectingNumber,
    RedirectionNumber,
    SendingComplete,
    TransitNetworkSelection,
)

__all__ = [
    "ACCESS_INFORMATION_DISCARDED", "BEARER_NOT_IMPLEMENTED", "CHANNEL_DOES_NOT_EXIST", "ELEMENTS",
    "IDENTIFIERS", "INVALID_CONTENTS", "MAINTENANCE_ELEMENTS", "NEGOTIABLE", "REPEATABLE", "SHIFT",
    "SINGLE_OCTET",
    "BearerCapability", "CallIdentity", "CallState", "CalledNumber", "CalledSubaddress", "CallingNumber",
    "CallingSubaddress", "Cause", "ChangeStatus", "ChannelId", "CongestionLevel", "ConnectedNumber",
    "ConnectedSubaddress", "DateTime", "Display", "Element", "Facility", "HighLayerCompatibility",
    "KeypadFacility", "LowLayerCompatibility", "MoreData", "NetworkSpecificFacilities",
    "NotificationIndicator", "PartyCategory", "ProgressIndicator", "RedirectingNumber", "RedirectionNumber",
    "RepeatIndicator", "RestartIndicator", "SegmentedMessage", "SendingComplete", "Signal", "TransitCounter",
    "TransitNetworkSelection", "Unread", "UserUser",
]

ELEMENTS: dict[int, type[Element]] = {            # table 4-3; codeset << 8 | identifier
    0xA0: MoreData,
    0xA1: SendingComplete,
    0xB0: CongestionLevel,                        # of these two bits 4-1 are the content
    0xD0: RepeatIndicator,
    0x00: SegmentedMessage,
    0x04: BearerCapability,
    0x08: Cause,
    0x10: CallIdentity,
    0x14: CallState,
    0x18: ChannelId,
    0x1C: Facility,
    0x1E: ProgressIndicator,
    0x20: NetworkSpecificFacilities,
    0x27: NotificationIndicator,
    0x28: Display,
    0x29: DateTime,
    0x2C: KeypadFacility,
    0x34: Signal,
    0x4C: ConnectedNumber,
    0x4D: ConnectedSubaddress,
    0x6C: CallingNumber,
    0x6D: CallingSubaddress,
    0x70: CalledNumber,
    0x71: CalledSubaddress,
    0x74: RedirectingNumber,
    0x76: RedirectionNumber,
    0x78: TransitNetworkSelection,
    0x79: RestartIndicator,
    0x7C: LowLayerCompatibility,
    0x7D: HighLayerCompatibility,
    0x7E: UserUser,
    0x431: TransitCounter,
    0x532: PartyCategory,
}
MAINTENANCE_ELEMENTS: dict[int, type[Element]] = ELEMENTS | {0x01: ChangeStatus}         # of SERVICE
IDENTIFIERS: dict[type[Element], int] = {
    kind: identifier for identifier, kind in MAINTENANCE_ELEMENTS.items()}
REPEATABLE: set[type[Element]] = {
    Cause, Facility, ProgressIndicator, NetworkSpecificFacilities, NotificationIndicator, Display, Signal,
    RedirectingNumber, TransitNetworkSelection, RepeatIndicator}
NEGOTIABLE: set[type[Element]] = {                # repeated after a repeat indicator
    BearerCapability, LowLayerCompatibility, HighLayerCompatibility}
