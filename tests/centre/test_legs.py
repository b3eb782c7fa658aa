"""Whose leg was whose, out of the log."""
from appliance.centre import events
from appliance.centre.legs import legs
from appliance.store import schema
from tests.centre.office import Office, setup


def test_a_contact_keeps_the_legs_of_all_whose_telephones_rang() -> None:
    office = Office(setup())
    contact = office.call("caller", "5001")
    office.pass_time(16.0)                         # nobody answers the first telephone
    found = legs(entry for entry in office.log if entry.contact == contact
                 and f"'{entry.kind}'" in schema.GIVES_LEG)
    assert [(leg.party, leg.agent) for leg in found] == [("caller", ""), ("agent", "ann"), ("agent", "bo")]
    assert found[0].leg == "caller" and len({leg.leg for leg in found}) == 3
    assert [leg.at for leg in found] == sorted(leg.at for leg in found)


def test_the_store_looks_for_every_event_that_has_a_leg() -> None:
    of_contacts = {name for name, kind in events.KINDS.items()
                   if "leg" in kind.__struct_fields__ and not name.startswith("Agent")}
    assert {f"'{name}'" for name in of_contacts} == set(schema.GIVES_LEG[9:-1].split(", "))
