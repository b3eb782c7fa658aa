"""D-channel frames in words, for people: what a trace shows. No I/O, no clock."""
from appliance.isdn.ladder.course import Course, Fold, Frame, Step, ladder
from appliance.isdn.ladder.names import CAUSES
from appliance.isdn.ladder.rung import Part, Rung, describe, elements_in
from appliance.isdn.ladder.watch import LinkWatch

__all__ = [
    "CAUSES", "Course", "Fold", "Frame", "LinkWatch", "Part", "Rung", "Step", "describe", "elements_in",
    "ladder",
]
