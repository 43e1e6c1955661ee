"""Sealed envelopes: what opens, what does not, and the same result by hand from the bare parts (RFC 5869)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.core import Core
from service.errors import InvalidInputError
from service.settings import Settings
from service.workshops.sealing import make_keypair, open_sealed, seal, workshop_of

WORKSHOP = uuid.UUID("11111111-1111-4111-8111-111111111111")
OTHER = uuid.UUID("22222222-2222-4222-8222-222222222222")
MARK = uuid.UUID("33333333-3333-4333-8333-333333333333")
CONTENT = b'{"note":"too dark by the steps"}'
pytestmark = pytest.mark.requirement("X7")


class Keys(NamedTuple):
    public: str
    private_sealed: str


def core_with(secret: bytes) -> Core:
    return Core(Settings(data_dir=Path("unused")), None, "real", "E09000023", "Lewisham", secret)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def core() -> Core:
    return core_with(b"s" * 32)


@pytest.fixture(scope="module")
def keys(core: Core) -> Keys:
    return Keys(*make_keypair(core))


def raw(text: str) -> bytearray:
    return bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def text(data: bytes | bytearray) -> str:
    return base64.urlsafe_b64encode(bytes(data)).decode().rstrip("=")


def test_what_was_sealed_opens_again(core: Core, keys: Keys) -> None:
    sealed = seal(keys.public, WORKSHOP, MARK, CONTENT)
    assert open_sealed(core, keys.private_sealed, MARK, sealed).rstrip() == CONTENT
    assert workshop_of(sealed) == WORKSHOP
    assert CONTENT not in raw(sealed)


def test_two_envelopes_of_one_content_share_nothing_but_version_and_workshop(keys: Keys) -> None:
    one, two = (raw(seal(keys.public, WORKSHOP, MARK, CONTENT)) for _ in range(2))
    assert one[:17] == two[:17] == b"\x01" + WORKSHOP.bytes
    assert one[18:82] != two[18:82]  # the ephemeral key, after its leading 4
    assert one[94:] != two[94:]


def test_length_tells_only_in_steps(keys: Keys) -> None:
    lengths = {len(raw(seal(keys.public, WORKSHOP, MARK, b"x" * size))) for size in (1, 100, 512)}
    assert lengths == {94 + 512 + 16}  # head, one step, tag
    assert len(raw(seal(keys.public, WORKSHOP, MARK, b"x" * 513))) == 94 + 1024 + 16


def test_envelope_follows_from_the_bare_parts(core: Core, keys: Keys) -> None:
    """ECDH by the library, HKDF by its definition (extract, then one block of expand), AES-GCM by the library."""
    private = serialization.load_der_private_key(core.decrypt("workshop-key", keys.private_sealed), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    data = bytes(raw(seal(keys.public, WORKSHOP, MARK, CONTENT)))
    point, nonce = data[17:82], data[82:94]
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
    extracted = hmac.new(point + bytes(raw(keys.public)), shared, hashlib.sha256).digest()
    key = hmac.new(extracted, b"safer-places sealed mark 1\x01", hashlib.sha256).digest()
    bound = b"\x01" + WORKSHOP.bytes + MARK.bytes
    assert AESGCM(key).decrypt(nonce, data[94:], bound).rstrip() == CONTENT


@pytest.mark.parametrize("at", [0, 1, 16, 17, 18, 81, 82, 93, 94, -17, -1])
def test_one_changed_bit_anywhere_does_not_open(core: Core, keys: Keys, at: int) -> None:
    data = raw(seal(keys.public, WORKSHOP, MARK, CONTENT))
    data[at] ^= 1
    with pytest.raises(InvalidInputError):
        open_sealed(core, keys.private_sealed, MARK, text(data))


@pytest.mark.parametrize("length", [0, 1, 17, 93, 94, 109, 110, 600])
def test_cut_envelope_does_not_open(core: Core, keys: Keys, length: int) -> None:
    data = raw(seal(keys.public, WORKSHOP, MARK, CONTENT))[:length]
    with pytest.raises(InvalidInputError):
        open_sealed(core, keys.private_sealed, MARK, text(data))


@pytest.mark.parametrize("junk", ["", "!", "ä", "AAAA", "A" * 5000, "\udcff"])
def test_junk_is_refused_without_a_crash(core: Core, keys: Keys, junk: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_sealed(core, keys.private_sealed, MARK, junk)
    assert junk not in str(caught.value) or not junk.strip("!")


def test_other_id_other_workshop_and_other_key_do_not_open(core: Core, keys: Keys) -> None:
    sealed = seal(keys.public, WORKSHOP, MARK, CONTENT)
    moved = raw(sealed)
    moved[1:17] = OTHER.bytes
    for private, mark, envelope in (
        (keys.private_sealed, OTHER, sealed),
        (keys.private_sealed, MARK, text(moved)),
        (make_keypair(core)[1], MARK, sealed),
    ):
        with pytest.raises(InvalidInputError):
            open_sealed(core, private, mark, envelope)


def test_private_key_needs_the_secret_of_the_deployment(keys: Keys) -> None:
    sealed = seal(keys.public, WORKSHOP, MARK, CONTENT)
    with pytest.raises(ValueError, match="secret"):
        open_sealed(core_with(b"t" * 32), keys.private_sealed, MARK, sealed)
    assert len(keys.private_sealed) <= 1000
    assert len(keys.public) <= 500
