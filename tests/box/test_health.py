"""How long a silence is late, and what a start is; time is jumped."""

from appliance.box.health import Watch
from appliance.bus.messages import DAEMONS, Heartbeat


def beat(daemon: str, pid: int = 7, started_at: float = 100.0) -> Heartbeat:
    return Heartbeat(daemon=daemon, pid=pid, started_at=started_at, at=0.0, rss_octets=4096, cpu_s=0.5,
                     facts={"lag_ticks": 3.0})


def states(watch: Watch, now: float) -> dict[str, str]:
    return {one.daemon: one.state for one in watch.health(now)}


def test_a_daemon_nobody_heard_was_never_there() -> None:
    watch = Watch()
    assert states(watch, 0.0) == dict.fromkeys(DAEMONS, "never")
    assert watch.next_deadline(0.0) is None


def test_silence_is_late_then_down_and_a_beat_ends_it() -> None:
    watch, now = Watch(), 50.0
    watch.hear(beat("trunkd"), now)
    seen = [(now, states(watch, now)["trunkd"])]
    while (deadline := watch.next_deadline(now)) is not None:
        now = deadline
        seen.append((now, states(watch, now)["trunkd"]))
    assert seen == [(50.0, "up"), (53.0, "late"), (60.0, "down")]
    assert states(watch, 52.99)["trunkd"] == "up"
    watch.hear(beat("trunkd"), 70.0)
    assert states(watch, 70.0) == dict.fromkeys(DAEMONS, "never") | {"trunkd": "up"}


def test_a_start_is_another_process() -> None:
    watch = Watch()
    for pid, started_at in ((7, 100.0), (7, 100.0), (8, 101.0), (8, 102.0)):     # a pid may come again
        watch.hear(beat("spand", pid, started_at), 1.0)
    (spand,) = [one for one in watch.health(1.0) if one.daemon == "spand"]
    assert (spand.starts, spand.pid, spand.started_at, spand.rss_octets, spand.cpu_s, spand.facts) == (
        3, 8, 102.0, 4096, 0.5, {"lag_ticks": 3.0})


def test_strangers_are_not_kept() -> None:
    watch = Watch()
    for number in range(1000):
        watch.hear(beat(f"stranger{number}"), 1.0)
    assert [one.daemon for one in watch.health(1.0)] == list(DAEMONS)
    assert watch.next_deadline(1.0) is None
