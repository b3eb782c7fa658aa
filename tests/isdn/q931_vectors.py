"""Q.931 octets and what they mean. A row goes both ways unless its list says otherwise.

The elements were worked out by hand from the figures of 4.5 and the documents that elements/ names, every
field with two values. The messages of captures come from equipment that is not ours.
"""
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CalledSubaddress,
    CallIdentity,
    CallingNumber,
    CallingSubaddress,
    CallState,
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
    Unread,
    UserUser,
)
from appliance.isdn.q931 import ElementFault, Message
from appliance.isdn.q931 import MessageType as T

DIGITAL = BearerCapability.UNRESTRICTED

CONNECT = "08 02 00 01 07"                        # these elements are read in a message that needs none
ELEMENTS = [
    ("a0", MoreData()),
    ("a1", SendingComplete()),
    ("b0", CongestionLevel(0)),
    ("bf", CongestionLevel(15)),
    ("d2", RepeatIndicator()),
    ("d0", RepeatIndicator(0)),
    ("00 02 82 05", SegmentedMessage(2, T.SETUP, first=True)),
    ("00 02 00 7b", SegmentedMessage(0, T.INFORMATION)),
    ("04 03 80 90 a3", BearerCapability()),
    ("04 03 90 90 a3", BearerCapability(BearerCapability.AUDIO_3K1)),
    ("04 02 88 90", BearerCapability(DIGITAL, layer1=None)),
    ("04 03 80 90 a2", BearerCapability(layer1=2)),
    ("04 02 88 c0", BearerCapability(DIGITAL, None, rate=0x40)),
    ("04 03 88 98 86", BearerCapability(DIGITAL, None, BearerCapability.MULTIRATE, multiplier=6)),
    ("04 04 98 98 82 a5", BearerCapability(BearerCapability.VIDEO, 5, BearerCapability.MULTIRATE, 2)),
    ("04 05 88 90 21 48 86", BearerCapability(DIGITAL, 1, adaptation=b"\x48\x86")),
    ("04 06 88 90 21 8f c6 e6", BearerCapability(DIGITAL, 1, adaptation=b"\x8f", layers=b"\xc6\xe6")),
    ("04 04 88 90 c6 e6", BearerCapability(DIGITAL, None, layers=b"\xc6\xe6")),
    ("04 04 80 90 a3 c0", BearerCapability(layers=b"\xc0")),
    ("08 02 80 90", Cause(16)),
    ("08 02 82 91", Cause(17, location=2)),
    ("08 03 8a e4 18", Cause(100, location=10, diagnostic=b"\x18")),
    ("08 03 02 80 90", Cause(16, location=2, recommendation=0)),
    ("08 04 00 83 9f 01", Cause(31, diagnostic=b"\x01", recommendation=3)),
    ("10 01 31", CallIdentity(b"1")),
    ("10 08 00 01 02 03 04 05 06 ff", CallIdentity(bytes.fromhex("00 01 02 03 04 05 06 ff"))),
    ("14 01 00", CallState(0)),
    ("14 01 0a", CallState(10)),
    ("14 01 3d", CallState(61)),
    ("18 03 a9 83 81", ChannelId(1)),
    ("18 03 a1 83 9f", ChannelId(31, exclusive=False)),
    ("18 01 ab", ChannelId(None, any_channel=True)),
    ("18 01 a3", ChannelId(None, exclusive=False, any_channel=True)),
    ("18 01 a8", ChannelId(None)),
    ("18 05 a9 83 01 0f 91", ChannelId(1, others=(15, 17))),
    ("18 06 a9 93 80 02 80 02", ChannelId(1, others=(15, 17, 31), slot_map=True)),
    ("18 04 e9 81 83 85", ChannelId(5, interface=1)),
    ("18 05 e9 01 80 83 85", ChannelId(5, interface=128)),
    ("18 02 e8 83", ChannelId(None, interface=3)),
    ("1c 06 91 a2 03 02 01 05", Facility(bytes.fromhex("91 a2 03 02 01 05"))),
    ("1c 01 9f", Facility(b"\x9f")),
    ("1e 02 80 81", ProgressIndicator(1)),
    ("1e 02 82 88", ProgressIndicator(8, location=2)),
    ("20 03 00 e5 01", NetworkSpecificFacilities(b"\xe5\x01")),
    ("20 06 04 a1 32 38 38 e1", NetworkSpecificFacilities(b"\xe1", "288")),
    ("20 04 02 b3 35 81", NetworkSpecificFacilities(b"\x81", "5", 3, 3)),
    ("27 01 80", NotificationIndicator(0)),
    ("27 01 f9", NotificationIndicator(0x79)),
    ("28 05 41 6c 69 63 65", Display("Alice")),
    ("28 04 b1 4a f6 65", Display("J\u00f6e", charset=0xB1)),
    ("29 03 18 0c 1f", DateTime(24, 12, 31)),
    ("29 05 18 01 02 17 3b", DateTime(24, 1, 2, 23, 59)),
    ("29 06 18 01 02 17 3b 1e", DateTime(24, 1, 2, 23, 59, 30)),
    ("2c 03 2a 32 31", KeypadFacility("*21")),
    ("2c 01 23", KeypadFacility("#")),
    ("34 01 01", Signal(Signal.RING_BACK_TONE)),
    ("34 01 4f", Signal(Signal.ALERTING_OFF)),
    ("4c 06 21 83 35 35 30 31", ConnectedNumber("5501", type=2, screening=3)),
    ("4c 02 00 c3", ConnectedNumber("", plan=0, presentation=2, screening=3)),
    ("4d 03 a0 12 34", ConnectedSubaddress(b"\x12\x34")),
    ("4d 04 80 50 31 32", ConnectedSubaddress(b"\x5012", type=0)),
    ("6c 05 81 35 30 30 31", CallingNumber("5001", screening=None)),
    ("6c 06 01 80 35 30 30 31", CallingNumber("5001")),
    ("6c 06 49 a1 36 30 30 32", CallingNumber("6002", type=4, plan=9, presentation=1, screening=1)),
    ("6d 03 a8 12 30", CallingSubaddress(b"\x12\x30", odd=True)),
    ("6d 02 80 50", CallingSubaddress(b"\x50", type=0)),
    ("70 05 81 35 30 30 31", CalledNumber("5001")),
    ("70 03 c9 36 30", CalledNumber("60", type=4, plan=9)),
    ("70 01 80", CalledNumber("", plan=0)),
    ("71 04 80 50 31 32", CalledSubaddress(b"\x5012", type=0)),
    ("71 03 a8 12 30", CalledSubaddress(b"\x12\x30", odd=True)),
    ("74 05 01 00 80 31 32", RedirectingNumber("12")),
    ("74 04 29 21 8f 39", RedirectingNumber("9", 2, 9, presentation=1, screening=1, reason=15)),
    ("76 04 21 80 31 32", RedirectionNumber("12", type=2)),
    ("76 03 09 a0 39", RedirectionNumber("9", plan=9, presentation=1)),
    ("78 04 a1 32 38 38", TransitNetworkSelection("288")),
    ("78 03 b3 39 31", TransitNetworkSelection("91", type=3, plan=3)),
    ("79 01 80", RestartIndicator(RestartIndicator.CHANNELS)),
    ("79 01 87", RestartIndicator(RestartIndicator.ALL_INTERFACES)),
    ("79 01 86", RestartIndicator(RestartIndicator.INTERFACE)),
    ("7c 03 80 90 a3", LowLayerCompatibility(b"\x80\x90\xa3")),
    ("7c 01 80", LowLayerCompatibility(b"\x80")),
    ("7d 02 91 81", HighLayerCompatibility()),
    ("7d 02 91 84", HighLayerCompatibility(4)),
    ("7d 03 91 5e 81", HighLayerCompatibility(0x5E, extended=1)),
    ("7d 02 95 c1", HighLayerCompatibility(0x41, octet3=0x95)),
    ("7e 03 04 68 69", UserUser(4, b"hi")),
    ("7e 01 00", UserUser(0, b"")),
    ("94 31 01 81", TransitCounter(1)),
    ("94 31 01 9f", TransitCounter(31)),
    ("95 32 01 81", PartyCategory(PartyCategory.EXTENSION)),
    ("95 32 01 83", PartyCategory(PartyCategory.EMERGENCY_EXTENSION)),
]

