"""A dead letter keeps enough to see what a message was, and no more."""

import hashlib

from pipeline.contracts.transport import KEPT_BYTES, DeadLetter, RawMessage


def test_a_short_message_is_kept_whole():
    letter = DeadLetter.of(RawMessage("a/b", b"payload", 17), "malformed", "why")
    assert (letter.topic, letter.payload, letter.size) == ("a/b", b"payload", 7)
    assert (letter.reason, letter.detail, letter.received_us) == ("malformed", "why", 17)
    assert letter.sha256 == hashlib.sha256(b"payload").digest()


def test_a_long_message_is_cut_but_its_size_and_hash_are_of_the_whole():
    payload = bytes(KEPT_BYTES * 2)
    letter = DeadLetter.of(RawMessage("t" * 1000, payload, 17), "too_large", "d" * 1000)
    assert (len(letter.topic), len(letter.detail), len(letter.payload)) == (500, 500, KEPT_BYTES)
    assert letter.size == len(payload)
    assert letter.sha256 == hashlib.sha256(payload).digest()
