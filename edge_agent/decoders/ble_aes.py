"""AES-128: one block, and CCM decryption. Pure Python: adverts with a key are few, a Pi is fast.

Written from FIPS 197 and NIST SP 800-38C. It is not constant in time: keys are not to be
guarded against somebody who measures this process.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

BLOCK = 16
_ROUNDS = 10


def _double(value: int) -> int:
    """Multiplied by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    return (value << 1 ^ 0x11B) & 0xFF if value & 0x80 else value << 1


def _sbox() -> bytes:
    """Inverse in GF(2^8) by powers of the generator 3, then the affine map."""
    powers = [1]
    for _ in range(254):
        powers.append(powers[-1] ^ _double(powers[-1]))
    box = bytearray(256)
    box[0] = 0x63
    for exponent, value in enumerate(powers):
        inverse = powers[-exponent % 255]
        mixed = 0
        for shift in range(5):
            mixed ^= inverse << shift
        box[value] = (mixed & 0xFF) ^ (mixed >> 8) ^ 0x63
    return bytes(box)


_SBOX = _sbox()


def _tables() -> tuple[tuple[int, ...], ...]:
    """SubBytes and MixColumns in one look-up: what a byte in each row adds to its column."""
    first = []
    for byte in _SBOX:
        double = _double(byte)
        first.append(double << 24 | byte << 16 | byte << 8 | double ^ byte)
    rows = [tuple(first)]
    for _ in range(3):
        rows.append(tuple(value >> 8 | (value & 0xFF) << 24 for value in rows[-1]))
    return tuple(rows)


_ROW_0, _ROW_1, _ROW_2, _ROW_3 = _tables()


@lru_cache(maxsize=4096)  # two a person, where keys are printed either way round
def _expand(key: bytes) -> tuple[int, ...]:
    """The eleven round keys, four words each."""
    if len(key) != BLOCK:
        raise ValueError(f"an AES-128 key has 16 bytes, not {len(key)}")
    words = [key[i : i + 4] for i in range(0, BLOCK, 4)]
    constant = 1
    for index in range(4, 4 * (_ROUNDS + 1)):
        word = words[-1]
        if index % 4 == 0:
            turned = word[1:] + word[:1]
            word = bytes(_SBOX[byte] for byte in turned)
            word = bytes((word[0] ^ constant,)) + word[1:]
            constant = _double(constant)
        words.append(_xor(word, words[index - 4]))
    return tuple(int.from_bytes(word, "big") for word in words)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """AES-128 of one block of 16 bytes. Raises ValueError for other lengths."""
    if len(block) != BLOCK:
        raise ValueError(f"a block has 16 bytes, not {len(block)}")
    keys = _expand(bytes(key))
    a, b, c, d = (int.from_bytes(block[4 * n : 4 * n + 4], "big") ^ keys[n] for n in range(4))
    for at in range(4, 4 * _ROUNDS, 4):
        a, b, c, d = (
            _column(a, b, c, d) ^ keys[at],
            _column(b, c, d, a) ^ keys[at + 1],
            _column(c, d, a, b) ^ keys[at + 2],
            _column(d, a, b, c) ^ keys[at + 3],
        )
    last = (_last(a, b, c, d), _last(b, c, d, a), _last(c, d, a, b), _last(d, a, b, c))
    return b"".join(
        (word ^ key_word).to_bytes(4, "big")
        for word, key_word in zip(last, keys[4 * _ROUNDS :], strict=True)
    )


def _column(a: int, b: int, c: int, d: int) -> int:
    """ShiftRows takes each row of a column from another one."""
    return _ROW_0[a >> 24] ^ _ROW_1[b >> 16 & 0xFF] ^ _ROW_2[c >> 8 & 0xFF] ^ _ROW_3[d & 0xFF]


def _last(a: int, b: int, c: int, d: int) -> int:
    """The last round mixes no columns."""
    box = _SBOX
    return box[a >> 24] << 24 | box[b >> 16 & 0xFF] << 16 | box[c >> 8 & 0xFF] << 8 | box[d & 0xFF]


def decrypt_ccm(
    key: bytes, nonce: bytes, data: bytes, tag: bytes, associated: bytes = b""
) -> bytes | None:
    """The plain text, or None when `tag` does not fit. Nonce of 7 to 13 bytes."""
    size_bytes = 15 - len(nonce)
    if not 2 <= size_bytes <= 8:
        raise ValueError(f"a nonce has 7 to 13 bytes, not {len(nonce)}")
    plain = b"".join(
        _xor(data[at : at + BLOCK], _counter_block(key, nonce, at // BLOCK + 1, size_bytes))
        for at in range(0, len(data), BLOCK)
    )
    mark = _cbc_mac(key, nonce, plain, len(tag), associated)
    expected = _xor(mark, _counter_block(key, nonce, 0, size_bytes))[: len(tag)]
    return plain if hmac.compare_digest(expected, tag) else None


def _counter_block(key: bytes, nonce: bytes, number: int, size_bytes: int) -> bytes:
    return encrypt_block(key, bytes((size_bytes - 1,)) + nonce + number.to_bytes(size_bytes, "big"))


def _cbc_mac(key: bytes, nonce: bytes, plain: bytes, tag_bytes: int, associated: bytes) -> bytes:
    size_bytes = 15 - len(nonce)
    flags = (bool(associated) << 6) | (tag_bytes - 2) // 2 << 3 | size_bytes - 1
    blocks = bytes((flags,)) + nonce + len(plain).to_bytes(size_bytes, "big")
    if associated:
        blocks += _padded(len(associated).to_bytes(2, "big") + associated)
    blocks += _padded(plain)
    state = bytes(BLOCK)
    for at in range(0, len(blocks), BLOCK):
        state = encrypt_block(key, _xor(state, blocks[at : at + BLOCK]))
    return state


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)
