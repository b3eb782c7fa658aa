"""Why an owner says no, for who sits at the console: in Chinese, and with this console's own commands. Pure.

What no row knows stays as it came.
"""

import re

from appliance.box.commands.chinese import word
from appliance.box.commands.table import Text

# Whole lines, as their owners say them; the English is given where it is to be another one here.
_ROWS: tuple[tuple[str, str, str], ...] = (
    # appliance.box.document
    (r"(?P<who>.+) has a candidate, made from version (?P<base>\d+): wait for it, or discard it",
     "{who} has a candidate, made from version {base}: wait for it, or discard anybodys",
     "{who} 已有基于版本 {base} 的候选配置：请等待其完成，或 discard anybodys"),
    (r"there is no candidate: edit or set something first",
     "there is no candidate: set or load something first", "没有候选配置：请先 set 或 load"),
    (r"there is no version (?P<number>\d+)", "", "没有版本 {number}"),
    (r"the candidate was made from version (?P<base>\d+), and meanwhile there is version (?P<newest>\d+) by "
     r"(?P<who>.+?) \(.*\): compare, and edit it again from there", "",
     "候选配置基于版本 {base}，其间 {who} 已提交版本 {newest}：请比较后在新版本上重新编辑"),
    (r"version (?P<number>\d+) waits to be confirmed: confirm it, or go back, first",
     "version {number} waits to be confirmed: confirm or revert first",
     "版本 {number} 正在等待确认：请先 confirm 或 revert"),
    (r"version (?P<number>\d+) does not wait to be confirmed", "", "版本 {number} 不在等待确认"),
    (r"version (?P<number>\d+): its time is over, it goes back to version (?P<back>\d+)", "",
     "版本 {number} 的确认时限已过，将恢复到版本 {back}"),
    (r"nothing differs from version (?P<number>\d+), which is the document", "",
     "与当前版本 {number} 没有任何差异"),
    (r"a time to confirm in is from (?P<least>\S+) s to (?P<most>\S+) h", "",
     "确认时限为 {least} 秒到 {most} 小时"),
    (r"the file was edited on the box just now: look at what it says, and try again", "",
     "配置文件刚在设备上被改动：请查看其内容后重试"),
    (r"the file was edited on the box and is wrong: mend it, or roll back:", "",
     "配置文件在设备上被改动且有错误：请改正或 rollback："),
    (r"it takes effect at the next start of the box", "", "设备下次启动时生效"),
    (r"it was cut off", "", "过程曾中断，正在重试"),
    (r"the check was not done in (?P<s>\S+) s", "", "检查未能在 {s} 秒内完成"),
    (r"the disk refuses: (?P<why>.+)", "", "磁盘拒绝写入：{why}"),
    (r"(?P<key>'.*'): write keys like centre\.queues\.sales\.ring_s or spans\[0\]\.url", "",
     "{key}：配置项写法如 centre.queues.sales.ring_s 或 spans[0].url"),
    (r"(?P<key>\S+): is not there", "", "{key}：不存在"),
    (r"(?P<key>\S+): there is none of this name, there are (?P<names>.+)", "",
     "{key}：没有这个名称，现有：{names}"),
    (r"(?P<key>\S+): the list has (?P<many>\d+) parts, counted from 0", "",
     "{key}：列表共 {many} 项，从 0 数起"),
    (r"larger than (?P<most>\d+) octets, this cannot be it", "", "超过 {most} 字节"),
    # appliance.trunk, appliance.span
    (r"(?P<key>\S+): (?P<daemon>[a-z]+d|webui) reads it when it starts: put it back, or start the box anew",
     "{key}: {daemon} reads it when it starts: put it back, or commit next-start",
     "{key}：{daemon} 仅在启动时读取：请改回原值，或 commit next-start"),
    (r"(?P<key>\S+): calls are on it: branchline busy-out (?P<span>\S+), and \w+ when they are over",
     "{key}: calls are on it: busy-out span {span}, and again when they are over",
     "{key}：该线路上有通话：请先 busy-out span {span}，通话结束后重试"),
    (r"(?P<key>\S+): spand does not have it: .*", "",
     "{key}：新增线路须在设备下次启动时生效：commit next-start"),
    (r"no span (?P<name>'.*'), there are (?P<there>.*)", "", "没有线路 {name}，现有 {there}"),
    (r"no trunk (?P<name>'.*'), there are (?P<there>.*)", "", "没有中继 {name}，现有 {there}"),
    (r"timeslots (?P<wrong>\[.*\]): the B-channels of (?P<span>\S+) are (?P<there>\S+)", "",
     "时隙 {wrong}：{span} 的 B 信道为 {there}"),
    (r"(?P<span>\S+): not done, a restart would forget it: (?P<why>.+)", "",
     "{span}：未执行，重启后会丢失：{why}"),
    (r"span (?P<span>\S+) carries (?P<calls>\d+) calls: wait until they have ended",
     "span {span} carries {calls} calls: busy-out span {span}, and wait until they have ended",
     "线路 {span} 上有 {calls} 路通话：请先 busy-out span {span}，等待其结束"),
    (r"span (?P<span>\S+) is lent for other tests: wait until they have ended", "",
     "线路 {span} 正用于其他测试：请等待其结束"),
    # appliance.box.line_tests
    (r"span (?P<span>\S+) is under test already", "span {span} is under test already: test results {span}",
     "线路 {span} 已在测试中：test results {span}"),
    (r"(?P<most>\d+) lines are under test: wait until one has ended", "",
     "已有 {most} 条线路在测试：请等其中一条结束"),
    (r"this test has ended", "", "此测试已结束"),
    (r"nothing is asked at this moment", "", "测试目前没有要求任何操作"),
    (r"for_s (?P<s>\S+): from (?P<least>\S+) to (?P<most>\S+) s", "", "时长须为 {least} 到 {most} 秒"),
    (r"spand does not give the line away", "", "线路没有交给测试：请重试"),
    (r"the line was taken back: (?P<why>.*)", "", "线路已从测试收回：{why}"),
    (r"the process of the test ended with (?P<code>-?\d+)", "", "测试中断（{code}），已写入日志：请重试"),
    # appliance.centre
    (r"(?P<who>\S+): no agent is called so", "", "没有名为 {who} 的座席"),
    (r"(?P<who>\S+): is logged out: log in first", "", "{who} 已签出：请先 agent {who} log-in"),
    (r"(?P<who>\S+): give a reason, there are (?P<list>.+)", "", "请给出示忙原因（reason）：{list}"),
    (r"(?P<who>\S+): (?P<reason>.+) is no reason, there are (?P<list>.+)", "",
     "没有示忙原因 {reason}，可选：{list}"),
    (r"(?P<who>\S+): at which telephone\? Give an extension and its trunk",
     "{who} has no telephone in the configuration: log in at the telephone, or in the pages",
     "{who} 没有配置话机：请在话机上或网页中签入"),
    (r"(?P<who>\S+): is busy at (?P<at>\S+): hang up first", "", "{who} 的话机 {at} 占用中：请先挂机"),
    (r"(?P<who>\S+): (?P<other>\S+) is logged in at (?P<at>\S+): log \S+ out first", "",
     "{other} 已在话机 {at} 签入：请先签出"),
    (r"no number and no way of this box is on a trunk (?P<name>'.*'), they are on (?P<there>.*)", "",
     "没有号码或路由使用中继 {name}，现有：{there}"),
    (r"(?P<number>.*): is not a number that a test may call", "", "{number} 不是测试可以呼叫的号码"),
    (r"ended with cause (?P<cause>\d+) before it was answered", "", "应答前已结束，原因值 {cause}"),
    (r"was not answered in (?P<s>\S+) s", "", "{s} 秒内无人应答"),
    (r"was answered, but nothing louder than (?P<level>\S+) dBm0 was heard", "",
     "已应答，但没有听到高于 {level} dBm0 的声音"),
    (r"was answered, but nothing louder than (?P<level>\S+) dBm0 was heard, and the other end hung up", "",
     "已应答，但没有听到高于 {level} dBm0 的声音，对方已挂机"),
    # appliance.box.update, appliance.box.support
    (r"this machine has no slots: its packages are updated as the others are \(apt\)", "",
     "本机没有双系统分区：与其他软件包一样用 apt 升级"),
    (r"the slots are not known yet: try again in a moment", "", "分区状态未知：请稍后重试"),
    (r"an update is (?P<phase>.+) already: branchline update shows it",
     "an update is {phase} already: show update says more", "已有升级在进行：show update 可查看"),
    (r"slot (?P<slot>\S+) runs, not the confirmed slot (?P<confirmed>\S+), which did not start: .*",
     "slot {slot} runs, not the confirmed slot {confirmed}, which did not start: update confirm, then update",
     "当前运行分区 {slot}，已确认的分区 {confirmed} 未能启动：先 update confirm，再升级"),
    (r"slot (?P<slot>\S+): holds nothing that can be started", "", "分区 {slot} 中没有可启动的版本"),
    (r"the new version is started already: branchline update back ends its trial",
     "the new version is started already: update back ends its trial",
     "新版本已启动：update back 可结束试运行"),
    (r"it is (?P<phase>.+): nothing is waited for", "", "当前（{phase}）没有可跳过的等待"),
    (r"slot (?P<slot>\S+) is confirmed already", "", "分区 {slot} 已经确认"),
    (r"no update goes on", "", "没有进行中的升级"),
    (r"(?P<many>\d+) calls are left", "", "还有 {many} 路通话"),
    (r"an emergency call goes on: it is waited for", "", "有紧急呼叫进行中：等待其结束"),
    (r"all is as before", "", "一切与升级前相同"),
    (r"confirmed by (?P<who>.+)", "", "由 {who} 确认"),
    (r"sent back by (?P<who>.+)", "", "由 {who} 回退"),
    (r"by (?P<who>.+)", "", "由 {who} 取消"),
    (r"cancelled", "", "已取消"),
    (r"name a bundle", "", "请指明升级包"),
    (r"the update is (?P<phase>.+)", "", "升级处于：{phase}"),
    (r"waits for a quiet hour", "", "等待空闲时段"),
    (r"waits until the box has settled after its start", "", "等待设备启动后稳定"),
    (r"the daemon of the trunks does not answer", "", "中继进程没有应答"),
    (r"starts slot (?P<slot>\S+)", "", "正在启动分区 {slot}"),
    (r"calls (?P<number>\S+) on trunk (?P<trunk>\S+)", "", "经中继 {trunk} 拨测 {number}"),
    (r"the box stopped while the new version was on trial, by a power cut or a crash: it is tried again", "",
     "新版本试运行时设备停机（断电或崩溃）：将再次试运行"),
    (r"it could not be confirmed: (?P<why>.+)", "", "无法确认保留：{why}"),
    (r"the new version did not decide in time: its watchdog started the old one", "",
     "新版本未按时作出判断：看门狗已启动旧版本"),
    (r"the new version was started (?P<many>\d+) times and never came so far as to say so: "
     r"it does not start, or the power failed each time", "",
     "新版本启动 {many} 次均未成功：无法启动，或每次都断电"),
    # its gate
    (r"no test call was made: update\.test_call is not set", "", "未做拨测：未设置 update.test_call"),
    (r"(?P<daemon>[a-z]+d|webui) does not answer", "", "{daemon} 没有应答"),
    (r"(?P<daemon>[a-z]+d|webui) did not come up", "", "{daemon} 未启动"),
    (r"(?P<daemon>[a-z]+d|webui) is (?P<state>late|down)", "", "{daemon} 状态：{state}"),
    (r"the line of span (?P<span>\S+) is down", "", "线路 {span} 中断"),
    (r"the D-channel of span (?P<span>\S+) is down", "", "线路 {span} 的 D 信道中断"),
    (r"it was not as before for long enough to call", "", "恢复正常的时间不足以进行拨测"),
    (r"the test call to (?P<number>\S+) on trunk (?P<trunk>\S+) was answered after (?P<s>\S+) s and heard at "
     r"(?P<level>\S+) dBm0", "", "经中继 {trunk} 拨测 {number}：{s} 秒后应答，电平 {level} dBm0"),
    (r"the test call to (?P<number>\S+) on trunk (?P<trunk>\S+): (?P<why>.+)", "",
     "经中继 {trunk} 拨测 {number}：{why}"),
    # its bundle
    (r"(?P<name>'.*'): neither an https:// address, usb, nor a bundle's name \(\*\.raucb\)", "",
     "{name}：须为 https:// 地址、usb 或升级包名（*.raucb）"),
    (r"(?P<name>'.*'): is no bundle's name \(\*\.raucb\)", "", "{name}：不是升级包名（*.raucb）"),
    (r"(?P<name>\S+): its last part must be a bundle's name \(\*\.raucb\)", "",
     "{name}：末段须为升级包名（*.raucb）"),
    (r"fetches (?P<name>\S+)", "", "正在下载 {name}"),
    (r"copies (?P<name>.+)", "", "正在复制 {name}"),
    (r"(?P<name>\S+): (?P<mib>\d+) MiB: that is no bundle, or (?:has no room here|there is no room for it)",
     "", "{name}：{mib} MiB：不是升级包，或空间不足"),
    (r"(?P<name>\S+): does not end: that is no bundle, or has no room here", "",
     "{name}：长度超限：不是升级包，或空间不足"),
    (r"(?P<name>\S+): ended after (?P<done>\d+) of (?P<total>\d+) octets: try again, it is gone on with", "",
     "{name}：下载中断（{done}/{total} 字节）：请重试，将从断点继续"),
    (r"(?P<name>\S+): leads to (?P<where>\S+), which is not https", "",
     "{name}：重定向到 {where}，不是 https"),
    (r"(?P<name>\S+): leads from one place to the next without an end", "", "{name}：重定向次数过多"),
    (r"(?P<name>\S+): (?P<why>.+): try again, it is gone on with", "", "{name}：{why}：请重试，将从断点继续"),
    (r"(?P<name>\S+): (?P<why>.+): upload it again", "", "{name}：{why}：请重新上传"),
    (r"(?P<name>\S+): (?P<why>.+): nothing was begun", "", "{name}：{why}：未作任何操作"),
    (r"(?P<name>\S+): rauc does not tell its version", "", "{name}：读不出版本"),
    (r"(?P<name>\S+): has (?P<free>\d+) MiB left, an update needs (?P<needed>\d+) MiB: free some space", "",
     "{name}：剩余 {free} MiB，升级需要 {needed} MiB：请清理空间"),
    (r"(?P<name>\S+): has several bundles \((?P<names>.+)\): leave the one that is meant", "",
     "{name}：有多个升级包（{names}）：请只保留需要的一个"),
    (r"(?P<name>\S+): no bundle \(\*\.raucb\) in its first folder", "",
     "{name}：根目录中没有升级包（*.raucb）"),
    (r"no USB stick is there", "", "没有插入 U 盘"),
    (r"(?P<name>\S+): has no room for (?P<mib>\d+) MiB", "", "{name}：空间不足，需要 {mib} MiB"),
    (r"(?P<name>.+): cannot be copied: (?P<why>.+)", "", "{name}：无法复制：{why}"),
    (r"rauc ended with (?P<code>-?\d+)", "", "写入程序异常结束（{code}）"),
    (r"slot (?P<slot>\S+): does not run", "", "分区 {slot} 不在运行"),
    (r"slot (?P<slot>\S+): there are A and B", "", "没有分区 {slot}，只有 A 和 B"),
    (r"slot (?P<slot>\S+): was not written to its end: install an update first", "",
     "分区 {slot} 写入未完成：请先安装升级"),
    # what RAUC says of its progress
    (r"(?:Installing|Updating slots)(?P<done> done\.)?", "", "正在写入"),
    (r"(?:Determining slot states|Determining target install group|Checking slot \S+)(?P<done> done\.)?", "",
     "正在检查分区"),
    (r"(?:Checking bundle|Verifying signature|Checking manifest contents)(?P<done> done\.)?", "",
     "正在校验升级包"),
    (r"Copying image to (?P<slot>\S+?)(?P<done> done\.)?", "", "正在写入 {slot}"),
    (r"one is being made", "", "正在生成诊断包"),
)
_KINDS = {"phase": "update", "state": "daemon"}   # values that are words of chinese.WORDS
_COMPILED = tuple((re.compile(pattern), en, zh) for pattern, en, zh in _ROWS)


def said(text: str) -> Text:
    """Line by line."""
    found = [_one(line) for line in text.splitlines()] or [Text("", "")]
    return Text("\n".join(one.en for one in found), "\n".join(one.zh for one in found))


def _one(line: str) -> Text:
    head = re.match(r"line (\d+): ", line)
    if head is not None:
        rest = _one(line[head.end():])
        return Text(f"line {head[1]}: {rest.en}", f"第 {head[1]} 行：{rest.zh}")
    for pattern, en, zh in _COMPILED:
        if (found := pattern.fullmatch(line)) is not None:
            values = found.groupdict()
            return Text(en.format(**values) if en else line, zh.format(**values | {
                name: _inner(name, value) for name, value in values.items() if value}))
    return Text(line, line)


def _inner(name: str, value: str) -> str:
    """A value of a sentence, in Chinese: another sentence, a word, or what it is."""
    if name == "why":
        return _one(value).zh
    return word(value, _KINDS[name], "zh") if name in _KINDS else value
