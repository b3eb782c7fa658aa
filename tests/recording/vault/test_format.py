"""docs/recording-security.md, followed by hand: what somebody else's reader would do, without our own."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from appliance.bus.messages import ExportRecordings
from appliance.recording.vault.requests import ANSWERS
from tests.recording.vault.box import Box

AUDIO = bytes(range(256)) * 600                   # three chunks


def number(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def unsealed(octets: bytes, wrapping_key: bytes) -> bytes:
    """By the box's key, or what a passphrase gives with the parameters at 22."""
    assert octets[:16] == b"BLSEALED" + bytes.fromhex("0001 0600 00010000")
    assert octets[512:516] == bytes([0, 0, 0, 1])
    assert octets[1024:1536] == bytes(512)
    wrapped = octets[534:534 + number(octets[532:534])][-40:]
    cipher, body, plain = AESGCM(aes_key_unwrap(wrapping_key, wrapped)), octets[1536:], b""
    count = -(-len(body) // 65552)
    for at in range(count):
        nonce = at.to_bytes(11, "big") + bytes([at == count - 1])
        plain += cipher.decrypt(nonce, body[at * 65552:(at + 1) * 65552], octets[:512])
    return plain


def payload(entry: dict[str, object]) -> bytes:
    fields = [str(entry[name]).encode() for name in ("seq", "at_ms", "kind", "recording", "by", "data")]
    return hashlib.sha256(b"".join(str(len(one)).encode() + b":" + one + b"," for one in fields)).digest()


def test_a_recording_opens_with_the_boxs_key(box: Box) -> None:
    name = box.record(1, AUDIO)
    octets = next(box.parts.folder.glob(f"*/*/*/{name}.blr")).read_bytes()
    assert octets[16:32].hex() == name
    assert json.loads(octets[34:34 + number(octets[32:34])]) == {"format": "wav"}
    ring, = (box.parts.folder / "keys").glob("0*.key")
    key = ring.read_bytes()
    assert key[32:].hex() == hashlib.sha256(b"branchline key\n" + key[:32]).hexdigest()[:32] == ring.stem[7:]
    assert octets[516:532] == key[32:]
    assert unsealed(octets, key[:32]) == AUDIO


def test_a_sealed_bundle_opens_and_its_chain_leads_to_a_signed_head(box: Box) -> None:
    names = [box.record(one, AUDIO) for one in (1, 2)]
    box.say("listened", f"{9:032x}", "王")
    made = ANSWERS[ExportRecordings](box.parts, ExportRecordings(
        recordings=names, by="li", why="dispute", passphrase="correct horse 京"))
    sealed = Path(made.path).read_bytes()         # type: ignore[attr-defined]
    version, memory, passes, lanes = sealed[534], number(sealed[535:539]), sealed[539], sealed[540]
    assert (version, memory, passes, lanes, sealed[516:532]) == (1, 65536, 3, 4, bytes(16))
    key = Argon2id(salt=sealed[541:557], length=32, iterations=passes, lanes=lanes,
                   memory_cost=memory).derive("correct horse 京".encode())
    with zipfile.ZipFile(io.BytesIO(unsealed(sealed, key))) as archive:
        chain = json.loads(archive.read("chain.json"))
        public = Ed25519PublicKey.from_public_bytes(box.parts.keys.public_key)
        public.verify(archive.read("manifest.sig"), archive.read("manifest.json"))
        assert json.loads(archive.read("metadata.json"))["recordings"][1]["sha256"] == hashlib.sha256(
            archive.read(f"recordings/{names[1]}.wav")).hexdigest()
    entries = {entry["seq"]: entry for entry in chain["entries"]}
    run, = chain["runs"]
    link, seq = bytes.fromhex(run["before"]), run["first_seq"] - 1
    assert (link, seq) == (bytes(32), 0)
    for hashed in run["payloads"]:
        seq += 1
        assert seq not in entries or hashed == payload(entries[seq]).hex()
        link = hashlib.sha256(link + bytes.fromhex(hashed)).digest()
    head = chain["heads"][-1]
    assert (head["seq"], head["link"]) == (seq, link.hex())
    public.verify(bytes.fromhex(head["signature"]),
                  f"branchline chain head 1\n{seq}\n{head['at_ms']}\n{link.hex()}\n".encode())
    assert sorted(entries) == [1, 2, 4, 5]
