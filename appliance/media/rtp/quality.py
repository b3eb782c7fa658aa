"""How a leg sounds, as the mean opinion score that the E-model expects.

Ref: ITU-T G.107 (06/15) 3.1 and annex B with its default values, 7.4 (delay, Idd), 7.5 (loss, Ie,eff); G.113
(11/07) appendix I: G.711 with the concealment of its Appendix I has Ie 0 and Bpl 25.1 for random loss.
"""

import math

DEFAULT_R = 93.2                                  # Ro - Is with the default values
BPL = 25.1


def rating(one_way_ms: float, loss: float) -> float:
    """R; `loss`: the share of packets that were not there at their turn."""
    delay = 0.0
    if one_way_ms > 100:
        x = math.log2(one_way_ms / 100)
        delay = 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
    percent = 100 * loss
    return DEFAULT_R - delay - 95 * percent / (percent + BPL)


def mos(one_way_ms: float, loss: float) -> float:
    """1 to 4.5 (annex B)."""
    r = max(0.0, rating(one_way_ms, loss))
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
