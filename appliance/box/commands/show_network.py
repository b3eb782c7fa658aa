"""show network, cards, telemetry: what the box is joined to the world by."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from appliance.box.commands.show_box import Row, known
from appliance.box.commands.table import Answer, Asked, Command, CommandError, Role, Text, column
from appliance.box.telemetry.area import Telemetry
from appliance.box.telemetry.gathering import Gathering
from appliance.bus.client import BusError
from appliance.bus.messages import CardState, GetCards, GetProvision

LOOK_S = 3.0
RESOLV = Path("/etc/resolv.conf")
NOBODYS = "loopback"                              # link_type of what leads nowhere

# --- network


class InterfaceRow(Row, frozen=True, kw_only=True):
    interface: Annotated[str, column("interface", "接口")]
    state: Annotated[str, column("state", "状态", words="link")]
    addresses: Annotated[list[str], column("addresses", "地址")]
    mac: Annotated[str, column("MAC", "MAC", "json")]
    mtu: Annotated[int, column("MTU", "MTU", "json")]
    rx_octets: Annotated[int | None, column("received", "接收", "octets")]
    tx_octets: Annotated[int | None, column("sent", "发送", "octets")]
    rx_errors: Annotated[int | None, column("errors in", "接收错误")]
    tx_errors: Annotated[int | None, column("errors out", "发送错误")]
    dropped: Annotated[int | None, column("dropped", "丢弃")]


class Network(Answer, frozen=True, kw_only=True):
    name: Annotated[str, column("name", "名称")]
    gateways: Annotated[list[str], column("gateways", "网关")]
    name_servers: Annotated[list[str], column("name servers", "域名服务器")]
    trial_left_s: Annotated[float | None, column(
        "goes back unless confirmed in", "未确认则自动恢复，剩余", "duration", spare=True)]
    interfaces: list[InterfaceRow]


async def network(asked: Asked) -> Network:
    links = await _ip("-s", "address")
    routes: list[dict[str, Any]] = []
    for version in ("-4", "-6"):
        with contextlib.suppress(CommandError):   # the kernel is without this one
            routes += await _ip(version, "route", "show", "default")
    try:
        trial_s = (await asked.ask(GetProvision(), 10.0)).trial_left_s
    except BusError:                              # this machine is no installed box
        trial_s = 0.0
    return Network(
        name=asked.box.name(), trial_left_s=trial_s or None,
        gateways=list(dict.fromkeys(f"{one['gateway']} {one.get('dev', '')}".strip()
                                    for one in routes if "gateway" in one)),
        name_servers=await asyncio.to_thread(name_servers),
        interfaces=[interface(one) for one in links if one.get("link_type") != NOBODYS and one.get("ifname")])


def interface(one: dict[str, Any]) -> InterfaceRow:
    """Of a row of `ip -j -s address`."""
    received, sent = (one.get("stats64", {}).get(way, {}) for way in ("rx", "tx"))
    dropped = [way["dropped"] for way in (received, sent) if "dropped" in way]
    return InterfaceRow(
        interface=one["ifname"], state=str(one.get("operstate", "")).lower(), mac=one.get("address", ""),
        mtu=one.get("mtu", 0), rx_octets=received.get("bytes"), tx_octets=sent.get("bytes"),
        rx_errors=received.get("errors"), tx_errors=sent.get("errors"),
        dropped=sum(dropped) if dropped else None,
        addresses=[f"{each['local']}/{each['prefixlen']}" for each in one.get("addr_info", ())
                   if "local" in each and each.get("scope") != "link"])


def name_servers(path: Path = RESOLV) -> list[str]:
    """As programs of the box ask them, resolv.conf(5)."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeError):
        return []
    return [words[1] for line in lines if len(words := line.split()) > 1 and words[0] == "nameserver"]