SERVICE = "03 02 00 00 0f"                        # and these in SERVICE
MAINTENANCE_ELEMENTS = [
    ("01 01 c0", ChangeStatus(ChangeStatus.IN_SERVICE)),
    ("01 01 82", ChangeStatus(ChangeStatus.OUT_OF_SERVICE, of_channel=False)),
]

READ_ONLY_ELEMENTS = [                            # what other equipment may send and we write otherwise
    ("08 02 e0 90", Cause(16)),                                         # another coding standard
    ("1e 02 a2 88", ProgressIndicator(8, location=2)),
    ("14 01 4a", CallState(10)),
    ("70 06 01 80 35 30 30 31", CalledNumber("5001")),                  # an octet 3a that should not be there
    ("74 03 81 31 32", RedirectingNumber("12")),
    ("74 04 01 a1 31 32", RedirectingNumber("12", presentation=1, screening=1)),
    ("18 03 ad 83 81", ChannelId(1)),                                   # D-channel indicator
    ("18 03 a9 83 01", ChannelId(1)),                                   # its list seems to go on
    ("79 01 f8", RestartIndicator()),                                   # spare bits
    ("9c 31 01 e1", TransitCounter(1)),                                 # by a non-locking shift
    ("9d 32 01 8a", PartyCategory(PartyCategory.OPERATOR)),
]

