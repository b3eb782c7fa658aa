"""Supplementary services: what tests/isdn/supplementary proves with libpri, which has its own lines."""
from appliance.isdn.events import Incoming
from tests.interop.joined import Joined
from tests.interop.matrix import (
    CHINA,
    DSS1,
    ECMA,
    ETSI,
    NETWORK,
    PRIVATE,
    QSIG,
    USER,
    proved,
    scenario,
    unproved,
)
from tests.isdn.supplementary import test_libpri_etsi as etsi
from tests.isdn.supplementary import test_libpri_qsig as qsig

AS_ETSI = "Nothing of it depends on the profile: proved with etsi."
PBX_ONLY = "We are told of charges, and tell nobody."
PUBLIC_ONLY = "A service of public networks."
PRIVATE_ONLY = "In this form a service of private networks."
NO_DEFLECTION = "The profile has no deflection and no transfer (profile.py)."
NO_ECMA_212 = "libpri tells charges as ETSI does; tests/isdn/supplementary/test_services.py has ECMA-212."
BELOW = "In another form there: below."
AS_QSIG = "Proved with qsig; how ecma writes operations: *The caller's name in Facility*."
OTHER_SIDE = "The other side's part: the next row or the one before."
NO_SIDES = "Nothing of it depends on the side: proved as user."

CHARGES = {CHINA & USER: AS_ETSI, DSS1 & NETWORK: PBX_ONLY, PRIVATE: NO_ECMA_212}

proved("Advice of charge during and at the end, in units (AOC-D, AOC-E)",
       etsi.test_charges_in_units_and_currency, ETSI & USER, CHARGES)
proved("Advice of charge in a currency", etsi.test_a_charge_in_currency, ETSI & USER, CHARGES)
proved("Free of charge; charge not available", etsi.test_free_of_charge_is_not_no_charge_known, ETSI & USER,
       CHARGES)
proved("The rate at the start (AOC-S)", etsi.test_the_rate_at_the_start, ETSI & USER, CHARGES)

proved("We have libpri register a malicious call (MCID); it does, or does not offer it",
       etsi.test_the_network_notes_a_malicious_call, ETSI & USER,
       {CHINA & USER: AS_ETSI, DSS1 & NETWORK: OTHER_SIDE, PRIVATE: PUBLIC_ONLY})
proved("libpri reports a malicious call to us", etsi.test_a_pbx_reports_a_malicious_call, ETSI & NETWORK,
       {CHINA & NETWORK: AS_ETSI, DSS1 & USER: OTHER_SIDE, PRIVATE: PUBLIC_ONLY})

proved("We deflect a call that libpri offers; granted, refused",
       etsi.test_the_network_takes_a_call_back, ETSI & USER,
       {CHINA: NO_DEFLECTION, ETSI & NETWORK: OTHER_SIDE, PRIVATE: BELOW})
proved("libpri deflects a call that we offer; granted, refused",
       etsi.test_a_pbx_sends_a_call_elsewhere, ETSI & NETWORK,
       {CHINA: NO_DEFLECTION, ETSI & USER: OTHER_SIDE, PRIVATE: BELOW})
proved("We have a call rerouted by libpri (ECMA-174); granted, refused",
       qsig.test_the_other_exchange_takes_a_call_back, QSIG & USER,
       {QSIG & NETWORK: NO_SIDES, ECMA: AS_QSIG, DSS1: PRIVATE_ONLY})
proved("A call that was first for somebody else, by its Facility",
       qsig.test_a_call_that_was_for_somebody_else, (ETSI | QSIG) & USER,
       {CHINA & USER: AS_ETSI, ECMA & USER: AS_QSIG, NETWORK: NO_SIDES})

proved("We have libpri join two of our calls (explicit call transfer); granted, refused",
       etsi.test_the_network_joins_two_calls, ETSI & USER,
       {CHINA: NO_DEFLECTION, ETSI & NETWORK: OTHER_SIDE, PRIVATE: BELOW})
proved("libpri has us join two of its calls; granted, refused", etsi.test_a_pbx_transfers_two_calls,
       ETSI & NETWORK, {CHINA: NO_DEFLECTION, ETSI & USER: OTHER_SIDE, PRIVATE: BELOW})
proved("We tell both ends of a transfer of each other (ECMA-178)",
       qsig.test_our_transfer_tells_each_end_of_the_other, QSIG, {ECMA: AS_QSIG, DSS1: PRIVATE_ONLY})
proved("libpri tells us of its transfer", qsig.test_libpris_transfer_tells_us, QSIG,
       {ECMA: AS_QSIG, DSS1: PRIVATE_ONLY})
unproved("Path replacement (ECMA-176)",
         "libpri does not know it; tests/isdn/supplementary/test_services.py has it.")


@scenario("The caller's name in Facility, both ways (ECMA-164; in ecma by object identifier)", lacks={
    DSS1: PRIVATE_ONLY})
def test_names(line: Joined) -> None:
    assert line.call(calling="100", name="Jörg").calling_name == "Jörg"
    line.clear("out")
    line.offer(name="Zoë")
    incoming = line.event(Incoming)
    assert incoming.name == "Zoë"
    line.clear(incoming.key)


proved("Names of caller and called party (ECMA-164)", qsig.test_names_of_caller_and_called, QSIG,
       {ECMA: AS_QSIG, DSS1: PRIVATE_ONLY})
proved("The connected party's name, both ways", qsig.test_the_connected_name_and_number, QSIG & USER,
       {QSIG & NETWORK: NO_SIDES, ECMA: AS_QSIG, DSS1: PRIVATE_ONLY})
