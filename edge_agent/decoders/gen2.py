"""EPC Gen2 tag data: PC word, EPC and the tag's own CRC."""

from __future__ import annotations

import binascii


def tag_crc(pc_and_epc: bytes) -> int:
    """CRC-16 of a Gen2 tag: polynomial 0x1021, start and final XOR 0xFFFF."""
    return binascii.crc_hqx(pc_and_epc, 0xFFFF) ^ 0xFFFF


def epc_bytes(pc: bytes) -> int:
    """Bytes of EPC that the PC word announces (bits 15..11 count words)."""
    return (pc[0] >> 3) * 2