MESSAGES = [
    ("08 02 00 01 45 08 02 82 90", Message(T.DISCONNECT, 1, False, (Cause(16, location=2),))),
    ("08 02 80 07 02 18 03 a1 83 91", Message(T.CALL_PROCEEDING, 7, True, (ChannelId(17, False),))),
    ("08 02 ff ff 02 18 03 a9 83 9f", Message(T.CALL_PROCEEDING, 0x7FFF, True, (ChannelId(31),))),
    ("08 02 00 00 46 18 03 a9 83 85 79 01 80",
     Message(T.RESTART, 0, False, (ChannelId(5), RestartIndicator()))),
    ("08 02 80 00 4e 79 01 87", Message(T.RESTART_ACKNOWLEDGE, 0, True, (RestartIndicator(7),))),
    ("08 02 12 34 7d 08 02 80 9e 14 01 0a", Message(T.STATUS, 0x1234, False, (Cause(30), CallState(10)))),
    ("08 02 92 34 75", Message(T.STATUS_ENQUIRY, 0x1234, True)),
    ("08 02 00 02 05 a1 04 03 80 90 a3 18 03 a9 83 82 6c 06 21 83 35 35 35 31 70 05 c1 35 30 30 31",
     Message(T.SETUP, 2, False, (
         SendingComplete(), BearerCapability(), ChannelId(2), CallingNumber("5551", type=2, screening=3),
         CalledNumber("5001", type=4)))),
    ("08 02 80 02 07 1e 02 82 88 1e 02 84 82",
     Message(T.CONNECT, 2, True, (ProgressIndicator(8, 2), ProgressIndicator(2, 4)))),
    ("08 02 00 02 4d 08 02 82 90 08 02 82 e6",                          # 5.3.4: T305 has expired
     Message(T.RELEASE, 2, False, (Cause(16, 2), Cause(102, 2)))),
    ("08 02 00 02 20 a0 7e 03 04 68 69",
     Message(T.USER_INFORMATION, 2, False, (MoreData(), UserUser(4, b"hi")))),
    ("08 02 80 02 79 bf 08 02 80 ab",
     Message(T.CONGESTION_CONTROL, 2, True, (CongestionLevel(15), Cause(43)))),
    ("08 02 00 02 05 d2 04 03 91 90 a5 04 03 80 90 a3 d2 7c 03 91 90 a5 7c 03 80 90 a3",       # 5.11.1
     Message(T.SETUP, 2, False, (
         RepeatIndicator(), BearerCapability(0x11, 5), BearerCapability(),
         RepeatIndicator(), LowLayerCompatibility(b"\x91\x90\xa5"), LowLayerCompatibility(b"\x80\x90\xa3")))),
    ("08 02 00 02 60 00 02 81 05 04 03 80 90",                          # cut inside the bearer capability
     Message(T.SEGMENT, 2, False, (SegmentedMessage(1, T.SETUP, first=True),), segment=b"\x04\x03\x80\x90")),
    ("08 02 00 02 60 00 02 00 05 a3", Message(T.SEGMENT, 2, False, (SegmentedMessage(0, T.SETUP),),
                                              segment=b"\xa3")),
]

