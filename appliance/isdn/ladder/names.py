"""Names of numbers on the D-channel, in the Recommendations' own words. A number without a name has no row.

Ref: Q.850 (05/98) table 1; Q.931 (05/98) 4.2, table 4-3 and 4.5; Q.932 8.2; Q.951; EN 300 403-1.
"""

CAUSES: dict[int, str] = {                        # Q.850
    1: "Unallocated (unassigned) number", 2: "No route to specified transit network",
    3: "No route to destination", 4: "Send special information tone", 5: "Misdialled trunk prefix",
    6: "Channel unacceptable", 7: "Call awarded and being delivered in an established channel",
    8: "Preemption", 9: "Preemption, circuit reserved for reuse",
    14: "Query on release: ported number", 16: "Normal call clearing", 17: "User busy",
    18: "No user responding", 19: "No answer from user (user alerted)", 20: "Subscriber absent",
    21: "Call rejected", 22: "Number changed", 23: "Redirection to new destination",
    25: "Exchange routing error", 26: "Non-selected user clearing", 27: "Destination out of order",
    28: "Invalid number format (address incomplete)", 29: "Facility rejected",
    30: "Response to STATUS ENQUIRY", 31: "Normal, unspecified", 34: "No circuit/channel available",
    38: "Network out of order", 39: "Permanent frame mode connection out of service",
    40: "Permanent frame mode connection operational", 41: "Temporary failure",
    42: "Switching equipment congestion", 43: "Access information discarded",
    44: "Requested circuit/channel not available", 46: "Precedence call blocked",
    47: "Resource unavailable, unspecified", 49: "Quality of service not available",
    50: "Requested facility not subscribed", 53: "Outgoing calls barred within CUG",
    55: "Incoming calls barred within CUG", 57: "Bearer capability not authorized",
    58: "Bearer capability not presently available",
    62: "Inconsistency in designated outgoing access information and subscriber class",
    63: "Service or option not available, unspecified", 65: "Bearer capability not implemented",
    66: "Channel type not implemented", 69: "Requested facility not implemented",
    70: "Only restricted digital information bearer capability is available",
    79: "Service or option not implemented, unspecified", 81: "Invalid call reference value",
    82: "Identified channel does not exist", 83: "A suspended call exists, but this call identity does not",
    84: "Call identity in use", 85: "No call suspended",
    86: "Call having the requested call identity has been cleared", 87: "User not member of CUG",
    88: "Incompatible destination", 90: "Non-existent CUG", 91: "Invalid transit network selection",
    95: "Invalid message, unspecified", 96: "Mandatory information element is missing",
    97: "Message type non-existent or not implemented",
    98: "Message not compatible with call state or message type non-existent or not implemented",
    99: "Information element/parameter non-existent or not implemented",
    100: "Invalid information element contents", 101: "Message not compatible with call state",
    102: "Recovery on timer expiry", 103: "Parameter non-existent or not implemented, passed on",
    110: "Message with unrecognized parameter, discarded", 111: "Protocol error, unspecified",
    127: "Interworking, unspecified",
}

LOCATIONS: dict[int, str] = {                     # Q.850 2.2.3
    0: "user", 1: "private network serving the local user", 2: "public network serving the local user",
    3: "transit network", 4: "public network serving the remote user",
    5: "private network serving the remote user", 7: "international network",
    10: "network beyond interworking point",
}

ELEMENTS: dict[int, str] = {                      # table 4-3; codeset << 8 | identifier
    0x00: "Segmented message", 0x04: "Bearer capability", 0x08: "Cause", 0x0D: "Extended facility",
    0x10: "Call identity", 0x14: "Call state", 0x18: "Channel identification", 0x1C: "Facility",
    0x1E: "Progress indicator", 0x20: "Network-specific facilities", 0x27: "Notification indicator",
    0x28: "Display", 0x29: "Date/time", 0x2C: "Keypad facility", 0x32: "Information request",
    0x34: "Signal", 0x36: "Switchhook", 0x38: "Feature activation", 0x39: "Feature indication",
    0x40: "Information rate", 0x42: "End-to-end transit delay", 0x43: "Transit delay selection",
    0x44: "Packet layer binary parameters", 0x45: "Packet layer window size", 0x46: "Packet size",
    0x47: "Closed user group", 0x4A: "Reverse charging indication", 0x4C: "Connected number",
    0x4D: "Connected subaddress", 0x6C: "Calling party number", 0x6D: "Calling party subaddress",
    0x70: "Called party number", 0x71: "Called party subaddress", 0x74: "Redirecting number",
    0x76: "Redirection number", 0x78: "Transit network selection", 0x79: "Restart indicator",
    0x7C: "Low layer compatibility", 0x7D: "High layer compatibility", 0x7E: "User-user",
    0x7F: "Escape for extension", 0xA0: "More data", 0xA1: "Sending complete", 0xB0: "Congestion level",
    0xD0: "Repeat indicator", 0x431: "Transit counter", 0x532: "Party category",
}
FIRST: dict[str, int] = {name: place for place, name in enumerate((      # in the line of a message
    "Cause", "Calling party number", "Called party number", "Connected number", "Redirecting number",
    "Display", "Channel identification"))}
MAINTENANCE_ELEMENTS: dict[int, str] = {0x01: "Change status", 0x18: "Channel identification"}
CODESETS: dict[int, str] = {4: "ISO/IEC", 5: "national", 6: "local network", 7: "user"}   # 4.5.2

