"""Echo cancelling on all ports at once: what a port was sent comes back from its line, and is taken away.

Ref: ITU-T G.168 (04/2015).
"""

from appliance.media.echo.canceller import EchoCanceller, Figures

__all__ = ["EchoCanceller", "Figures"]
