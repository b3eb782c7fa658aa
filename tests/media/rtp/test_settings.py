from typing import Any

import pytest

from appliance.bus.messages import RtpSettings
from appliance.media.rtp.settings import Direction, LegSettings


@pytest.mark.parametrize(("wrong", "says"), [
    ({"ptime_ms": 25}, "ptime_ms 25"), ({"event_payload": 8}, "event_payload 8"),
    ({"most_delay_ms": 5000}, "most_delay_ms 5000"), ({"send_key": bytes(30)}, "needs both"),
    ({"send_key": bytes(16), "receive_key": bytes(30)}, "30 octets"),
    ({"remote": ("phone.example", 4000)}, "phone.example"), ({"remote": ("192.0.2.1", 0)}, "port 0"),
    ({"remote_rtcp": ("192.0.2.1", 70_000)}, "port 70000"), ({"remote": ("::", 4000)}, "remote ::"),
    ({"remote": ("224.0.0.9", 4000)}, "224.0.0.9"),
])
def test_out_of_range(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LegSettings(**wrong)


def test_keys_are_shown_to_nobody() -> None:
    keys: dict[str, Any] = {
        "send_key": b"our own secret, 30 octets long", "receive_key": b"their own secret, of 30 octets"}
    for settings in (LegSettings(**keys), RtpSettings(**keys)):
        assert "secret" not in repr(settings)
    assert "direction='sendonly'" in repr(RtpSettings(direction="sendonly"))


def test_directions_are_ours() -> None:
    assert [(one.sends, one.hears) for one in Direction] == [
        (True, True), (True, False), (False, True), (False, False)]
