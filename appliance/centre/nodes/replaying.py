"""Recordings that the caller hears: found, lent by recordd, played, moved in by keys."""

from appliance.bus.messages import LendRecording
from appliance.centre import events
from appliance.centre.effects import Ask, EffectDone, FindRecordings
from appliance.centre.flow import ReplayNode
from appliance.centre.nodes.base import Doing, Go, filled, play, stop_play
from appliance.centre.state import Contact, Replay
from appliance.centre.turn import Turn

STEP_S = 10.0
LENT_S = 3600.0                                   # a recording is good for the telephone for so long
ANSWER_S = 10.0                                   # of recordd, which reads and writes all of it
FIND_S = 5.0
LEAVE = "*"
INTRO, NONE = "intro", "none"                     # what is said before each; when there are no more


class Replaying(Doing[ReplayNode]):
    def enter(self, turn: Turn, contact: Contact, node: ReplayNode) -> Go | None:
        by = filled(contact, node.by)
        if not by:
            return Go(node.failed, "nobody")
        turn.connect(contact)
        if node.box is not None:
            return self._found(turn, contact, node, self._messages(turn, node), by)
        reference = filled(contact, node.reference) if node.reference is not None else ""
        turn.ask(contact, FindRecordings(order=turn.order(contact), timeout_s=FIND_S, most=node.most,
                                         agent="" if node.others else by, reference=reference))
        return None

    def done(self, turn: Turn, contact: Contact, node: ReplayNode, given: EffectDone) -> Go | None:
        if given.error or given.answer is None:
            return Go(node.failed, "error")
        replay = contact.replay
        if replay is None or "fragment" not in given.answer:
            found = list(given.answer["recordings"])
            return self._found(turn, contact, node, found, filled(contact, node.by))
        turn.log(events.ReplayBegun(
            recording=replay.recordings[replay.place], by=replay.by, fragment=given.answer["fragment"],
            duration_s=given.answer["duration_s"]), contact)
        turn.log(events.EntryBegun(what=INTRO if node.intro else ""), contact)
        if node.intro:
            play(turn, contact, node.intro)
        if not contact.play:
            self._hear(turn, contact, replay, 0.0)
        return None

    def play_over(self, turn: Turn, contact: Contact, node: ReplayNode) -> Go | None:
        replay = contact.replay
        if replay is None or contact.entry == NONE:
            return Go(node.next)
        if contact.entry == INTRO:
            self._hear(turn, contact, replay, 0.0)
            return None
        return self._turn(turn, contact, node, replay, replay.place + 1)

    def digit(self, turn: Turn, contact: Contact, node: ReplayNode, digit: str) -> Go | None:
        replay = contact.replay
        if digit == LEAVE or replay is None or contact.entry == NONE:
            return Go(node.next, "digit *") if digit == LEAVE else None
        if not replay.fragment:
            return None
        at_s = replay.from_s + (0.0 if replay.waits or contact.entry == INTRO else turn.now - replay.since)
        match digit:
            case "1":
                return self._turn(turn, contact, node, replay, replay.place + 1)
            case "4":
                return self._turn(turn, contact, node, replay, max(0, replay.place - 1))
            case "2":
                self._hear(turn, contact, replay, 0.0)
            case "7":
                self._hear(turn, contact, replay, max(0.0, at_s - STEP_S))
            case "9":
                self._hear(turn, contact, replay, at_s + STEP_S)
            case "0" if replay.waits:
                self._hear(turn, contact, replay, at_s)
            case "0":
                stop_play(turn, contact)
                turn.log(events.ReplayMoved(from_s=at_s, waits=True), contact)
        return None

    def _messages(self, turn: Turn, node: ReplayNode) -> list[str]:
        there = [one.message for one in turn.state.messages.values() if one.box == node.box and one.ended_at]
        return there[::-1][:node.most]

    def _found(self, turn: Turn, contact: Contact, node: ReplayNode, recordings: list[str],
               by: str) -> Go | None:
        turn.log(events.ReplayFound(recordings=recordings, by=by), contact)
        if contact.replay is None:
            return Go(node.failed, "error")
        return self._turn(turn, contact, node, contact.replay, 0)

    def _turn(self, turn: Turn, contact: Contact, node: ReplayNode, replay: Replay, place: int) -> Go | None:
        """To another one; behind the last it is over."""
        stop_play(turn, contact)
        if place >= len(replay.recordings):
            turn.log(events.EntryBegun(what=NONE), contact)
            if node.none and play(turn, contact, node.none) and contact.play:
                return None
            return Go(node.next, NONE)
        turn.log(events.ReplayTurned(place=place), contact)
        turn.ask(contact, Ask(order=turn.order(contact), timeout_s=ANSWER_S, request=LendRecording(
            recording=replay.recordings[place], by=replay.by, for_s=LENT_S)))
        return None

    def _hear(self, turn: Turn, contact: Contact, replay: Replay, from_s: float) -> None:
        from_s = min(from_s, max(0.0, replay.duration_s - 1.0))
        turn.log(events.EntryBegun(what=""), contact)
        turn.log(events.ReplayMoved(from_s=from_s), contact)
        turn.play(contact, [f"{replay.fragment}@{round(from_s * 1000)}"])
