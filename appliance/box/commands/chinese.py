"""Chinese for words and sentences that daemons say in English: states, kinds, why a call goes where. Pure.

JSON keeps the words as they are; people see these, which are those of the pages.
"""

import re
from collections.abc import Mapping

from appliance.box.commands.table import Language
from appliance.bus.messages import Sentence

# By the kind that table.column() names.
WORDS: Mapping[str, Mapping[str, str]] = {
    "about": {"box": "本机", "span": "线路", "recordings": "录音", "daemon": "进程"},
    "agent": {
        "logged-out": "未签入", "not-ready": "示忙", "ready": "空闲", "reserved": "已预占",
        "ringing": "振铃中", "talking": "通话中", "held": "保持中", "consulting": "咨询中",
        "wrap-up": "话后处理", "unreachable": "话机不可达"},
    "agent reason": {
        "busy": "占线", "no answer": "无应答", "refused": "被拒接", "overran": "超过时限",
        "trunk gone": "话机所在中继已删除", "cause": "原因值"},
    "alarm": {
        "los": "LOS 无信号", "lof": "LOF 帧失步", "ais": "AIS 上游告警", "rai": "RAI 对端收不到本端",
        "lomf": "LOMF 复帧失步"},
    "audit": {"sign-in": "登录", "command": "命令", "fetch": "下载", "put": "上传", "remove": "删除"},
    "backup": {"now": "人工", "weekly": "每周", "monthly": "每月"},
    "by": {"box": "本机"},
    "call": {
        "offered": "呼入", "overlap": "收号中", "proceeding": "接续中", "alerting": "振铃中",
        "answered": "通话中", "disconnecting": "拆线中", "clearing": "释放中", "released": "已释放"},
    "card reset": {
        "power-up": "上电", "watchdog": "看门狗", "crash": "固件崩溃", "asked": "人工", "update": "新固件",
        "fallback": "回退固件"},
    "card trouble": {"relay": "继电器触点位置不符", "temperature": "过热", "supply": "供电超出范围"},
    "channel": {
        "idle": "空闲", "busy": "占用", "restarting": "重启中", "out-of-service": "停用",
        "blocked": "人工闭塞"},
    "clock": {"ntp": "NTP", "ptp": "PTP", "rtc": "电池时钟", "hand": "手动设置", "unknown": "无可信时间源"},
    "clock of a line": {"line": "对端", "own": "本端"},
    "clock of lines": {"unknown": "未知", "hold-over": "本机时钟"},
    "clock why": {
        "start": "启动", "failed": "原时钟源失效", "restored": "时钟源恢复", "reverted": "切回较优时钟源"},
    "counter": {
        "blocks_in": "收到的 10 毫秒块", "blocks_out": "发出的 10 毫秒块", "slips": "滑码",
        "frames_in": "收到的正确 D 信道帧", "frames_out": "发出的 D 信道帧",
        "fcs_errors": "校验错误的 D 信道帧", "aborts": "中途放弃的 D 信道帧", "runts": "过短的 D 信道帧",
        "giants": "过长的 D 信道帧", "code_violations": "HDB3 编码违例", "fas_errors": "有误码的帧定位字",
        "crc_errors": "收到的错误 CRC-4 块", "e_bits": "对端收到的错误 CRC-4 块",
        "packets_in": "按时收到的包", "packets_lost": "丢失的包", "packets_late": "迟到或重复的包",
        "packets_bad": "格式错误或来源不符的包", "framer_repairs": "成帧芯片丢失的寄存器"},
    "daemon": {"up": "运行中", "late": "迟缓", "down": "已停止", "never": "未启动"},
    "direction": {"in": "仅呼入", "out": "仅呼出", "both": "双向"},
    "disk": {"SD card": "SD 卡", "disk": "硬盘"},
    "disk use": {
        "recordings": "录音", "events": "通话记录与事件", "traces": "信令跟踪", "backup": "备份",
        "updates": "升级包", "support": "诊断包", "logs": "日志", "others": "系统及其他"},
    "fitness": {"ok": "正常", "degraded": "降级", "unfit": "失效"},
    "hunting": {
        "balanced": "空闲信道最多的线路优先", "ascending": "从小到大", "descending": "从大到小",
        "longest-idle": "空闲最久优先", "round-robin": "依次轮流"},
    "input": {
        "relay": "继电器", "button": "按钮", "power_fail": "电源故障", "on_battery": "电池供电",
        "battery_low": "电池电量低"},
    "key": {"pages": "网页", "console": "控制台", "recordings": "录音"},
    "line": {"up": "正常", "down": "中断", "lent": "借出测试"},
    "line test": {"bert": "误码测试", "loop": "环回", "verdict": "故障定位", "detect": "参数识别"},
    "line test outcome": {
        "clean": "无误码", "errors": "有误码", "no-pattern": "未收到测试图案", "done": "完成",
        "us": "故障在本机", "cable": "故障在电缆", "telco": "故障在运营商", "far end": "故障在对端",
        "nothing wrong": "一切正常", "cannot say": "无法判断", "found": "已识别", "line-down": "线路中断",
        "looped": "线路已环回", "silent": "对端无信令", "stopped": "已停止", "failed": "无法进行",
        "broken-off": "被中断"},
    "line test state": {
        "borrowing": "借用线路", "running": "进行中", "asking": "等待操作", "ended": "已结束"},
    "link": {"up": "已连接", "down": "未连接", "unknown": "未知", "lowerlayerdown": "下层未连接"},
    "liu": {"open": "开路", "short": "短路"},
    "log": {"debug": "调试", "info": "信息", "warning": "警告", "error": "出错"},
    "loop": {"none": "无", "local": "向本端", "line": "线路环回", "payload": "净荷环回"},
    "maintenance": {
        "record": "每日运行记录", "daily": "日常巡检", "weekly": "每周检查", "monthly": "每月检查",
        "repair": "维修", "change": "更改", "correction": "更正", "weekly-check": "设备每周自检",
        "monthly-check": "设备每月自检", "signature": "签名"},
    "mode": {"configure": "配置"},
    "recorder": {
        "disk-refuses": "磁盘拒绝写入录音", "slow-disk": "磁盘很慢", "low-space": "磁盘将满",
        "quota": "录音已达配额", "catalogue": "录音目录无法使用", "unfinished": "有录音无法完成",
        "recordings-missing": "有录音缺失", "keys": "审计链由另一台设备签名", "chain": "审计链已断裂",
        "rotation": "密钥更换停滞", "import": "旧录音未能导入", "unarchived": "归档端不接收录音",
        "unreadable": "有录音无法读取", "erase": "有录音未能销毁", "retention": "到期清理在等待归档",
        "facts": "录音的通话信息未能取得", "count": "录音未能核对", "words": "检索索引未能整理",
        "older": "旧录音未能导入", "life": "保存期限任务未运行", "archive": "归档任务未运行",
        "quality": "质检任务单未能生成", "lent": "电话查听的临时音频未能清除",
        "vault": "密钥与审计链任务未运行"},
    "recording": {"kept": "在设备上", "archived": "仅在归档中", "erased": "已销毁"},
    "relay": {"joined": "旧交换机", "box": "本机", "moving": "切换中"},
    "relay why": {
        "no lease": "本机失效或长时间无通报，已自动释放", "leased": "本机正常并持续通报",
        "bypass": "人工指定", "dwell": "刚动作过，稍候"},
    "result": {
        "good": "正常", "bad": "异常", "skipped": "未检查", "attend": "需处理", "failed": "失败",
        "undone": "未能进行"},
    "room": {"ok": "空间充足", "low": "空间渐少", "urgent": "空间不足", "full": "已满"},
    "round": {"weekly": "每周", "monthly": "每月"},
    "round state": {"off": "未启用", "planned": "已计划", "waiting": "等待中", "running": "进行中"},
    "route": {"in": "呼入本机", "out": "呼出", "refused": "拒绝"},
    "sensor": {"board": "主板", "processor": "处理器", "fan": "风扇", "card": "线路卡"},
    "severity": {"critical": "紧急", "major": "重要", "minor": "次要"},
    "telemetry": {"off": "未启用", "begins": "启动中", "up": "正常", "away": "服务器无应答"},
    "unit": {"celsius": "°C", "rpm": "转/分", "volt": "V"},
    "update": {
        "idle": "没有升级", "fetching": "下载中", "checking": "校验中", "waiting": "等待空闲时段",
        "installing": "写入中", "draining": "等待通话结束", "rebooting": "正在启动新版本",
        "on trial": "试运行", "returning": "回退中", "trying again": "稍后重试", "confirmed": "已确认",
        "rolled back": "已回退", "failed": "失败", "cancelled": "已取消"},
    "version": {
        "found": "初始配置", "edited": "在设备上改动", "commit": "提交", "rollback": "恢复到版本",
        "expired": "超时未确认，已恢复", "reverted": "已撤回"},
    "version state": {
        "applying": "提交中", "committed": "已提交", "waiting": "等待确认", "confirmed": "已确认",
        "rolled-back": "已回退"},
    "way": {"in": "呼入", "out": "呼出"},
    "wear": {"good": "良好", "worn": "磨损较重", "urgent": "寿命将尽", "unknown": "未提供"},
}

