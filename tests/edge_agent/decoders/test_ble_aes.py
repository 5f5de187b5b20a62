"""Vectors of FIPS 197 (appendices B and C.1) and NIST SP 800-38C (examples 1 to 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders import ble_aes


@pytest.mark.parametrize(
    "key, plain, cipher",
    [
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "3243f6a8885a308d313198a2e0370734",
            "3925841d02dc09fbdc118597196a0b32",
        ),
        (
            "000102030405060708090a0b0c0d0e0f",
            "00112233445566778899aabbccddeeff",
            "69c4e0d86a7b0430d8cdb78070b4c55a",
        ),
    ],
)
def test_one_block(key, plain, cipher):
    assert ble_aes.encrypt_block(bytes.fromhex(key), bytes.fromhex(plain)).hex() == cipher


KEY = bytes(range(0x40, 0x50))
EXAMPLES = [
    (bytes(range(0x10, 0x17)), bytes(8), "7162015b", "4dac255d"),
    (bytes(range(0x10, 0x18)), bytes(16), "d2a1f0e051ea5f62081a7792073d593d", "1fc64fbfaccd"),
    (
        bytes(range(0x10, 0x1C)),
        bytes(20),
        "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5",
        "484392fbc1b09951",
    ),
]


@pytest.mark.parametrize("nonce, associated, cipher, tag", EXAMPLES)
def test_ccm(nonce, associated, cipher, tag):
    data, mark = bytes.fromhex(cipher), bytes.fromhex(tag)
    associated = bytes(range(len(associated)))
    plain = bytes(range(0x20, 0x20 + len(data)))
    assert ble_aes.decrypt_ccm(KEY, nonce, data, mark, associated) == plain
    assert ble_aes.decrypt_ccm(KEY, nonce, data, bytes(len(mark)), associated) is None
    assert ble_aes.decrypt_ccm(KEY, nonce, data, mark, associated + b"\0") is None


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="16 bytes, not 15"):
        ble_aes.encrypt_block(bytes(15), bytes(16))
    with pytest.raises(ValueError, match="16 bytes, not 17"):
        ble_aes.encrypt_block(bytes(16), bytes(17))
    for size in (6, 14):
        with pytest.raises(ValueError, match="7 to 13"):
            ble_aes.decrypt_ccm(KEY, bytes(size), b"", bytes(4))


@given(st.binary(max_size=40), st.binary(min_size=4, max_size=4))
def test_a_random_tag_is_never_taken_for_another_text(data, tag):
    plain = ble_aes.decrypt_ccm(KEY, bytes(13), data, tag)
    assert plain is None or len(plain) == len(data)