async def _ip(*words: str) -> list[dict[str, Any]]:
    """What ip(8) of iproute2 says. CommandError: it cannot be asked."""
    try:
        process = await asyncio.create_subprocess_exec(
            "ip", "-j", *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env={"PATH": f"{os.defpath}:/usr/sbin:/sbin", "LC_ALL": "C"})
    except OSError as error:
        raise _unknown(error.strerror or str(error)) from None
    try:
        async with asyncio.timeout(LOOK_S):
            out, wrong = await process.communicate()
    except TimeoutError:
        raise _unknown(f"no answer in {LOOK_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found = msgspec.json.decode(out or b"[]", type=list[dict[str, Any]])
    except msgspec.MsgspecError as error:
        raise _unknown(str(error)) from None
    if process.returncode and not found:
        raise _unknown(wrong.decode(errors="replace").strip())
    return found


def _unknown(why: str) -> CommandError:
    return CommandError(Text(f"the network cannot be looked at: {why}", f"无法查看网络：{why}"))


# --- line cards


class CardRow(Row, frozen=True, kw_only=True):
    card: Annotated[str, column("card", "线路卡")]
    relay: Annotated[str, column("relay", "外线接在", words="relay")]
    bypass: Annotated[bool, column("put there by people", "人工指定", "yes", spare=True)]
    why: Annotated[str, column("why", "原因", words="relay why")]
    version: Annotated[str, column("firmware", "固件")]
    trial: Annotated[bool, column("on trial", "试运行", "yes", spare=True)]
    up_s: Annotated[float | None, column("up for", "已运行", "duration")]
    reset: Annotated[str, column("started by", "启动原因", words="card reset")]
    resets: Annotated[int | None, column("restarts", "重启次数")]
    crashes: Annotated[int | None, column("crashes", "崩溃次数")]
    temperature_celsius: Annotated[float | None, column("°C", "°C")]
    serial: Annotated[str, column("serial number", "序列号", spare=True)]
    troubles: Annotated[list[str], column("trouble", "故障", spare=True, words="card trouble")]


class Cards(Answer, frozen=True, kw_only=True):
    cards: list[CardRow]


async def cards(asked: Asked) -> Cards:
    return Cards(cards=[_card(one) for one in (await asked.ask(GetCards())).cards])


def _card(one: CardState) -> CardRow:
    heard = one.relay is not None
    return CardRow(
        card=one.card, relay=one.relay.sense if one.relay else "", why=one.relay.why if one.relay else "",
        bypass=one.bypass, version=one.version, trial=one.trial, up_s=one.uptime_s if heard else None,
        reset=one.reset, resets=one.resets if heard else None, crashes=one.crashes if heard else None,
        temperature_celsius=one.temperature_celsius, serial=one.serial,
        troubles=[text for text in (one.trouble, *one.troubles) if text])


# --- telemetry


class TelemetryState(Answer, frozen=True, kw_only=True):
    state: Annotated[str, column("state", "状态", words="telemetry")]
    server: Annotated[str, column("server", "服务器", spare=True)]
    interval_s: Annotated[float, column("a sample every", "采样间隔", "duration")]
    sent_points: Annotated[int | None, column("points written", "已写入数据点", "number")]
    waiting_points: Annotated[int | None, column("points that wait", "等待写入的数据点", "number")]
    waiting_octets: Annotated[int | None, column("they take", "占用空间", "octets")]
    oldest_at: Annotated[float | None, column("the oldest is of", "最早一点", "moment", spare=True)]
    dropped_points: Annotated[int | None, column("points lost", "丢弃数据点", "number")]
    failures: Annotated[int | None, column("writes that failed", "写入失败次数", "number")]


async def telemetry(asked: Asked) -> TelemetryState:
    """Counts are since boxd began."""
    config, own = asked.box.area(Telemetry).config, asked.box.area(Gathering).seen.own
    state = "off" if not config.url else "begins" if own is None else "away" if own.away else "up"
    return TelemetryState(
        state=state, server=urlsplit(config.url).netloc.rpartition("@")[2], interval_s=config.interval_s,
        sent_points=own.sent_points if own else None, waiting_points=own.spooled_points if own else None,
        waiting_octets=own.spooled_octets if own else None,
        oldest_at=known(own.oldest_at) if own else None,
        dropped_points=own.dropped_points if own else None, failures=own.failures if own else None)


COMMANDS = (
    Command("show network", Role.WATCH, Text("addresses, gateways, name servers, errors of its interfaces",
                                             "地址、网关、域名服务器、接口错误"), network, Network),
    Command("show telemetry", Role.WATCH, Text("whether figures reach their server, and how many wait",
                                               "监控数据是否送达及积压数量"), telemetry, TelemetryState),
    Command("show cards", Role.WATCH, Text("line cards: relay, firmware, restarts, temperature",
                                           "线路卡：继电器、固件、重启、温度"), cards, Cards),
)