RULE = bytes.fromhex("9f aa 06 80 01 00 82 01 00 8b 01 00 a1 0b 02 01 01 02 01 16 30 03 01 01 00")
NAME = bytes.fromhex("9f aa 06 80 01 00 82 01 00 8b 01 00 a1 0d 02 01 02 02 01 00 80 05 41 6c 69 63 65")
CAPTURED = [                                      # with the elements in the order that we write, too
    # libpri 1.6.0, EuroISDN
    ("08 02 80 01 03 08 02 81 91 1e 02 81 88",
     Message(T.PROGRESS, 1, True, (Cause(17, 1), ProgressIndicator(8, 1)))),
    ("08 02 80 01 07 18 03 a9 83 85 1c 0c 91 a1 09 02 01 01 02 01 13 01 01 00 28 05 41 6c 69 63 65"
     " 4c 06 21 a3 35 30 30 31 4d 04 80 50 31 32",
     Message(T.CONNECT, 1, True, (
         ChannelId(5), Facility(bytes.fromhex("91 a1 09 02 01 01 02 01 13 01 01 00")), Display("Alice"),
         ConnectedNumber("5001", 2, 1, 1, 3), ConnectedSubaddress(b"\x5012", 0)))),
    ("08 02 80 01 6e 27 01 80", Message(T.NOTIFY, 1, True, (NotificationIndicator(0),))),
    ("08 02 80 01 24", Message(T.HOLD, 1, True)),
    ("08 02 00 01 30 08 02 81 9d", Message(T.HOLD_REJECT, 1, False, (Cause(29, 1),))),
    ("08 02 80 01 31 18 03 a1 83 87", Message(T.RETRIEVE, 1, True, (ChannelId(7, False),))),
    ("08 02 00 01 7b 2c 03 31 32 33", Message(T.INFORMATION, 1, False, (KeypadFacility("123"),))),
    ("08 02 80 00 4e 18 03 a9 83 89 79 01 80",
     Message(T.RESTART_ACKNOWLEDGE, 0, True, (ChannelId(9), RestartIndicator()))),
    ("08 02 00 01 62 1c 06 91 a2 03 02 01 02",
     Message(T.FACILITY, 1, False, (Facility(bytes.fromhex("91 a2 03 02 01 02")),))),
    # libpri, AT&T 4ESS and National ISDN 2
    ("03 02 00 00 0f 01 01 c0 18 03 a9 83 83", Message(T.SERVICE, 0, False, (ChangeStatus(0), ChannelId(3)))),
    ("03 02 80 00 07 01 01 c2 18 03 a9 83 83",
     Message(T.SERVICE_ACKNOWLEDGE, 0, True, (ChangeStatus(2), ChannelId(3)))),
    ("43 02 00 00 07 01 01 c2 18 03 a9 83 83",
     Message(T.NI_SERVICE, 0, False, (ChangeStatus(2), ChannelId(3)))),
    ("43 02 80 00 0f 01 01 c2 18 03 a9 83 83",
     Message(T.NI_SERVICE_ACKNOWLEDGE, 0, True, (ChangeStatus(2), ChannelId(3)))),
    ("08 02 00 01 05 04 03 90 90 a3 18 03 a1 83 85 28 06 b1 41 6c 69 63 65 6c 09 21 a3 32 31 35 35 35 30 31"
     " 6d 04 80 50 31 32 70 05 80 35 30 30 31 71 04 80 51 31 32 74 07 21 20 8f 34 30 30 30"
     " 7e 06 04 68 65 6c 6c 6f",
     Message(T.SETUP, 1, False, (
         BearerCapability(BearerCapability.AUDIO_3K1), ChannelId(5, False), Display("Alice", 0xB1),
         CallingNumber("2155501", 2, 1, 1, 3), CallingSubaddress(b"\x5012", 0), CalledNumber("5001", plan=0),
         CalledSubaddress(b"\x5112", 0), RedirectingNumber("4000", 2, 1, 1, 0, 15), UserUser(4, b"hello")))),
    # libpri, QSIG
    ("08 02 80 01 07 18 03 a9 83 85"
     " 1c 19 9f aa 06 80 01 00 82 01 00 8b 01 00 a1 0b 02 01 01 02 01 16 30 03 01 01 00"
     " 1c 1b 9f aa 06 80 01 00 82 01 00 8b 01 00 a1 0d 02 01 02 02 01 00 80 05 41 6c 69 63 65",
     Message(T.CONNECT, 1, True, (ChannelId(5), Facility(RULE), Facility(NAME)))),
    # a trace in the HP Comware 5 debug manual
    ("08 02 00 05 05 a1 04 02 88 90 18 03 a1 83 85 70 04 80 36 36 36",
     Message(T.SETUP, 5, False, (
         SendingComplete(), BearerCapability(DIGITAL, None), ChannelId(5, exclusive=False),
         CalledNumber("666", plan=0)))),
    ("08 02 80 05 07 18 03 a1 83 85", Message(T.CONNECT, 5, True, (ChannelId(5, False),))),
    # a trace in a Cisco document on disconnect causes, its call reference in two octets
    ("08 02 80 2e 03 1e 02 8a 81 34 01 01",
     Message(T.PROGRESS, 0x2E, True, (ProgressIndicator(1, 10), Signal(Signal.RING_BACK_TONE)))),
    ("08 02 80 2e 45 08 03 82 9f 08", Message(T.DISCONNECT, 0x2E, True, (Cause(31, 2, b"\x08"),))),
]

