"""What may be chosen of timeslot 0: for who reads a span's URL, without what it takes to frame a line.

Ref: ITU-T G.704 (10/98) 2.3, G.706 (04/91).
"""

from enum import StrEnum

SA_BITS = 0x1F                                    # Sa4 to Sa8


class Crc4(StrEnum):
    """What an end does about CRC-4 multiframes (G.706 4.2 and annex B)."""

    ON = "on"                                     # sent, and wanted: without the far end's it is LOMF
    OFF = "off"                                   # neither sent nor looked for
    AUTO = "auto"                                 # sent; done without when the far end has none
