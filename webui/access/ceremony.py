"""The two ceremonies of Web Authentication: a key is made known, a key signs. py_webauthn checks them.

Ref: W3C Web Authentication Level 2, 7.1 and 7.2. A password was given before, so a key need not know its
person: touching it is enough.

The library costs 7 MB: only a box where somebody has a key, or adds one, loads it.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from webui.access.factors import Key

CHALLENGE_OCTETS = 32
ANSWER_MOST = 16 * 1024                           # characters; a key with a certificate chain says about 8 Ki
ID_MOST_OCTETS = 1023                             # of a credential: 7.1 step 25

_HOST = re.compile(r"([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::[0-9]{1,5})?")
_NUMBERS = re.compile(r"[0-9.]+")                 # of IPv6 the brackets tell
_NOT_ONE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)     # of hostile CBOR


class Refused(Exception):
    """The answer of a key does not count. The text is for the log: it has no secret."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a browser thinks it is: keys are bound to the host's name, signatures to the whole origin."""

    host: str
    origins: tuple[str, ...]


def place_of(host: str) -> Place | None:
    """Of a request's Host. None: no key works there, as it is an address and not a name."""
    found = _HOST.fullmatch(host.lower())
    if found is None or _NUMBERS.fullmatch(found[1]):
        return None
    name = found[1]
    # HTTPS may end before this process, so its own scheme says nothing; what the browser signs does.
    here = name == "localhost" or name.endswith(".localhost")
    origin = host.lower()
    return Place(name, (f"https://{origin}", f"http://{origin}") if here else (f"https://{origin}",))


def challenge() -> bytes:
    return secrets.token_bytes(CHALLENGE_OCTETS)


def to_register(place: Place, name: str, handle: bytes, known: Sequence[Key], asked: bytes) -> str:
    """What the browser hands to navigator.credentials.create(), as JSON."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )
    return options_to_json(generate_registration_options(
        rp_id=place.host, rp_name=place.host, user_name=name, user_id=handle, challenge=asked,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.DISCOURAGED),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=key.id) for key in known
                             if key.host == place.host]))


def registered(place: Place, answer: str, asked: bytes, label: str, now: float) -> Key:
    """The key that answered. Refused: another challenge, host or shape, or nobody touched it."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException
    try:
        _bounded(answer)
        found = verify_registration_response(
            credential=answer, expected_challenge=asked, expected_rp_id=place.host,
            expected_origin=list(place.origins))
    except (WebAuthnException, *_NOT_ONE) as error:
        raise Refused(str(error)) from None
    if len(found.credential_id) > ID_MOST_OCTETS:
        raise Refused("the id of the key is too long")
    return Key(
        found.credential_id, label, place.host, found.credential_public_key, found.sign_count, now, None)


def to_sign(place: Place, keys: Sequence[Key], asked: bytes) -> str:
    """What the browser hands to navigator.credentials.get(), as JSON."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement
    return options_to_json(generate_authentication_options(
        rp_id=place.host, challenge=asked, user_verification=UserVerificationRequirement.DISCOURAGED,
        allow_credentials=[PublicKeyCredentialDescriptor(id=key.id) for key in keys]))


def signed(place: Place, answer: str, asked: bytes, keys: Sequence[Key]) -> tuple[Key, int]:
    """Which of `keys` signed, and its count now. Refused: none of them, or its count went back (a copy)."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException
    try:
        _bounded(answer)
        said = parse_authentication_credential_json(answer).raw_id
        key = next((one for one in keys if one.id == said and one.host == place.host), None)
        if key is None:
            raise Refused("it is no key of this person at this host")
        found = verify_authentication_response(
            credential=answer, expected_challenge=asked, expected_rp_id=key.host,
            expected_origin=list(place.origins), credential_public_key=key.public,
            credential_current_sign_count=key.count)
    except (WebAuthnException, *_NOT_ONE) as error:
        raise Refused(str(error)) from None
    return key, found.new_sign_count


def _bounded(answer: str) -> None:
    if len(answer) > ANSWER_MOST:
        raise Refused("the answer is too long")
