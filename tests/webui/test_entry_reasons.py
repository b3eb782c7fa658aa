"""Why a call went where it went, in Chinese."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from flask import Flask
from flask_babel import force_locale

from appliance.bus.messages import Sentence
from appliance.centre.entry.calendar import Forced
from appliance.centre.entry.load import load_entrance
from appliance.centre.entry.rules import Arrival
from appliance.config.load import load
from tests.config.test_load import GOOD, written
from webui import texts

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = """\
  calendars:
    - name: c1
      hours: {mon-fri: "09:00-17:30"}
      holidays: cn
      days:
        - {date: 2026-12-30, hours: []}
        - {date: 2026-12-29, like: sat}
        - {date: 2026-12-28, hours: ["10:00-11:00"]}
  lists: [{name: vip, file: vip.csv}]
  entry:
    - {name: one, lists: vip, called: "5003", flow: main.yaml}
    - {name: two, called: "5004", callers: "+44*", flow: main.yaml}
    - {name: three, called: "5005", withheld: true, flow: main.yaml}
    - {name: four, called: "5005", withheld: false, regions: 上海, flow: main.yaml}
    - {name: five, trunks: telco, called: "5006", calendar: c1, when: open, flow: main.yaml}
    - {name: six, trunks: telco, called: "5006", calendar: c1, flow: main.yaml}
    - {name: seven, trunks: pbx, flow: main.yaml}
"""
FRIDAY = "2026-11-20 10:00"


@pytest.mark.parametrize(("called", "calling", "at", "forced", "said"), [
    ("5003", "13800138000", FRIDAY, None, "主叫 +8613800138000 在名单 vip 中 (9, 王)"),
    ("5004", "00442079460000", FRIDAY, None, "主叫 +442079460000 符合 +44*"),
    ("5005", "", FRIDAY, None, "被叫号码 5005 符合 5005 · 主叫号码不显示"),
    ("5006", "", FRIDAY, None, "日历 c1 为营业：2026-11-20 周五 09:00-17:30"),
    ("5006", "", "2026-11-20 20:00", None, "日历 c1 为非营业：2026-11-20 周五：营业时间 09:00-17:30"),
    ("5006", "", "2026-11-21 20:00", None, "日历 c1 为非营业：2026-11-21 周六：不营业"),
    ("5006", "", "2026-10-10 16:00", None, "2026-10-10 周六 09:00-17:30（调休上班，按周一的时间）"),
    ("5006", "", "2026-12-30 10:00", None, "2026-12-30 周三（在 days 中列出）：不营业"),
    ("5006", "", "2026-12-29 10:00", None, "2026-12-29 周二（在 days 中列出，按周六的时间）：不营业"),
    ("5006", "", "2026-12-28 10:30", None, "2026-12-28 周一 10:00-11:00（在 days 中列出）"),
    ("5006", "", FRIDAY, Forced(False, 0.0, "li"), "日历 c1 为非营业：由 li 强制关闭"),
    ("5006", "", FRIDAY, Forced(True, 4102444800.0, ""), "由 命令行 强制开放至 2100-01-01 08:00"),
    ("5099", "", FRIDAY, None, "没有规则适用，centre.inbound 中也没有此号码"),
])
def test_each_reason_is_kept_sent_and_said(app: Flask, tmp_path: Path, called: str, calling: str, at: str,
                                           forced: Forced | None, said: str) -> None:
    (tmp_path / "vip.csv").write_text("number,grade,note\n13800138000,9,王\n")
    doors = load_entrance(load(written(tmp_path, GOOD + RULES)), SHANGHAI)
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI).timestamp()
    decision = doors.decide(Arrival("telco", called, calling, not calling, moment), None,
                            {"c1": forced} if forced is not None else {})
    kept = msgspec.json.encode([one.sentence for one in decision.reasons])
    reasons = msgspec.json.decode(kept, type=list[Sentence])
    with app.test_request_context():
        with force_locale("zh"):
            as_on_the_page = app.jinja_env.from_string("{{ reasons | map('sentence') | join(' · ') }}")
            chinese = as_on_the_page.render(reasons=reasons)
        with force_locale("en"):
            assert ", ".join(map(texts.sentence, reasons)) == decision.why
    assert said in chinese
    assert not re.search(r"\b(call|caller|called|calendar|open|closed|rule|hours|by|is|in)\b", chinese)
