"""Frames and bits: G.704, G.706, G.775, and HDLC on a timeslot. Octets in, octets out."""
