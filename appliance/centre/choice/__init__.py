"""Who is served next, by whom, and how long others will wait. Pure."""

from appliance.centre.choice.facts import Rules, Standing, Waiting
from appliance.centre.choice.floor import Floor, Leave, Match, Why
from appliance.centre.choice.history import History

__all__ = ["Floor", "History", "Leave", "Match", "Rules", "Standing", "Waiting", "Why"]
