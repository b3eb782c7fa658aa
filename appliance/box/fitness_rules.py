"""Why a box is not well: each reason with what it makes of the box, how long it must stand, and its words.

`python -m appliance.box.fitness_rules` writes docs/fitness.md.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal


class State(IntEnum):
    """Of the box, worse is more. Unfit: the telephone line is better off with the old PBX."""

    OK = 0
    DEGRADED = 1
    UNFIT = 2

    @property
    def word(self) -> Literal["ok", "degraded", "unfit"]:
        return _WORDS[self]


_WORDS: dict[State, Literal["ok", "degraded", "unfit"]] = {
    State.OK: "ok", State.DEGRADED: "degraded", State.UNFIT: "unfit"}


# What a sensor is called where it is not called by its name; and the rules that are about one.
SENSORS = {"zh": {"board": "主板", "processor": "处理器"}}
OF_SENSORS = frozenset({"hot", "warm"})


@dataclass(frozen=True, slots=True)
class Rule:
    state: State                                  # what the box is while it stands
    hold_s: float                                 # wrong for so long: it stands
    clear_s: float                                # right for so long: no more
    text: dict[str, str] = field(hash=False)      # by language; {about} is what is concerned
    action: dict[str, str] = field(hash=False)


def _rule(state: State, hold_s: float, clear_s: float, en: str, zh: str, do_en: str, do_zh: str) -> Rule:
    return Rule(state, hold_s, clear_s, {"en": en, "zh": zh}, {"en": do_en, "zh": do_zh})


_D, _U = State.DEGRADED, State.UNFIT

# Hold times of what makes the box unfit are longer than the restarts which calls survive; what the relay
# would not mend, a dead line above all, never does: joined to the PBX, the box could not see it come back.
RULES = {
    "starting": _rule(
        _U, 0, 0, "the box is starting: {about} has not come up yet", "设备正在启动:{about} 尚未就绪",
        "wait; after five minutes look at `journalctl -u branchline-*`",
        "请稍候;五分钟后仍如此,请查看 `journalctl -u branchline-*`"),
    "bus": _rule(
        _U, 60, 5, "the daemons cannot talk to one another", "各守护进程之间无法通信",
        "look at `systemctl status branchline-bus`", "请查看 `systemctl status branchline-bus`"),
    "call-daemon": _rule(
        _U, 30, 10, "{about} is down: no new call is served", "{about} 已停止:无法接听新来电",
        "look at its log: `journalctl -u branchline-{about}`",
        "请查看其日志:`journalctl -u branchline-{about}`"),
    "call-daemon-restarts": _rule(
        _U, 0, 120, "{about} starts again and again", "{about} 反复重启",
        "look at its log and send a support bundle", "请查看其日志并提交支持包"),
    "daemon": _rule(
        _D, 10, 10, "{about} is down", "{about} 已停止",
        "look at its log: `journalctl -u branchline-{about}`",
        "请查看其日志:`journalctl -u branchline-{about}`"),
    "daemon-restarts": _rule(
        _D, 0, 120, "{about} has started several times within ten minutes", "{about} 十分钟内多次重启",
        "look at its log and send a support bundle", "请查看其日志并提交支持包"),
    "span-devices": _rule(
        _U, 60, 10, "no span's device can be used", "所有 E1 的设备均不可用",
        "look at the line card and its cable", "请检查线路卡及其连线"),
    "span-device": _rule(
        _D, 5, 10, "the device of span {about} cannot be used", "E1 {about} 的设备不可用",
        "look at the line card and its cable", "请检查线路卡及其连线"),
    "line": _rule(
        _D, 5, 10, "span {about} has no good line", "E1 {about} 线路异常",
        "look at the cable; `e1ctl verdict` says whose fault it is",
        "请检查线缆;`e1ctl verdict` 可判定责任方"),
    "d-channel": _rule(
        _D, 30, 10, "the D-channel of span {about} is down while its line is good",
        "E1 {about} 线路正常但 D 通道中断",
        "compare the trunk's side and profile with the exchange's", "请核对中继的侧别与局端配置"),
    "hold-over": _rule(
        _D, 60, 10, "the box follows no line's clock: audio will slip",
        "设备未跟随任何线路时钟:语音将出现滑码",
        "look at the lines that may be the clock source", "请检查可作为时钟源的线路"),
    "late-audio": _rule(
        _D, 0, 120, "audio comes late", "语音处理延迟",
        "look at what else takes the processor: `branchline media`",
        "请检查占用处理器的程序:`branchline media`"),
    "disk": _rule(
        _D, 0, 30, "the data disk cannot be written: calls go on, nothing new is kept",
        "数据盘无法写入:通话继续,但新数据无法保存",
        "restart the box; if it comes back, replace the disk", "请重启设备;若再次出现,请更换磁盘"),
    "disk-room": _rule(
        _D, 30, 30, "the data disk is nearly full", "数据盘空间不足",
        "look at retention and at what is on hold", "请检查录音保留策略及法律保留项"),
    "hot": _rule(
        _U, 30, 120, "{about} is too hot", "{about} 温度过高",
        "let it cool: fan, dust, room", "请降温:检查风扇、灰尘与机房温度"),
    "warm": _rule(
        _D, 60, 120, "{about} is warm", "{about} 温度偏高",
        "look at the fan, at dust and at the room", "请检查风扇、灰尘与机房温度"),
    "fan": _rule(
        _D, 30, 30, "the fan does not turn", "风扇停转", "replace the fan", "请更换风扇"),
    "on-battery": _rule(
        _D, 2, 10, "the box runs on its battery", "设备正由电池供电",
        "look at the mains", "请检查市电"),
    "battery-low": _rule(
        _U, 5, 30, "the battery is nearly empty: the box stops by itself", "电池即将耗尽:设备将自动关机",
        "bring the mains back; the box starts by itself", "请恢复市电;设备将自动启动"),
    "power-fail": _rule(
        _U, 1, 10, "the supply fails: the box stops by itself", "电源故障:设备将自动关机",
        "look at the power supply", "请检查电源"),
    "relay": _rule(
        _D, 60, 10, "the telephone line is joined to the old PBX ({about})", "外线已接通至旧交换机({about})",
        "`branchline card` says why; calls do not reach the box",
        "`branchline card` 会说明原因;来电不经过本设备"),
    "hardware": _rule(
        _D, 30, 10, "{about} of the board cannot be used", "主板部件 {about} 不可用",
        "restart the box; if it comes back, have it repaired", "请重启设备;若再次出现,请送修"),
    "card": _rule(
        _D, 10, 10, "line card {about} is not well", "线路卡 {about} 异常",
        "`branchline card` says more", "`branchline card` 会给出详情"),
    "time": _rule(
        _D, 900, 30, "the time of day is not to be trusted", "系统时间不可信",
        "set the time, or name a time server", "请设置时间或指定时间服务器"),
    "rtc": _rule(
        _D, 600, 30, "the clock chip is wrong: after a power cut the time will be, too",
        "时钟芯片时间错误:断电后时间将不准", "replace its battery", "请更换时钟电池"),
    # What the box's own rounds found: until a later look finds it right.
    "check-call": _rule(
        _D, 0, 0, "the test call of the last round failed", "最近一次自检的测试通话失败",
        "call the number from a telephone, then begin a round on the page of maintenance",
        "请用话机拨打该号码,然后在维护页面重新自检"),
    "check-disk": _rule(
        _D, 0, 0, "what the last round wrote to the disk was not kept", "最近一次自检写入磁盘的数据未能保存",
        "make a backup; restart the box; if it comes back, replace the disk",
        "请先备份并重启设备;若再次出现,请更换磁盘"),
    "check-certificate": _rule(
        _D, 0, 0, "browsers refuse the certificate of the pages", "浏览器拒绝网页的证书",
        "put a new one in, then begin a round on the page of maintenance",
        "请放入新证书,然后在维护页面重新自检"),
    "check-recordings": _rule(
        _D, 0, 0, "recordings of the last week are missing or altered", "最近一周的录音有缺失或被改动",
        "look at the checks of the recordings", "请查看录音核对"),
    "check-chain": _rule(
        _D, 0, 0, "the chain of the recordings does not hold", "录音链不完整",
        "leave the box as it is and keep a backup: somebody changed what was recorded",
        "请保留设备现状及其备份:有人改动了记录"),
    "check-restore": _rule(
        _D, 0, 0, "the newest backup cannot be restored", "最新的备份无法恢复",
        "make a new backup, then begin a monthly round on the page of maintenance",
        "请重新备份,然后在维护页面重新进行每月自检"),
}

POWER_OFF = ("battery-low", "power-fail")         # the box stops by itself while one of these stands


_PAGE = """# How the box is

`branchline health` says how the box is as a whole, and why; its exit code is 0 when it is **ok**, 1 when it
is **degraded**, 2 when it is **unfit**. While it is unfit, boxd does not renew the lease of the line card's
relay, which then joins the telephone line to the old PBX. A reason counts when what is wrong was so for its
hold time, and until it was right for its clear time: a daemon that is started anew moves no relay. What the
relay would not mend, a dead line above all, never makes a box unfit: at the PBX, the box could not see the
line come back. While {power_off} stands, the box stops by itself, in order.

| reason | the box is | hold | clear | what it says | what to do |
|---|---|---|---|---|---|
"""


def page() -> str:
    """docs/fitness.md."""
    rows = [f"| `{code}` | {rule.state.word} | {rule.hold_s:g} s | {rule.clear_s:g} s | "
            f"{rule.text['en'].format(about='*it*')} | {rule.action['en'].format(about='*it*')} |\n"
            for code, rule in RULES.items()]
    return _PAGE.format(power_off=" or ".join(f"`{code}`" for code in POWER_OFF)) + "".join(rows)


if __name__ == "__main__":
    print(page(), end="")
