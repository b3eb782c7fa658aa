"""Audio of finished recordings: the formats of their files, and what a player shows of them. No disk."""

from appliance.recording.audio.formats import MEDIA_TYPES, Format, decode, encode
from appliance.recording.audio.waveform import Peaks, Silences, looked_at

__all__ = ["MEDIA_TYPES", "Format", "Peaks", "Silences", "decode", "encode", "looked_at"]
