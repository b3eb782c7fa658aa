"""What trunkd tells of its trunks: the settings in force, and who has what is reserved."""

from pathlib import Path

from appliance.bus.messages import Dial, GetTrunks, TrunkTable
from appliance.config.schema import Config
from tests.trunk.trunkd import running

CONFIG = Config.model_validate({
    "spans": [{"name": "one", "url": "virtual:/one/a", "side": "user", "trunk": "telco"},
              {"name": "two", "url": "virtual:/two/a", "side": "user", "trunk": "telco"},
              {"name": "pbx1", "url": "virtual:/pbx1/a", "side": "network", "trunk": "pbx"}],
    "trunks": [{"name": "telco", "hunting": "ascending", "overflow": ["pbx"], "emergency": ["999"],
                "numbers": {"country": "CN", "area": "21"}, "caller_id": {"default": "5000"},
                "reserved": [{"name": "boss", "direction": "out", "called": ["5001"], "channels": 2,
                              "most": 9}, {"name": "callers", "direction": "in", "channels": 5}]}]})


async def test_trunks_say_their_settings_and_their_calls(tmp_path: Path) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        for number, called in enumerate(("5001", "5001", "5002")):
            await trunkd.service.answer(Dial(leg=f"l{number}", trunk="telco", called=called))
        table = await trunkd.service.answer(GetTrunks())
    assert isinstance(table, TrunkTable)
    telco, pbx = table.trunks
    assert (telco.trunk, telco.spans, telco.hunting, telco.overflow, telco.emergency) == (
        "telco", ["one", "two"], "ascending", ["pbx"], ["999"])
    assert (telco.calling, telco.country, telco.area) == ("5000", "CN", "21")
    assert [(one.name, one.channels, one.most, one.used) for one in telco.reserved] == [
        ("boss", 2, 9, 2), ("callers", 5, None, 0)]
    assert (telco.calls_in, telco.calls_out) == (0, 3)
    assert (pbx.spans, pbx.hunting, pbx.reserved, pbx.calls_out) == (["pbx1"], "balanced", [], 0)
