"""A catalogue as a branch fills it in half a year, and what its people look for in it."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from appliance.bus.messages import SearchRecordings, Within
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.schema import recordings, tags
from appliance.store.sqlite import Database

NOW = 1_790_000_000.0                             # 2026-09-21, a Monday
DAYS, DAY_S = 180, 86400.0
AGENTS = [f"agent{number:02}" for number in range(60)]
QUEUES = ["sales", "service", "loans", "cards", "complaints", "vip", "english", "night"]
TRUNKS = ["telco", "telco2", "pbx", "hub"]
DISPOSITIONS = ["已解决", "需回访", "投诉", "错号", "resolved", "call back", "sold"]
TAGS = ["vip", "投诉升级", "fraud", "培训", "legal"]
_WHAT = ["客户", "来电", "查询", "余额", "贷款", "利率", "信用卡", "挂失", "转账", "失败", "退款", "很慢",
         "要求", "经理", "回电", "投诉", "服务", "态度", "地址", "变更", "已经", "处理", "明天", "再联系",
         "account", "blocked", "refund", "branch", "manager", "statement", "mortgage", "complaint"]
_BATCH = 20_000


def fill(database: Database, number: int, seed: int = 7) -> None:
    """So many recordings until NOW, the newest last."""
    made = made_up(number, random.Random(seed))
    while batch := [row for _, row in zip(range(_BATCH), made, strict=False)]:
        with database.write() as connection:
            _put(connection, batch)
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO texts(texts) VALUES ('optimize')")


def made_up(number: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Rows of the table."""
    customers = [f"1{chance.choice('3578')}{chance.randrange(10**9):09}" for _ in range(max(10, number // 4))]
    ats = sorted(NOW - chance.random() * DAYS * DAY_S for _ in range(number))
    last = 0
    for at in ats:
        last = max(last + 1, rows.number_at(at))
        inbound, missed = chance.random() < 0.7, chance.random() < 0.03
        customer = chance.choice(customers)
        ours = f"021{chance.randrange(60000000, 60000040)}"
        ticks = int(min(chance.lognormvariate(9.6, 0.9), 720_000))
        agent = AGENTS[min(int(chance.expovariate(0.06)), len(AGENTS) - 1)]
        yield {
            "number": last, "recording": f"{chance.getrandbits(128):032x}", "began_at": at,
            "ended_at": at + ticks / 100, "duration_ticks": ticks, "gap_ticks": 0, "first_tick": 0,
            "format": "opus", "octets": ticks * 30, "file_octets": ticks * 30 + 4096,
            "sha256": f"{chance.getrandbits(256):064x}", "path": "2026/09/21/x.blr",
            "state": "erased" if chance.random() < 0.002 else "kept",
            "holds": int(chance.random() < 0.001), "delete_after": at + 3 * 365 * DAY_S,
            "score": round(chance.gauss(82, 9), 1) if chance.random() < 0.03 else None,
            "facts_seq": 1, "facts_at": at, "facts_final": True, "contact": f"{chance.getrandbits(64):016x}",
            "direction": "in" if inbound else "out", "missed": missed,
            "kind": "message" if missed else "talk", "calling": customer if inbound else ours,
            "called": ours if inbound else customer, "withheld": False, "trunk": chance.choice(TRUNKS),
            "queue": QUEUES[min(int(chance.expovariate(0.7)), len(QUEUES) - 1)] if inbound else "",
            "agent": "" if missed else agent, "node": "main", "grade": "", "outcome": "answered",
            "disposition": chance.choice(DISPOSITIONS) if chance.random() < 0.35 else "",
            "note": "".join(chance.choices(_WHAT, k=chance.randrange(3, 12) if chance.random() < 0.2 else 0)),
            "tags": chance.choice(TAGS) if chance.random() < 0.06 else ""}


def _put(connection: Connection, batch: Sequence[dict[str, Any]]) -> None:
    connection.execute(insert(recordings), batch)
    tagged = [{"tag": row["tags"], "number": row["number"]} for row in batch if row["tags"]]
    if tagged:
        connection.execute(insert(tags), tagged)
    connection.exec_driver_sql("INSERT INTO texts(rowid, calling, called, words) VALUES (?, ?, ?, ?)", [
        (row["number"], row["calling"], row["called"],
         rows.words([row["tags"]] if row["tags"] else [], row["disposition"], row["note"])) for row in batch])


def _within(chance: random.Random, days: float, asked: SearchRecordings) -> SearchRecordings:
    until = NOW - chance.random() * (DAYS - days) * DAY_S
    return msgspec.structs.replace(asked, since=until - days * DAY_S, until=until)


def _digits(chance: random.Random, number: int) -> str:
    return "".join(chance.choices("0123456789", k=number))


# What is looked for, as an admin, an agent and an auditor do it.
MIX: dict[str, Callable[[random.Random], SearchRecordings]] = {
    "all, newest": lambda _: SearchRecordings(),
    "today": lambda _: SearchRecordings(preset="today"),
    "yesterday, in": lambda _: SearchRecordings(preset="yesterday", way="in"),
    "last week of an agent": lambda chance: SearchRecordings(preset="last-week", agent=chance.choice(AGENTS)),
    "last month of a queue, out of 200": lambda chance: SearchRecordings(
        preset="last-month", queue=chance.choice(QUEUES), limit=200),
    "missed, last month": lambda _: SearchRecordings(preset="last-month", way="missed"),
    "a day long ago": lambda chance: _within(chance, 1, SearchRecordings(way="out")),
    "a whole number": lambda chance: SearchRecordings(number=f"1{chance.choice('3578')}{_digits(chance, 9)}"),
    "its last four digits": lambda chance: SearchRecordings(number=_digits(chance, 4)),
    "its last four digits, in a week": lambda chance: _within(
        chance, 7, SearchRecordings(number=_digits(chance, 4))),
    "its beginning": lambda chance: SearchRecordings(number=f"^1{chance.choice('3578')}{_digits(chance, 3)}"),
    "our number": lambda chance: SearchRecordings(number=f"0216000{chance.randrange(40):04}"),
    "all of an agent, a page far down": lambda chance: SearchRecordings(
        agent=chance.choice(AGENTS[:30]), after=rows.number_at(NOW - chance.random() * 150 * DAY_S)),
    "an agent's long talks": lambda chance: SearchRecordings(agent=chance.choice(AGENTS), least_s=1200.0),
    "longer than half an hour": lambda _: SearchRecordings(least_s=1800.0),
    "shorter than 10 s, in a queue": lambda chance: SearchRecordings(
        most_s=10.0, queue=chance.choice(QUEUES)),
    "a tag": lambda chance: SearchRecordings(tag=chance.choice(TAGS)),
    "a tag of an agent": lambda chance: SearchRecordings(
        tag=chance.choice(TAGS), agent=chance.choice(AGENTS)),
    "low scores": lambda _: SearchRecordings(most_score=60.0),
    "scores of an agent": lambda chance: SearchRecordings(least_score=0.0, agent=chance.choice(AGENTS)),
    "a disposition of an agent": lambda chance: SearchRecordings(
        disposition=chance.choice(DISPOSITIONS), agent=chance.choice(AGENTS)),
    "a disposition in a queue and a trunk": lambda chance: SearchRecordings(
        disposition=chance.choice(DISPOSITIONS), queue=chance.choice(QUEUES), trunk=chance.choice(TRUNKS)),
    "two characters": lambda chance: SearchRecordings(text=chance.choice(["投诉", "退款", "余额", "挂失"])),
    "one character": lambda chance: SearchRecordings(text=chance.choice(["款", "贷"])),
    "a Chinese word": lambda chance: SearchRecordings(text=chance.choice(["信用卡", "再联系", "转账失败"])),
    "an English word": lambda chance: SearchRecordings(
        text=chance.choice(["refund", "Mortgage", "blocked"])),
    "two words, of an agent": lambda chance: SearchRecordings(
        text="投诉 refund", agent=chance.choice(AGENTS)),
    "what nobody wrote": lambda _: SearchRecordings(text="火星 unicorn"),
    "all, within two queues": lambda chance: SearchRecordings(within=Within(queues=chance.sample(QUEUES, 2))),
    "this month, within one agent": lambda chance: SearchRecordings(
        preset="last-month", within=Within(agents=[chance.choice(AGENTS)])),
    "within queues and agents": lambda chance: SearchRecordings(
        within=Within(queues=chance.sample(QUEUES, 2), agents=chance.sample(AGENTS, 20))),
    "of an agent, within a trunk": lambda chance: SearchRecordings(
        agent=chance.choice(AGENTS), within=Within(trunks=[chance.choice(TRUNKS)])),
    "within nobody": lambda _: SearchRecordings(within=Within(agents=[])),
    "within no limits": lambda _: SearchRecordings(preset="today", within=Within()),
    "held": lambda _: SearchRecordings(held=True),
    "erased": lambda chance: _within(chance, 30, SearchRecordings(state="erased")),
}
