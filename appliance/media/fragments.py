"""What sounds are called, for daemons that name them and carry no audio: without what makes sound."""

from appliance.errors import BranchlineError

KINDS = ("tone", "dtmf", "silence", "noise")      # that are made from numbers: sources.py
FOLDER = "said"                                   # of spoken texts, below the state folder: "said:NAME"
SUFFIX = ".wav"                                   # of files that are played


class SourceError(BranchlineError):
    """Names the fragment and what to write."""