CAPABILITIES: dict[int, str] = {                  # 4.5.5, information transfer capability
    0x00: "speech", 0x08: "unrestricted digital", 0x09: "restricted digital", 0x10: "3.1 kHz audio",
    0x11: "unrestricted digital with tones", 0x18: "video",
}
RATES: dict[int, str] = {                         # 4.5.5, transfer mode and rate
    0x10: "64 kbit/s", 0x11: "2 x 64 kbit/s", 0x13: "384 kbit/s", 0x15: "1536 kbit/s", 0x17: "1920 kbit/s",
    0x18: "multirate", 0x40: "packet mode",
}
LAYERS1: dict[int, str] = {                       # 4.5.5, user information layer 1 protocol
    1: "V.110", 2: "mu-law", 3: "A-law", 4: "G.721 ADPCM", 5: "H.221", 6: "H.223", 8: "V.120", 9: "X.31",
}

TYPES_OF_NUMBER: dict[int, str] = {               # 4.5.10
    0: "unknown", 1: "international", 2: "national", 3: "network specific", 4: "subscriber",
    6: "abbreviated", 7: "reserved for extension",
}
PLANS: dict[int, str] = {                         # 4.5.10
    0: "unknown", 1: "E.164", 3: "X.121", 4: "F.69 telex", 8: "national standard", 9: "private",
    15: "reserved for extension",
}
PRESENTATIONS: dict[int, str] = {0: "allowed", 1: "restricted", 2: "number not available", 3: "reserved"}
SCREENINGS: dict[int, str] = {
    0: "user provided, not screened", 1: "user provided, verified and passed",
    2: "user provided, verified and failed", 3: "network provided",
}
REASONS: dict[int, str] = {                       # 4.6.7, Q.952
    0: "unknown", 1: "busy", 2: "no reply", 4: "deflection during alerting", 5: "deflection, immediate",
    9: "called terminal out of order", 10: "by the called terminal", 15: "unconditional",
}
SUBADDRESSES: dict[int, str] = {0: "NSAP", 2: "user specified"}                           # 4.5.9

PROGRESS: dict[int, str] = {                      # 4.5.23
    1: "Call is not end-to-end ISDN; further call progress information may be available in-band",
    2: "Destination address is non-ISDN", 3: "Origination address is non-ISDN",
    4: "Call has returned to the ISDN",
    5: "Interworking has occurred and has resulted in a telecommunication service change",
    8: "In-band information or an appropriate pattern is now available",
}
NOTIFICATIONS: dict[int, str] = {                 # 4.5.22, Q.951 and Q.953
    0x00: "user suspended", 0x01: "user resumed", 0x02: "bearer service change",
    0x42: "conference established", 0x43: "conference disconnected", 0x44: "other party added",
    0x45: "isolated", 0x46: "reattached", 0x47: "other party isolated",
    0x48: "other party reattached", 0x49: "other party split",
    0x4A: "other party disconnected", 0x4B: "conference floating", 0x60: "call is a waiting call",
    0x68: "diversion activated", 0x69: "call transfer, alerting", 0x6A: "call transfer, active",
    0x79: "remote hold", 0x7A: "remote retrieval", 0x7B: "call is diverting",
}
SIGNALS: dict[int, str] = {                       # 4.5.28; 0x40-0x47 are alerting patterns
    0x00: "dial tone on", 0x01: "ring back tone on", 0x02: "intercept tone on", 0x03: "congestion tone on",
    0x04: "busy tone on", 0x05: "confirm tone on", 0x06: "answer tone on", 0x07: "call waiting tone on",
    0x08: "off-hook warning tone on", 0x09: "pre-emption tone on", 0x3F: "tones off",
    **{0x40 + pattern: f"alerting pattern {pattern}" for pattern in range(8)}, 0x4F: "alerting off",
}
STATUSES: dict[int, str] = {0: "in service", 1: "maintenance", 2: "out of service"}       # AT&T TR 41459
CATEGORIES: dict[int, str] = {                    # ECMA-143
    0: "unknown", 1: "extension", 2: "operator", 3: "emergency extension"}
RESTARTS: dict[int, str] = {0: "indicated channels", 6: "single interface", 7: "all interfaces"}  # 4.5.25
SERVICES_OF_USER: dict[int, str] = {              # 4.5.17, high layer characteristics
    0x01: "telephony", 0x04: "facsimile group 2/3", 0x21: "facsimile group 4", 0x28: "mixed mode",
    0x31: "teletex", 0x32: "videotex", 0x35: "telex", 0x38: "message handling", 0x41: "OSI application",
    0x5E: "maintenance", 0x5F: "management", 0x60: "videotelephony",
}
USER_PROTOCOLS: dict[int, str] = {                # 4.5.30
    0: "user specific", 1: "OSI high layer", 2: "X.244", 4: "IA5 characters", 5: "X.208 and X.209",
    7: "V.120", 8: "Q.931",
}

_STATES: dict[int, str] = {                       # 2.1, 2.2 and 2.4, the words that both sides share
    0: "null", 1: "call initiated", 2: "overlap sending", 3: "outgoing call proceeding", 4: "call delivered",
    6: "call present", 7: "call received", 8: "connect request", 9: "incoming call proceeding", 10: "active",
    11: "disconnect request", 12: "disconnect indication", 15: "suspend request", 17: "resume request",
    19: "release request", 22: "call abort", 25: "overlap receiving",
}
_RESTART_STATES: dict[int, str] = {0: "null", 61: "restart request", 62: "restart"}


def call_state(value: int, globally: bool) -> str:
    """"10 active"; of the global call reference the restart states (table 4-9)."""
    name = (_RESTART_STATES if globally else _STATES).get(value)
    number = f"REST {({61: 1, 62: 2}).get(value, value)}" if globally else str(value)
    return f"{number} {name}" if name else f"{number} unknown"


def named(names: dict[int, str], value: int) -> str:
    """The name, or the number where it has none."""
    return names.get(value, f"{value} (reserved)")
