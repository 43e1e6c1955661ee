"""Sealed marks: what a device encrypts to the key of its workshop, so that only this server can read it (X7).

An envelope is ``version (1) | workshop (16) | ephemeral public key (65) | nonce (12) | ciphertext and tag``, written
in base64url. The key comes from ECDH on P-256 with a key made for this one envelope, through HKDF-SHA256; the cipher
is AES-256-GCM. Version, workshop and the id of the mark are bound to it, so that no envelope passes for another.
``service/web/static/js/mark/seal.js`` does the same in a browser.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import uuid
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.core import Core
from service.errors import InvalidInputError

VERSION: Final = 1
LABEL: Final = b"safer-places sealed mark 1"
KEY_PURPOSE: Final = "workshop-key"
ID_BYTES, POINT_BYTES, NONCE_BYTES, TAG_BYTES = 16, 65, 12, 16
HEAD_BYTES: Final = 1 + ID_BYTES + POINT_BYTES + NONCE_BYTES
PAD_BYTES: Final = 512  # the length of an envelope tells no more than how many of these a mark needed


def make_keypair(core: Core) -> tuple[str, str]:
    """Return a fresh key pair on the curve P-256, which every browser's WebCrypto knows.

    Parameters
    ----------
    core : Core
        The deployment; its secret encrypts the private key.

    Returns
    -------
    tuple of str
        The public key as raw uncompressed point (65 bytes) in base64url without padding, and the private key
        (PKCS 8) encrypted for the store.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _to_text(_point(private.public_key())), core.encrypt(KEY_PURPOSE, der)


def seal(public: str, workshop: uuid.UUID, mark_id: uuid.UUID, content: bytes) -> str:
    """Return an envelope as a device makes it.

    Parameters
    ----------
    public : str
        Public key of the workshop.
    workshop, mark_id : UUID
        What the envelope is bound to.
    content : bytes
        JSON; blanks are added to its end, so that its length says little.

    Returns
    -------
    str
        The envelope in base64url.

    Raises
    ------
    ValueError
        If ``public`` is no point of the curve.
    """
    recipient = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _to_bytes(public))
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    point, nonce = _point(ephemeral.public_key()), secrets.token_bytes(NONCE_BYTES)
    key = _key(ephemeral.exchange(ec.ECDH(), recipient), point, _to_bytes(public))
    padded = content + b" " * (-len(content) % PAD_BYTES)
    bound = bytes([VERSION]) + workshop.bytes
    ciphertext = AESGCM(key).encrypt(nonce, padded, bound + mark_id.bytes)
    return _to_text(bound + point + nonce + ciphertext)


def workshop_of(sealed: str) -> uuid.UUID:
    """Return the workshop that an envelope says it was sealed to; true only once it opens.

    Raises
    ------
    InvalidInputError
        If it is no envelope of a version known here.
    """
    return uuid.UUID(bytes=_parse(sealed)[1 : 1 + ID_BYTES])


def open_sealed(core: Core, private_sealed: str, mark_id: uuid.UUID, sealed: str) -> bytes:
    """Return the content of an envelope.

    Parameters
    ----------
    core : Core
        The deployment; its secret opens the private key.
    private_sealed : str
        Private key of the workshop, as it is stored.
    mark_id : UUID
        The mark that it came as.
    sealed : str
        The envelope.

    Returns
    -------
    bytes
        What was sealed, with blanks at the end.

    Raises
    ------
    InvalidInputError
        If it was changed, cut, sealed to another workshop or comes under another id; it does not say which.
    ValueError
        If the private key cannot be opened with this deployment's secret.
    """
    data = _parse(sealed)
    private = serialization.load_der_private_key(core.decrypt(KEY_PURPOSE, private_sealed), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    bound, rest = data[: 1 + ID_BYTES], data[1 + ID_BYTES :]
    point, nonce, ciphertext = rest[:POINT_BYTES], rest[POINT_BYTES : POINT_BYTES + NONCE_BYTES], data[HEAD_BYTES:]
    try:
        ephemeral = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        key = _key(private.exchange(ec.ECDH(), ephemeral), point, _point(private.public_key()))
        return AESGCM(key).decrypt(nonce, ciphertext, bound + mark_id.bytes)
    except (InvalidTag, ValueError) as error:
        raise _unreadable() from error


def _parse(sealed: str) -> bytes:
    try:
        data = _to_bytes(sealed)
    except (binascii.Error, ValueError) as error:
        raise _unreadable() from error
    if len(data) < HEAD_BYTES + TAG_BYTES or data[0] != VERSION:
        raise _unreadable()
    return data


def _unreadable() -> InvalidInputError:
    return InvalidInputError("This sealed mark cannot be opened here: it was damaged, or made for another workshop.")


def _key(shared: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=ephemeral + recipient, info=LABEL).derive(shared)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _to_bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