# Why a call goes where it goes, as acdd puts it: appliance.centre.entry.
ROUTES: Mapping[str, str] = {
    "no rule takes it, and centre.inbound has no such number": "没有规则适用，centre.inbound 中也没有此号码",
    "for every call": "适用于所有来电",
    "{first}, {rest}": "{first}，{rest}",
    "{number}{region}": "{number}{region}",
    "called {number} is not {numbers}": "被叫号码 {number} 不符合 {numbers}",
    "caller {caller} is not {numbers}": "主叫 {caller} 不符合 {numbers}",
    "caller {caller} is not in {regions}": "主叫 {caller} 不在地区 {regions}",
    "caller {caller} is not in list {lists}{wanted}": "主叫 {caller} 不在名单 {lists} 中{wanted}",
    " with grade {grades}": "（等级 {grades}）",
    "{rule}: not for trunk {trunk}": "{rule}：不适用于中继 {trunk}",
    "{rule}: no: {why}": "{rule}：不匹配：{why}",
    "{rule}: takes it: {why}": "{rule}：匹配：{why}",
    "{rule}: noted: {why}": "{rule}：已标注：{why}",
    "goes out: {digits} by trunk {trunk} (centre.outbound {pattern})":
        "呼出：{digits}，经中继 {trunk}（centre.outbound {pattern}）",
    "refused with cause {cause}: no rule and no route has {number} on trunk {trunk}":
        "拒绝，原因值 {cause}：中继 {trunk} 上没有任何规则或路由包含{number}",
    "this number": "该号码",
    "priority {priority}": "优先级 {priority}",
    "grade {grade}": "等级 {grade}",
    "language {language}": "语言 {language}",
    "skills {skills}": "技能 {skills}",
    "region {region}": "地区 {region}",
    "note {note}": "备注 {note}",
    "noted: {noted}": "标注：{noted}",
    "refused: {why}": "拒绝：{why}",
    "rule {rule}: {place}": "规则 {rule}：{place}",
    "no rule: {place}: {why}": "无规则匹配：{place}：{why}",
    "forwarded to {number}{trunk}{after}": "转接到 {number}{trunk}{after}",
    " by trunk {trunk}": "，经中继 {trunk}",
    "; unanswered: flow {flow}": "；无人接听时进入流程 {flow}",
    "flow {flow}": "流程 {flow}",
    "voicemail box {box}": "语音信箱 {box}",
    "hears {prompts}, then the end": "播放 {prompts} 后结束",
    "refused with cause {cause}": "拒绝，原因值 {cause}",
    "trunk {trunk}": "中继 {trunk}",
    "called {number} is {numbers}": "被叫号码 {number} 符合 {numbers}",
    "the caller shows a number": "主叫号码显示",
    "the caller shows no number": "主叫号码不显示",
    "caller {caller} is {numbers}": "主叫 {caller} 符合 {numbers}",
    "caller {caller} is in {regions}": "主叫 {caller} 属于 {regions}",
    "caller {caller} is in list {list}{about}": "主叫 {caller} 在名单 {list} 中{about}",
    "without a number{region}": "无号码{region}",
    "centre.inbound: {number} on trunk {trunk}": "centre.inbound：中继 {trunk} 上的 {number}",
    "calendar {calendar} is open: {why}": "日历 {calendar} 为营业：{why}",
    "calendar {calendar} is closed: {why}": "日历 {calendar} 为非营业：{why}",
    "{weekday} {day} {hours}{why}": "{day} {weekday} {hours}{why}",
    "{weekday} {day}{why}: hours {hours}": "{day} {weekday}{why}：营业时间 {hours}",
    "{weekday} {day}{why}: closed": "{day} {weekday}{why}：不营业",
    " (working day in place of a holiday: hours of {weekday})": "（调休上班，按{weekday}的时间）",
    " (the working weekends of {year} are not known here: list them in days)":
        "（{year} 年的调休安排未知，请在 days 中列出）",
    " ({note}: hours of {weekday})": "（{note}，按{weekday}的时间）",
    " ({note})": "（{note}）",
    "listed in days": "在 days 中列出",
    "opened by {by}": "由 {by} 强制开放",
    "closed by {by}": "由 {by} 强制关闭",
    "opened by {by} until {until}": "由 {by} 强制开放至 {until}",
    "closed by {by} until {until}": "由 {by} 强制关闭至 {until}",
    "mon": "周一",
    "tue": "周二",
    "wed": "周三",
    "thu": "周四",
    "fri": "周五",
    "sat": "周六",
    "sun": "周日",
    "the command line": "命令行",
}

