"""Updates and test calls in words: for the command line and the console."""

import time

from appliance.box.commands.chinese import word
from appliance.box.commands.refusals import said
from appliance.box.commands.table import Language
from appliance.bus.messages import CallTested, UpdatePast, UpdateReply, UpdateState


def in_words(tested: CallTested, language: Language = "en") -> str:
    zh = language == "zh"
    head = f"{tested.number}（中继 {tested.trunk}）：" if zh else f"{tested.number} on trunk {tested.trunk}: "
    if tested.error:
        return head + _said(tested.error, language)
    if zh:
        return head + (f"{tested.answer_s:.1f} 秒后应答，再过 {tested.heard_s:.1f} 秒听到声音，"
                       f"电平 {tested.level_dbm0:.0f} dBm0")
    return head + (f"answered after {tested.answer_s:.1f} s, heard {tested.heard_s:.1f} s later "
                   f"at {tested.level_dbm0:.0f} dBm0")


def lines(reply: UpdateReply, language: Language = "en") -> list[str]:
    """How it stands, what runs, and those that are over."""
    zh, state = language == "zh", reply.state
    if zh:
        found = [f"版本 {state.version}" + (f"，分区 {state.slot}" if state.slot else "")]
    else:
        found = [f"version {state.version}" + (f" in slot {state.slot}" if state.slot else "")]
    if state.slot and state.slot != state.confirmed:
        if state.trial == state.slot:
            found.append("试运行中" if zh else "it is on trial")
        else:
            found.append(f"已确认的分区 {state.confirmed} 未能启动" if zh
                         else f"the confirmed slot {state.confirmed} did not start")
    found += [f"分区 {slot} 中没有可启动的版本：写入未完成" if zh
              else f"slot {slot} holds nothing that can be started: its writing did not end"
              for slot in state.unusable]
    found.append(line(state, language))
    found += [past(one, language) for one in reply.history]
    return found


def line(state: UpdateState, language: Language = "en") -> str:
    """How it stands, in one line."""
    zh, saying = language == "zh", _said(state.saying, language)
    if state.phase == "idle":
        return saying or ("没有进行中的升级" if zh else "no update goes on")
    phase = word(state.phase, "update", language)
    if zh:
        until = f"，{_at(state.next_at)} 继续" if state.next_at else ""
        to = f"到 {state.version_to}" if state.version_to else ""
        return f"{state.percent:>3} %  升级{to}：{phase}{f'：{saying}' if saying else ''}{until}"
    until = f", goes on at {_at(state.next_at)}" if state.next_at else ""
    to = f" to {state.version_to}" if state.version_to else ""
    return f"{state.percent:>3} %  update{to}: {phase}{f': {saying}' if saying else ''}{until}"


def past(one: UpdatePast, language: Language = "en") -> str:
    """One that is over."""
    zh, why = language == "zh", _said(one.why, language)
    figures = ", ".join(f"{name} {value:g}" for name, value in one.figures.items())
    shown = f" ({figures})" if figures else ""
    if zh:
        outcome = word(one.outcome, "update", "zh")
        return (f"{_at(one.at)}  {one.version_from} 到 {one.version_to or '?'}：{outcome}"
                f"{f'，试运行 {one.trials} 次' if one.trials > 1 else ''}{f'：{why}' if why else ''}{shown}")
    return (f"{_at(one.at)}  {one.version_from} to {one.version_to or '?'}: {one.outcome}"
            f"{f', {one.trials} trials' if one.trials > 1 else ''}{f': {why}' if why else ''}{shown}")


def _said(text: str, language: Language) -> str:
    """In English as it came: it may name the command line, which is not only the console's."""
    if language == "en":
        return text
    whole = said(text).zh
    if whole != text or "; " not in text:
        return whole
    return "；".join(said(one).zh for one in text.split("; "))       # several that are lacking


def _at(unix_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix_s))
