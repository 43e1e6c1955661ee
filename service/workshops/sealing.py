"""The key pair of a workshop: devices seal marks to the public half, the private one never leaves the server (X7)."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.core import Core

PURPOSE = "workshop-key"


def make_keypair(core: Core) -> tuple[str, str]:
    """Return a fresh ECDH key pair on the curve P-256, which every browser's WebCrypto knows.

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
    point = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    plain = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return base64.urlsafe_b64encode(point).decode().rstrip("="), core.encrypt(PURPOSE, plain)
