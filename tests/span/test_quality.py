"""What is heard through spand and its RTP legs, and what recordd keeps: the bench's "quality", short."""

import asyncio
from pathlib import Path

from appliance.bus.messages import PauseRecording, ResumeRecording, RtpSettings, StartRecording
from hil_tests.instruments import audio, speech
from tests.bench.hearing import mos, unlike
from tests.bench.quality_box import differing, recorded, running

CALLER, AGENT, SPEAKER, LISTENER = ("telco1", 5), ("pbx1", 31), ("telco2", 1), ("pbx2", 1)
REC = "0123456789abcdef" * 2
SECONDS = 5.0
LOSS, MOST_DELAY_S = 0.1, 0.04
UNDERSTOOD = 1.5                                  # a busy machine is as late as the network: no finer verdict


async def test_a_call_is_heard_and_kept_as_it_was_said(tmp_path: Path) -> None:
    words = [speech.said(text)[:round(SECONDS * audio.RATE_HZ)] for text in speech.texts("caller")[3:]]
    async with running(tmp_path, realtime=False) as box:
        ask = box.bus.ask
        for leg, channel in (("caller", CALLER), ("agent", AGENT), ("from", SPEAKER), ("to", LISTENER)):
            await box.bind(leg, channel)
        hears = await box.open("hears", RtpSettings(direction="recvonly"))
        wire = box.network.wire([hears], MOST_DELAY_S, seed=1)
        wire.loss = LOSS
        await box.open("sends", RtpSettings(remote=wire.address, direction="sendonly", latch=False))
        for one, other in (("caller", "agent"), ("from", "sends"), ("hears", "to")):
            await box.bridge(one, other)
        await ask(StartRecording(recording=REC, caller_leg="caller", agent_leg="agent"))
        box.talkers.say({CALLER: words[0], AGENT: words[1], SPEAKER: words[0]})
        await asyncio.sleep(2.0)                  # real time: they talk
        paused = await ask(PauseRecording(recording=REC))
        await asyncio.sleep(0.5)
        resumed = await ask(ResumeRecording(recording=REC))
        await asyncio.sleep(SECONDS - 2.5 + 2.0)  # recordd looks at the ring once a second
        wav = await recorded(box, REC)
    assert unlike(words[0], box.talkers.heard(AGENT)) == 0
    assert unlike(words[1], box.talkers.heard(CALLER)) == 0
    assert resumed.tick > paused.tick + 20
    assert differing(wav, range(paused.tick, resumed.tick), words[0], words[1]) == 0

    sent, _ = wire.heard()
    assert unlike(words[0], sent) == 0
    assert len(wire.lost) > 15
    heard = audio.expand(box.talkers.heard(LISTENER))
    assert mos(audio.expand(words[0]), heard) > UNDERSTOOD       # 2.9 when the machine keeps up
