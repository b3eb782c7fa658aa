"""Prompts spoken at a telephone, with a bus that answers what the test says; who uses which prompt."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from msgspec.structs import replace

from appliance.bus.client import Refused
from appliance.bus.messages import (
    CallAnswered,
    CallReleased,
    DaemonUp,
    Dial,
    Digit,
    Done,
    Event,
    Hangup,
    KeepAsPrompt,
    LendRecording,
    LentRecording,
    NoteTake,
    Play,
    PlayEnded,
    PromptTake,
    PromptTakeState,
    PromptUse,
    Reply,
    Request,
    StartRecording,
    StopRecording,
    TakePrompt,
)
from appliance.centre import heard, studio
from appliance.centre.control.places import Place
from appliance.centre.flow import Flow
from appliance.config.emergency import Emergency
from appliance.config.schema import Config
from appliance.errors import StateError
from tests.centre.office import Office, setup

WHERE = Place(number="810", trunk="pbx")


class Telephone:
    """The bus of acdd, and a person who does `acts` in turn: mostly a key when a recording is heard again."""

    def __init__(self, *acts: str, refuse: type[Request[Any]] | None = None) -> None:
        self.asked: list[Request[Any]] = []
        self.steps: list[str] = []
        self.last: PromptTake | None = None
        self.over = asyncio.Event()
        self._acts, self._refuse = list(acts), refuse
        self.studio = studio.Studio(cast(Any, self), self._fragment)

    async def _fragment(self, text: str, language: str) -> str:
        return f"said:{language} {text[:8]}"

    async def say(self, event: Event) -> None:
        assert isinstance(event, PromptTakeState)
        self.last = event.take
        self.steps.append(event.take.step)
        if event.take.step in ("kept", "failed"):
            self.over.set()

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Reply:
        self.asked.append(request)
        if self._refuse is not None and isinstance(request, self._refuse):
            raise Refused("no")
        match request:
            case Dial(leg=leg):
                self._soon(CallAnswered(leg=leg, at=0.0), "no answer")
            case Play(leg=leg, play=play, fragments=fragments):
                key = self._act() if fragments[0].startswith("lent:") else ""
                if key.isdigit():
                    self._soon(Digit(leg=leg, digit=key, at=0.0))
                else:
                    self._soon(PlayEnded(leg=leg, play=play, finished=True))
            case StartRecording(caller_leg=leg):
                self._soon(Digit(leg=leg, digit="#", at=0.0), "hangs up", leg)
            case LendRecording():
                return LentRecording(fragment="lent:x", duration_s=1.0)
        return Done()

    def _act(self) -> str:
        return self._acts.pop(0) if self._acts else ""

    def _soon(self, event: Any, unless: str = "", leg: str = "") -> None:
        if unless and self._acts[:1] == [unless]:
            self._acts.pop(0)
            event = CallReleased(leg=leg or event.leg, cause=16 if leg else 18, by="far", at=0.0)
        self.studio.hear(event)

    def did(self, kind: type[Request[Any]]) -> int:
        return sum(isinstance(one, kind) for one in self.asked)


async def turns(most: int) -> None:
    """Of the event loop."""
    for _ in range(most):
        await asyncio.sleep(0)


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20.0))


ASKED = TakePrompt(by="ann", at="810", name="zh/greeting", language="zh")


async def taken(telephone: Telephone) -> PromptTake:
    await telephone.studio.begin(ASKED, WHERE)
    await telephone.over.wait()
    assert telephone.last is not None
    assert not telephone.studio.has(next(one.leg for one in telephone.asked if isinstance(one, Dial)))
    return telephone.last


def test_it_is_spoken_heard_again_and_kept_by_a_key() -> None:
    async def work() -> None:
        telephone = Telephone("2", "3", "1")
        last = await taken(telephone)
        assert (last.step, last.error) == ("kept", "")
        counts = [telephone.did(kind) for kind in (StartRecording, LendRecording, KeepAsPrompt, Hangup)]
        assert counts == [2, 3, 1, 1]
        kept = next(one for one in telephone.asked if isinstance(one, KeepAsPrompt))
        recordings = [one.recording for one in telephone.asked if isinstance(one, StartRecording)]
        assert (kept.recording, kept.name, kept.by) == (recordings[-1], "zh/greeting", "ann")
        # recordd knows of each recording before there is one.
        kinds = [type(one) for one in telephone.asked if isinstance(one, NoteTake | StartRecording)]
        assert kinds == [NoteTake, StartRecording] * 2
        assert telephone.steps[:4] == ["ringing", "prompting", "recording", "playing"]
    run(work)


@pytest.mark.parametrize(("acts", "refuse", "said"), [
    (["no answer"], None, "cause 18"),
    (["hangs up"], None, "hung up"),
    (["1"], KeepAsPrompt, "no"),
    ([], Dial, "no"),
    (["2"] * studio.TRIES, None, "nobody confirmed it"),
])
def test_nothing_is_kept_and_why_is_said(acts: list[str], refuse: Any, said: str) -> None:
    async def work() -> None:
        telephone = Telephone(*acts, refuse=refuse)
        last = await taken(telephone)
        assert last.step == "failed" and said in last.error
        assert telephone.did(Hangup) == 1 and telephone.did(StartRecording) == telephone.did(StopRecording)
        assert refuse is KeepAsPrompt or not telephone.did(KeepAsPrompt)
        assert [one.take for one in telephone.studio.takes] == [last.take]
    run(work)


def test_it_can_be_stopped_and_ends_when_a_daemon_begins_anew() -> None:
    async def work() -> None:
        telephone = Telephone("wait")
        telephone._soon = lambda *_: None         # type: ignore[method-assign]
        begun = await telephone.studio.begin(ASKED, WHERE)
        with pytest.raises(StateError, match="spoken there already"):
            await telephone.studio.begin(ASKED, WHERE)
        others = [await telephone.studio.begin(replace(ASKED), Place(number=f"82{digit}", trunk="pbx"))
                  for digit in range(studio.AT_ONCE - 1)]
        with pytest.raises(StateError, match="wait until one of them ends"):
            await telephone.studio.begin(ASKED, Place(number="899", trunk="pbx"))
        await asyncio.sleep(0)
        telephone.studio.stop(begun.take)
        await telephone.over.wait()
        assert telephone.last is not None and telephone.last.error == "it was stopped"
        with pytest.raises(StateError, match="any more"):
            telephone.studio.stop(begun.take)
        telephone.over.clear()
        assert telephone.studio.hear(DaemonUp(daemon="spand", pid=1, started_at=0.0)) is False
        await telephone.over.wait()
        await telephone.studio.close()
        assert {one.step for one in telephone.studio.takes} == {"failed"} and len(others) == 3
    run(work)


@pytest.mark.parametrize("ends", ["stop", "lost"])
def test_what_was_kept_is_kept_whatever_comes_during_the_goodbye(ends: str) -> None:
    async def work() -> None:
        telephone = Telephone("1")
        begun = await telephone.studio.begin(ASKED, WHERE)
        real = telephone._soon

        def soon(event: Any, unless: str = "", leg: str = "") -> None:
            if not telephone.did(KeepAsPrompt):
                real(event, unless, leg)          # the goodbye has no end

        telephone._soon = soon                    # type: ignore[method-assign]
        await turns(200)
        assert telephone.did(KeepAsPrompt)
        if ends == "stop":
            telephone.studio.stop(begun.take)
        else:
            telephone.studio.lost()
        await telephone.over.wait()
        assert telephone.last is not None and (telephone.last.step, telephone.last.error) == ("kept", "")
    run(work)


def test_a_second_stop_while_it_hangs_up_leaves_room_for_others() -> None:
    async def work() -> None:
        telephone = Telephone()
        hung_up = asyncio.Event()
        real = telephone.ask

        async def ask(request: Request[Any], timeout_s: float = 2.0) -> Reply:
            if isinstance(request, Hangup):
                await hung_up.wait()
            return await real(request, timeout_s)

        telephone.ask = ask                       # type: ignore[method-assign]
        telephone._soon = lambda *_: None         # type: ignore[method-assign]
        begun = await telephone.studio.begin(ASKED, WHERE)
        await turns(5)
        task = next(iter(telephone.studio._running))
        telephone.studio.stop(begun.take)
        await turns(5)
        with pytest.raises(StateError, match="any more"):
            telephone.studio.stop(begun.take)
        assert telephone.studio.rings("810", "pbx")
        task.cancel()                             # the end of the process, say
        await asyncio.gather(task, return_exceptions=True)
        assert telephone.over.is_set() and not telephone.studio.rings("810", "pbx")
        await telephone.studio.begin(ASKED, WHERE)
        hung_up.set()
        await asyncio.sleep(0)
        await telephone.studio.close()
    run(work)


def test_it_ends_when_events_were_lost_or_a_play_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        for away in (True, False):
            telephone = Telephone()
            real = telephone._soon

            def soon(event: Any, unless: str = "", leg: str = "",
                     real: Callable[[Any, str, str], None] = real) -> None:
                if not isinstance(event, PlayEnded):
                    real(event, unless, leg)

            telephone._soon = soon                # type: ignore[method-assign]
            monkeypatch.setattr(studio, "_PLAY_S", 300.0 if away else 0.05)
            await telephone.studio.begin(ASKED, WHERE)
            await turns(50)
            if away:
                telephone.studio.lost()
            await telephone.over.wait()
            assert telephone.last is not None and telephone.last.error == studio.LOST
            assert telephone.did(Hangup) == 1 and not telephone.studio.rings("810", "pbx")
    run(work)


def test_which_telephones_can_be_rung() -> None:
    engine = Office(setup()).engine
    assert engine.telephone("8100", 0.0).number == "8100"
    for nowhere in ("", "x99", "no one"):
        with pytest.raises(StateError, match="is no agent and no extension"):
            engine.telephone(nowhere, 0.0)
    assert engine.telephone("02345", 0.0) == Place(number="2345", trunk="telco", shows="5000")
    careful = Office(setup(emergency=Emergency({"telco": frozenset({"110"})}))).engine
    with pytest.raises(StateError, match="is no agent"):
        careful.telephone("110", 0.0)
    agent = next(one for one in engine.state.agents.values() if one.free)
    for at in (agent.name, agent.extension):
        with pytest.raises(StateError, match="is ready for calls"):
            engine.telephone(at, 0.0)


def test_who_asks_for_each_prompt() -> None:
    config = Config.model_validate({
        "spans": [{"name": "a", "url": "virtual:x/a", "side": "user", "trunk": "t"}],
        "recording": {"announce": "recorded"},
        "centre": {
            "queues": [{"name": "sales", "agents": ["li"], "comfort": ["patience"]},
                       {"name": "alone", "agents": ["li"], "music": "music/other"}],
            "agents": [{"name": "li", "extension": "801", "trunk": "t"}],
            "voicemail": [{"name": "box", "greeting": ["leave-word"]}],
        }})
    flow = Flow.model_validate({"language": "zh", "start": "hello", "nodes": {
        "hello": {"kind": "play", "prompt": ["greeting", "amount:12.50 CNY"], "next": "queue"},
        "queue": {"kind": "queue", "queue": "sales", "overflow_s": 60.0, "next": "end"},
        "end": {"kind": "hangup"}}})
    older = Flow.model_validate({"language": "en", "start": "gone", "nodes": {
        "gone": {"kind": "play", "prompt": "was-there", "next": "end"}, "end": {"kind": "hangup"}}})
    uses = heard.uses({"main.yaml": flow}, [older], config)
    assert uses["zh/greeting"] == [PromptUse(kind="flow", where="main.yaml", what="hello")]
    assert uses["en/was-there"] == [PromptUse(kind="flow", where="-", what="gone")]
    assert uses["music/other"] == [PromptUse(kind="queue", where="alone", what="music")]
    assert uses["zh/patience"] == [PromptUse(kind="queue", where="sales", what="comfort")]
    assert uses["zh/recorded"] == [PromptUse(kind="recording", where="", what="announce")]
    assert PromptUse(kind="voicemail", where="box", what="greeting") in uses["zh/leave-word"]
    assert PromptUse(kind="values", where="main.yaml", what="hello") in uses["zh/number/2"]
    assert PromptUse(kind="waiting", where="sales") in uses["zh/number/1"]
    # Nothing that a start of the box asks for is left out.
    asked = heard.prompts([flow], config.centre.queues, config.media) | heard.promised(
        config.centre, flow.languages, config.recording)
    assert asked <= uses.keys()
