"""A flow with every kind of node that a caller can be in, and an office for it."""

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

from appliance.centre.flow import Flow, load_flow
from appliance.centre.turn import Setup
from appliance.config.schema import AgentConfig, CentreConfig, InboundRoute, QueueConfig
from appliance.config.sources import SourceConfig
from tests.centre.office import Office

HOTLINE = """\
# A power company's hotline: choose, prove who you are, hear the bill, complain, be served.
language: zh
start: greeting
variables: {grade: "", attempts: 0}
limit_s: 600
nodes:
  greeting: {kind: play, prompt: [welcome, "time:09:30"], next: who}
  who:
    kind: lookup
    source: crm
    send: {phone: "{caller}"}
    results:
      name: customer.name
      grade: {path: customer.grade, optional: true}
      tongue: {path: customer.language, optional: true}
    next: tongue
    missing: menu
    error: menu
  tongue: {kind: language, by: tongue, next: hello}
  hello:
    kind: say
    text: {zh: "{name}您好", en: "Hello {name}"}
    next: menu
  menu:
    kind: menu
    prompt: menu
    digits: {1: proof, 2: complain, 3: {next: menu, language: en}, 4: payment, 5: manager, 0: rank}
    invalid: invalid
    retries: 1
    timeout_s: 4
    default: rank
  proof:
    kind: authenticate
    source: billing
    customer: {prompt: customer-number, least: 4, most: 8}
    pin: {prompt: pin, least: 4, most: 6}
    to: customer
    results: {balance: {path: balance, type: amount}, due: {path: due, type: date}}
    retries: 1
    wrong: wrong
    next: bill
    failed: rank
    error: sorry
  bill: {kind: play, prompt: [balance-is, "amount:{balance} CNY", "date:{due}"], error: sorry, next: enough}
  enough:
    kind: branch
    cases: [{when: balance > 100, next: rank}, {when: "grade == 'A'", next: rank}]
    default: bye
  complain:
    kind: collect
    prompt: ticket-number
    to: ticket
    least: 3
    most: 6
    valid: starts(ticket, '7')
    retries: 1
    invalid: invalid
    next: message
    default: message
  message: {kind: record, prompt: speak, most_s: 30, to: message, next: read-back}
  read-back: {kind: play, prompt: ["digits:{ticket}"], next: bye}
  payment:
    {kind: collect, prompt: card, to: card, least: 13, most: 19, secret: true, next: pay, default: rank}
  pay: {kind: lookup, source: billing, send: {card: "{card}"}, next: bye, error: sorry}
  manager: {kind: transfer, agent: ann, ring_s: 20, next: rank}
  rank:
    kind: set
    values: {attempts: attempts + 1, urgency: "50 if grade == 'A' else 10"}
    next: agents
  agents:
    kind: queue
    queue: sales
    priority: urgency
    grade: grade
    skills: {bills: 3}
    overflow_s: 60
    digits: {9: complain}
    next: sorry
  sorry: {kind: play, prompt: sorry, next: bye}
  bye: {kind: hangup}
"""

CENTRE = CentreConfig(
    inbound=[InboundRoute(trunk="telco", called="5000", flow="hotline")],
    queues=[QueueConfig(name="sales", agents=["ann"], wrap_up_s=0.0)],
    agents=[AgentConfig(name="ann", extension="8001", trunk="pbx", skills={"bills": 5})],
    sources=[SourceConfig(name="crm", url="http://crm.example/{phone}"),
             SourceConfig(name="billing", url="http://billing.example/", method="POST")])


def load_text(folder: Path, text: str, queues: Sequence[str] = ("sales",)) -> Flow:
    path = folder / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    return load_flow(path, queues)


def setup(flow: Flow, older: Mapping[str, Flow] | None = None, first: int = 1) -> Setup:
    """`first`: of the names that it gives."""
    numbers = count(first)
    return Setup.of(CENTRE, {"hotline": flow}, lambda: f"{next(numbers):032x}", older=older)


def office(flow: Flow) -> Office:
    return Office(setup(flow))
