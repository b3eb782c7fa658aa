"""Values of ITU-T G.711 (11/88): table 1a and the digital milliwatt of table 5."""

import numpy as np
import pytest

from appliance.media import g711

VECTORS = [                                       # octet on the line, even bits inverted; 13-bit value
    (0xAA, 4032), (0xA5, 2112), (0xB5, 1056), (0x85, 528), (0x95, 264), (0xE5, 132), (0xF5, 66), (0xD5, 1),
    (0x2A, -4032), (0x25, -2112), (0x35, -1056), (0x05, -528), (0x15, -264), (0x65, -132), (0x75, -66),
    (0x55, -1),
]

MILLIWATT = np.array([0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4], np.uint8)


@pytest.mark.parametrize(("octet", "value"), VECTORS)
def test_vector_both_ways(octet: int, value: int) -> None:
    octets, samples = np.array([octet], np.uint8), np.array([8 * value], np.int16)
    assert g711.decode(octets).tolist() == samples.tolist()
    assert g711.encode(samples).tolist() == octets.tolist()


def test_every_octet_survives() -> None:
    octets = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (g711.encode(g711.decode(octets)) == octets).all()


def test_a_sample_belongs_to_the_interval_between_its_decision_values() -> None:
    steps = [2] * 32 + [step for step in (4, 8, 16, 32, 64, 128) for _ in range(16)]     # columns 1 to 3
    decisions = 8 * np.concatenate([[0], np.cumsum(steps)])
    assert decisions[-1] == 32768
    samples = np.arange(32768)
    number = np.searchsorted(decisions, samples, side="right") - 1   # column 4, counted from 0
    code = (number | 0x80) ^ 0x55                                    # column 6, even bits inverted
    assert (g711.encode(samples.astype(np.int16)) == code).all()
    assert (g711.encode((-1 - samples).astype(np.int16)) == (code ^ 0x80)).all()


def test_the_digital_milliwatt_is_0_dbm0() -> None:
    rms = np.sqrt(np.mean(g711.decode(MILLIWATT).astype(np.float64) ** 2))
    assert 20 * np.log10(rms / (g711.PEAK_0DBM0 / np.sqrt(2))) == pytest.approx(0, abs=0.01)


def test_from_one_law_to_the_other_is_tables_3_and_4() -> None:
    """By the numbers of their columns 1, as corrected: µ-law 81 and A-law 80 belong together."""
    a_law = [*(number // 2 for number in range(2, 18)), *range(9, 25), 25, 27, 29, 31, *range(33, 45), 46, 48,
             *range(49, 63), *range(64, 80), 80, *range(82, 129)]
    mu_law = [*range(2, 17, 2), *range(17, 33), 33, 33, 34, 34, 35, 35, 36, 36, *range(37, 49), 49, 49,
              50, 50, *range(51, 65), 65, 65, *range(66, 82), *range(81, 129)]
    of_mu_law = [(number - 1) ^ 0x7F for number in range(1, 129)]
    of_a_law = [(number - 1) ^ 0x55 for number in range(1, 129)]
    for sign in (0, 0x80):
        assert g711.a_law(np.array(of_mu_law, np.uint8) | np.uint8(sign)).tolist() == [
            of_a_law[number - 1] ^ sign for number in a_law]
        assert g711.mu_law(np.array(of_a_law, np.uint8) ^ np.uint8(sign)).tolist() == [
            of_mu_law[number - 1] | sign for number in mu_law]


def test_the_digital_milliwatt_is_the_same_in_both_laws() -> None:
    mu_law = np.array([0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E], np.uint8)          # table 6
    assert (g711.a_law(mu_law) == MILLIWATT).all()
    assert (g711.mu_law(MILLIWATT) == mu_law).all()
