"""What the box's own rounds say of what they found, and what is to be done about it, in both languages."""

import re
from dataclasses import dataclass

from appliance.box.commands.refusals import said

_LOGS = ("look at their lines under Logs", "请在“日志”中查看其记录")
_AGAIN = ("begin the round again in a minute", "请一分钟后重新开始自检")
_LATER = ("begin the round again when fewer calls are on", "请在通话较少时重新开始自检")
_NTP = ("look at the NTP servers and the network", "请检查 NTP 服务器和网络")
_DISK = ("restart the box; if it comes back, replace the disk", "请重启设备；若再次出现，请更换磁盘")
_ROOM = ("look at retention and at what is on hold", "请检查录音保留策略及法律保留项")
_OWN = ("start webui anew: it makes a new one", "请重启 webui：它会生成新证书")
_PUT_IN = ("put a new one in under Box, Certificate", "请在“设备 → 证书”中放入新证书")
_CHECKS = ("see them under Recordings, Checks; keep a backup", "请在“录音 → 核对”中查看，并保留备份")
_BACK_UP = ("make one now under Box, Backups", "请在“设备 → 备份”中立即备份")
_NOTHING = ("", "")


@dataclass(frozen=True, slots=True)
class Words:
    """Of a finding; {names} are filled in."""

    en: str
    zh: str
    do: tuple[str, str] = _NOTHING                # English, Chinese

    def text(self, **fields: object) -> dict[str, str]:
        chinese = fields | ({"why": _in_chinese(str(fields["why"]))} if "why" in fields else {})
        return {"en": self.en.format(**fields), "zh": self.zh.format(**chinese)}

    def next(self) -> dict[str, str]:
        return {"en": self.do[0], "zh": self.do[1]} if self.do[0] else {}


# Why it is so, as others say it; of a test call appliance.box.commands.refusals knows.
_WHYS = (
    # appliance.bus.client
    (r"\w+: (\w+) is not there", r"\1 未运行"),
    (r"\w+: (\w+) did not answer in (\S+) s", r"\1 在 \2 秒内没有应答"),
    # appliance.recording.vault.chain
    (r"an entry was changed, moved or taken out", "有条目被改动、移动或删除"),
    (r"the signed head does not fit: all was written anew", "与已签名的链头不符：全部内容已被重写"),
    (r"the end was cut off: the box signed entry (\d+)", r"末尾被截断：设备曾签署第 \1 条"),
    # appliance.box.maintenance.probes, .rounds
    (r"less was written than was given", "未能完整写入"),
    (r"what was read back is something else", "读回的数据与写入的不一致"),
    (r"read-only", "只读"),
    (r"webui does not serve", "webui 未提供网页"),
    (r"not over in (\S+) h", r"\1 小时内未完成"),
)


def _in_chinese(why: str) -> str:
    """What is not known stays."""
    for pattern, words in _WHYS:
        if found := re.fullmatch(pattern, why):
            return found.expand(words)
    return said(why).zh


