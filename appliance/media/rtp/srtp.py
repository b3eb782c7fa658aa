"""SRTP and SRTCP of one leg, by libsrtp: AES_CM_128_HMAC_SHA1_80, keys from signalling.

Ref: RFC 3711; RFC 4568 6.2.1 for the profile and what a key is.
"""

from pylibsrtp import Error, Policy, Session

MOST_OCTETS = 14                                  # that protecting adds: 10 of RTP, 14 of RTCP


class Secured:
    """Keys are 16 octets of key and 14 of salt each, one for each way."""

    def __init__(self, send_key: bytes, receive_key: bytes) -> None:
        self._sending = Session(Policy(send_key, Policy.SSRC_ANY_OUTBOUND))
        self._receiving = Session(Policy(receive_key, Policy.SSRC_ANY_INBOUND))

    def protect(self, packet: bytes) -> bytes:
        sealed: bytes = self._sending.protect(packet)
        return sealed

    def protect_rtcp(self, packet: bytes) -> bytes:
        sealed: bytes = self._sending.protect_rtcp(packet)
        return sealed

    def unprotect(self, packet: bytes) -> bytes | None:
        """None: not authentic, a replay, or no packet at all."""
        try:
            opened: bytes = self._receiving.unprotect(packet)
        except (Error, TypeError, ValueError):
            return None
        return opened

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        try:
            opened: bytes = self._receiving.unprotect_rtcp(packet)
        except (Error, TypeError, ValueError):
            return None
        return opened
