import pytest

from edge_agent.decoders import crc16


def bit_by_bit(message):
    """Mercury's check as its text describes it."""
    register = 0xFFFF
    for byte in message:
        for bit in range(7, -1, -1):
            top = register & 0x8000
            register = (register << 1 | byte >> bit & 1) & 0xFFFF
            register ^= 0x1021 if top else 0
    return register


@pytest.mark.parametrize("message", [b"\x00\x03", b"\x01\x97\x02", bytes(range(200)), b"\xff" * 9])
def test_mercury_equals_its_description(message):
    assert crc16.mercury(message) == bit_by_bit(message)


def test_mercury_of_a_published_frame():
    frame = bytes.fromhex(
        "ff2822000010001b01ff0101c4110e16400000012700000500000f0080"
        "3000000000000000000000001545e94a561d"
    )
    assert crc16.mercury(frame[1:-2]) == 0x561D


def test_check_values():
    assert crc16.ccitt_false(b"123456789") == 0x29B1
    assert crc16.reflected(b"123456789") == 0x6F91  # as CRC-16/MCRF4XX is catalogued
