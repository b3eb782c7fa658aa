"""The members of an export bundle, for who writes and who checks it: docs/recording-security.md."""

import msgspec

FORMAT = "branchline-bundle 1"
MANIFEST, SIGNATURE, KEY = "manifest.json", "manifest.sig", "public-key.pem"
METADATA, CHAIN, README = "metadata.json", "chain.json", "README.txt"
FOLDER = "recordings/"                            # of the audio


class Member(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    octets: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Signed as its octets are. Names all members but itself and its signature."""

    format: str
    bundle: str                                   # 32 hexadecimal digits, as the chain's "exported" has it
    made_at_ms: int
    by: str
    why: str
    fingerprint: str                              # SHA-256 of the public key's 32 octets
    members: list[Member]


class Facts(msgspec.Struct, frozen=True):
    """What the check reads of a recording's facts; there are more."""

    recording: str
    file: str
    sha256: str


class ChainedEntry(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    at_ms: int
    kind: str
    recording: str
    by: str
    data: str                                     # JSON, to the octet as the link was made from it


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Payload hashes of entries in a row; the last of them is at a signed head."""

    first_seq: int
    before: str                                   # the link in front of the first
    payloads: list[str]


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    at_ms: int
    link: str
    signature: str


class BundleChain(msgspec.Struct, frozen=True, kw_only=True):
    entries: list[ChainedEntry]                   # all there are of these recordings
    runs: list[Run]
    heads: list[SignedHead]                       # from the first entry on; the last is of this export