# What a request comes to that nobody answers: appliance.bus.client, appliance.box.commands.box.
_UNANSWERED: tuple[tuple[str, str], ...] = (
    (r"\w+: (\w+) is not there", r"\1 未运行"),
    (r"\w+: (?:(\w+) did not answer|no answer) in (\S+) s", r"\1 \2 秒内没有应答"),
    (r"\w+: (\w+) does not do that", r"\1 不支持此操作"),
)


def word(value: str, kind: str, language: Language) -> str:
    """As people of this language know it; of several words the first alone may be one: "span telco"."""
    known = WORDS[kind] if kind and language == "zh" else {}
    first, blank, rest = value.partition(" ")
    return known.get(value) or known.get(first, first) + blank + rest


def sentence(told: Sentence, language: Language) -> str:
    words = ROUTES.get(told.words, told.words) if language == "zh" else told.words
    try:
        return words.format(**{name: value if isinstance(value, str) else sentence(value, language)
                               for name, value in told.values.items()})
    except (LookupError, ValueError):             # somebody's own words, with braces in them
        return told.words


def unanswered(text: str, language: Language) -> str:
    """What is not known here stays."""
    for pattern, words in _UNANSWERED if language == "zh" else ():
        if found := re.fullmatch(pattern, text):
            return found.expand(words).strip()
    return text
