"""RSA keys that nobody may believe, and signatures by them. No library makes them any more: done by arithmetic."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 in a PKCS#1 signature (RFC 8017 §9.2)."""
_RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


@dataclass(frozen=True, slots=True)
class WeakKey:
    """An RSA key of two Mersenne primes, 2^first - 1 and 2^second - 1."""

    first: int
    second: int
    exponent: int = 65537

    @property
    def modulus(self) -> int:
        """Whose bit length is first + second."""
        return (2**self.first - 1) * (2**self.second - 1)

    @property
    def size(self) -> int:
        """Bytes of a signature."""
        return (self.modulus.bit_length() + 7) // 8

    def record(self) -> bytes:
        """As published in DNS."""
        key = _der(0x30, _integer(self.modulus) + _integer(self.exponent))
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(_der(0x30, _RSA_ENCRYPTION + _der(3, b"\0" + key)))

    def sign(self, text: bytes) -> bytes:
        """A right signature over `text`."""
        totient = (2**self.first - 2) * (2**self.second - 2)
        padded = int.from_bytes(_padded(text, self.size))
        return pow(padded, pow(self.exponent, -1, totient), self.modulus).to_bytes(self.size)

    def forge(self, text: bytes) -> bytes:
        """What a verifier takes that does not look behind the hash (Bleichenbacher 2006): for exponents 1 and 3 made
        without the private key."""
        if self.exponent == 1:
            return _padded(text, self.size)
        start = b"\0\1" + b"\xff" * 8 + b"\0" + _DIGEST_INFO + hashlib.sha256(text).digest()
        wanted = int.from_bytes(start + b"\xff" * (self.size - len(start)))
        return _cube_root(wanted).to_bytes(self.size)


def _padded(text: bytes, size: int) -> bytes:
    ending = b"\0" + _DIGEST_INFO + hashlib.sha256(text).digest()
    return b"\0\1" + b"\xff" * (size - 2 - len(ending)) + ending


def _cube_root(number: int) -> int:
    """The largest number whose cube is not above `number`."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle)
    return low


def _integer(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