WORDS: dict[str, Words] = {
    # Of any item.
    "away": Words("it was not to be had: {why}", "未能获得结果：{why}", _AGAIN),
    "calls": Words("calls did not let it, for days", "连日通话不断，未能进行", _LATER),
    "broken-off": Words("the box was stopped while it was done, more than once",
                        "进行中设备多次停机，未能完成",
                        ("look at the logs of that hour, then begin the round again",
                         "请查看该时段的日志，然后重新开始自检")),
    "fault": Words("a fault of the box's own: {why}", "设备自身程序出错：{why}",
                   ("send a diagnostics bundle", "请提交诊断包")),

    "programs-unknown": Words("the box has not said yet how its programs are",
                              "设备尚未报告各程序的状态", _AGAIN),
    "programs-down": Words("not running: {names}", "未运行：{names}", _LOGS),
    "programs-unwell": Words("all run; the box is not well: {names}", "均在运行；设备状态有异常：{names}",
                             ("the box's overview says what to do about each",
                              "请按设备总览中各条原因的说明处理")),
    "programs": Words("all run, nothing is wrong with the box", "均在运行，设备状态正常"),

    "lines-unknown": Words("nothing was heard of any line", "没有任何线路的消息", _LOGS),
    "lines-dark": Words("no good line: {names}", "线路异常：{names}",
                        ("look at the cable; a verdict under Lines says whose fault it is",
                         "请检查线缆；“线路”中的判定测试可确定责任方")),
    "lines-errors": Words("up; with errors in the last week: {names}", "线路正常；最近一周有误码：{names}",
                          ("show the line's history to the telephone company", "请将线路历史提供给运营商")),
    "lines": Words("up: {names}", "正常：{names}"),

    "network-none": Words("this machine has no network card", "本机没有网卡"),
    "network-dark": Words("no card has a link: {names}", "所有网卡均无链路：{names}",
                          ("look at the cable and at the switch", "请检查网线和交换机")),
    "network-errors": Words("packets are damaged at: {names}", "数据包出错的网卡：{names}",
                            ("replace the cable, then try another port of the switch",
                             "请更换网线，再换一个交换机端口")),
    "network": Words("have their link: {names}", "链路正常：{names}"),

    "clock-unknown": Words("the box has not said yet what its clock is worth",
                           "设备尚未报告时钟状态", _AGAIN),
    "clock-unset": Words("nothing is known to set the clock", "没有任何来源校准时钟",
                         ("set the time, or name an NTP server", "请设置时间或指定 NTP 服务器")),
    "clock-battery": Words("no time server is heard: the clock runs on from its battery's",
                           "收不到时间服务器：时钟沿用电池时钟", _NTP),
    "clock-off": Words("it follows its server, but may be off", "时钟已跟随服务器，但可能有偏差", _NTP),
    "clock-drift": Words("the crystal drifts far: without a server the time will soon be wrong",
                         "晶振漂移过大：失去服务器后时间很快会不准",
                         ("have the board looked at", "请送检主板")),
    "clock-rtc": Words("the battery's clock is wrong: after a power cut the time will be, too",
                       "电池时钟不准：断电后时间将不准", ("replace its battery", "请更换时钟电池")),
    "clock": Words("follows a time server", "跟随时间服务器"),

    "board-unknown": Words("nothing was heard of the board", "没有主板的消息", _AGAIN),
    "board-none": Words("this machine has no sensors that the box knows", "本机没有设备可识别的传感器"),
    "board-trouble": Words("cannot be used: {names}", "无法使用：{names}",
                           ("restart the box; if it comes back, have it repaired",
                            "请重启设备；若再次出现，请送修")),
    "board-battery": Words("the box runs on its battery", "设备正由电池供电",
                           ("look at the mains and the UPS", "请检查市电和 UPS")),
    "board-range": Words("out of its range: {names}", "超出范围：{names}",
                         ("look at the fan, at dust and at the room", "请检查风扇、灰尘与机房温度")),
    "board": Words("all in their ranges", "均在范围内"),

    "certificate-unusable": Words("the pages give none that can be used: {why}",
                                  "网页未能提供可用的证书：{why}",
                                  ("look at Box, Certificate", "请查看“设备 → 证书”")),
    "certificate-none": Words("the pages are served without TLS", "网页未经 TLS 提供",
                              ("set web.tls to on where others than this machine reach them",
                               "若其他机器可以访问，请将 web.tls 设为 on")),
    "certificate-own-over": Words("the box's own is over", "设备自签证书已过期", _OWN),
    "certificate-own-soon": Words("the box's own ends soon", "设备自签证书即将到期", _OWN),
    "certificate-over": Words("it is over: browsers refuse the pages", "已过期：浏览器拒绝访问网页", _PUT_IN),
    "certificate-soon": Words("it ends soon", "即将到期", _PUT_IN),
    "certificate": Words("it is good for longer", "有效期充足"),

    "backup-off": Words("no backups are made", "未做备份",
                        ("set backup.path and a plan", "请设置 backup.path 和备份计划")),
    "backup-never": Words("none was made yet", "尚未做成任何备份", _BACK_UP),
    "backup-failed": Words("the last one was not made: {why}", "最近一次备份失败：{why}",
                           ("see to the place that backups are written to, then make one now",
                            "请处理备份所写的位置，然后立即备份")),
    "backup-overdue": Words("one is overdue", "备份逾期未做", _BACK_UP),
    "backup-hub": Words("the last one is not at the hub: {why}", "最近一次备份未送达中心：{why}",
                        ("look at the archive's place", "请检查归档位置")),
    "backup": Words("made, and read back octet by octet", "已完成，并已逐字节读回"),

    "updates-slot": Words("nobody may start the slot {names}", "分区 {names} 无法启动",
                          ("install an update into it", "请在其中安装一次更新")),
    "updates-trial": Words("the version that runs is on trial", "当前版本仍在试运行",
                           ("confirm it, or go back", "请确认或退回")),
    "updates-there": Words("to be installed: {names}", "可安装：{names}",
                           ("install it under Box, Update, or remove it", "请在“设备 → 更新”中安装或删除")),
    "updates-none": Words("this machine has no slots for updates", "本机没有更新分区"),
    "updates": Words("confirmed; no update lies in the box", "已确认；设备中没有待装的更新"),

    "wear-untold": Words("the kernel does not tell this machine's disks' wear",
                         "内核未提供本机磁盘的磨损信息"),
    "wear-urgent": Words("a disk is worn out or in trouble", "磁盘已磨损殆尽或有故障",
                         ("make a backup and replace it", "请先备份，然后更换")),
    "wear-worn": Words("a disk nears the end of its life", "磁盘接近寿命终点",
                       ("have another one ready", "请准备备件")),
    "wear": Words("far from its end", "寿命充足"),

    "call-unset": Words("no number to call is set", "未设置测试号码",
                        ("set maintenance.test_call", "请设置 maintenance.test_call")),
    "call-full": Words("no channel of {trunk} could be spared for it", "中继 {trunk} 没有可供测试的空闲信道",
                       _LATER),
    "call-failed": Words("{number} by {trunk}: {why}", "经 {trunk} 呼叫 {number}：{why}",
                         ("call it from a telephone; look at the signalling under Lines",
                          "请用话机拨打该号码；在“线路”中查看信令")),
    "call": Words("{number} by {trunk} was answered and heard", "经 {trunk} 呼叫 {number}：已接通且听到声音"),

    "disk-away": Words("the disk does not answer", "磁盘没有应答", _DISK),
    "disk-lost": Words("what is written is not kept: {why}", "写入的数据未能保存：{why}", _DISK),
    "disk-errors": Words("the file system has counted {count} errors", "文件系统已记录 {count} 个错误",
                         ("make a backup, and have the disk checked at a start",
                          "请先备份，并在启动时检查磁盘")),
    "disk-slow": Words("the disk is slow to keep what is written", "磁盘保存写入数据较慢",
                       ("look at what else writes; a worn disk is replaced",
                        "请检查其他写入；磁盘磨损则应更换")),
    "disk-room": Words("the disk has little room", "磁盘空间不足", _ROOM),
    "disk-soon": Words("the disk is full in {count} days if it goes on so",
                       "照此增长，磁盘将在 {count} 天后写满",
                       _ROOM),
    "disk": Words("room, speed and contents are as they should be", "空间、速度和内容均正常"),

    "recordings-lost": Words("{missing} missing, {altered} altered", "缺失 {missing} 个，被改动 {altered} 个",
                             _CHECKS),
    "recordings-differ": Words("{differing} of another length, {orphans} that no contact names",
                               "时长不符 {differing} 个，无对应联络 {orphans} 个", _CHECKS),
    "recordings": Words("each that should be there is there, as it was recorded",
                        "应有的录音均在，且未被改动"),

    "chain-broken": Words("does not hold at entry {seq}: {why}", "在第 {seq} 条处断裂：{why}",
                          ("leave the box as it is and keep a backup: somebody changed what was recorded",
                           "请保留设备现状及其备份：有人改动了记录")),
    "chain": Words("holds from the first entry to the last", "自第一条至最后一条完整"),

    "restore-none": Words("there is no backup to try it with", "没有可供试恢复的备份", _BACK_UP),
    "restore-room": Words("no room to unpack it: {why}", "没有足够空间解开备份：{why}", _ROOM),
    "restore-failed": Words("it does not hold: {why}", "备份不可恢复：{why}",
                            ("make a new backup and try that; a medium that spoils is replaced",
                             "请重新备份并再次试恢复；介质损坏则应更换")),
    "restore": Words("unpacked, opened and counted: it can be restored", "已解开、打开并核对：可以恢复"),
}