READ_ONLY_CAPTURED = [                            # with the elements in another order, or with faults
    # a sample trace of Linkbit's analyser: Sending complete last
    ("08 02 00 32 05 04 03 80 90 a3 18 03 a9 83 85 1e 02 81 88 6c 09 21 80 32 32 32 32 32 30 35"
     " 70 08 a1 31 31 31 31 31 30 35 a1",
     Message(T.SETUP, 50, False, (
         BearerCapability(), ChannelId(5), ProgressIndicator(8, 1), CallingNumber("2222205", type=2),
         CalledNumber("1111105", type=2), SendingComplete()))),
    # libpri, user side of EuroISDN
    ("08 02 00 01 05 04 03 80 90 a3 18 03 a9 83 86 28 05 41 6c 69 63 65 2c 04 2a 32 31 23"
     " 6c 09 21 83 32 31 35 35 35 30 31 6d 04 a8 50 31 32 70 05 a1 35 30 30 31 71 04 a8 51 31 32"
     " 7e 06 04 68 65 6c 6c 6f a1",
     Message(T.SETUP, 1, False, (
         BearerCapability(), ChannelId(6), Display("Alice"), KeypadFacility("*21#"),
         CallingNumber("2155501", 2, 1, 0, 3), CallingSubaddress(b"\x5012", odd=True),
         CalledNumber("5001", type=2), CalledSubaddress(b"\x5112", odd=True), UserUser(4, b"hello"),
         SendingComplete()))),
    # libpri, National ISDN 2: the whole interface, which has no number
    ("43 02 00 00 07 01 01 c2 18 01 a9", Message(T.NI_SERVICE, 0, False, (ChangeStatus(2), ChannelId(None)))),
    # a basic rate line of Deutsche Telekom's, whose channels we have not got
    ("08 01 01 05 04 02 88 90 18 01 83 6c 03 00 80 30 70 0c 80 30 31 37 33 36 32 33 33 31 30 36",
     Message(T.SETUP, 1, False, (
         BearerCapability(DIGITAL, None), CallingNumber("0", plan=0), CalledNumber("01736233106", plan=0)),
         faults=(ElementFault(0x18, 100),))),
]

UNREAD = [                                        # elements of no class: written again as they came
    ("e1", Unread(0xE1)),
    ("40 01 88", Unread(0x40, b"\x88")),                                # information rate, of packet mode
    ("73 02 80 31", Unread(0x73, b"\x80\x31")),
    ("73 00", Unread(0x73)),
    ("96 01 02 00 01", Unread(0x601, b"\x00\x01")),                     # originating line information
    ("97 a1", Unread(0x7A1)),
]


def in_message(octets: str, element: Element) -> tuple[str, Message]:
    """A vector of an element as one of a message."""
    if isinstance(element, ChangeStatus):
        return SERVICE + octets, Message(T.SERVICE, 0, False, (element,))
    return CONNECT + octets, Message(T.CONNECT, 1, False, (element,))


BOTH_WAYS = [*(in_message(*row) for row in ELEMENTS + MAINTENANCE_ELEMENTS), *MESSAGES, *CAPTURED]
READ_ONLY = [*(in_message(*row) for row in READ_ONLY_ELEMENTS), *READ_ONLY_CAPTURED]
