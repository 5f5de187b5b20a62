"""Whatever comes in, it is a message or a MessageError, in bounded time and memory."""

import json
import random
import subprocess
import sys
import textwrap
from pathlib import Path

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.contracts.codec import decode_batch, decode_json, encode_batch, encode_json
from pipeline.contracts.errors import MessageError
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.messages import Ack, GatewayStatus
from pipeline.contracts.reads import ReadBatch

PACKED = encode_batch(EXAMPLES["read-batch"][0])
ROWS = encode_json(EXAMPLES["read-batch-rows"][0])
STATUS = encode_json(EXAMPLES["gateway-status"][0])
VERSION = b"\xaeschema_version"


def reason(payload):
    with pytest.raises(MessageError) as caught:
        decode_batch(payload)
    assert caught.value.detail.isprintable() and len(caught.value.detail) <= 300
    return caught.value.reason


def survives(payload):
    for decode in (decode_batch, lambda p: decode_json(GatewayStatus, p)):
        try:
            decode(payload)
        except MessageError as error:
            assert error.reason in ("empty", "malformed", "wrong_version")


@pytest.mark.parametrize("whole", [PACKED, ROWS], ids=["messagepack", "json"])
def test_truncated_anywhere(whole):
    assert reason(b"") == "empty"
    for length in range(1, len(whole)):
        assert reason(whole[:length]) in ("malformed", "wrong_version")


@pytest.mark.parametrize("whole", [PACKED, ROWS, STATUS], ids=["messagepack", "json", "status"])
def test_one_byte_changed(whole):
    dice = random.Random(1)
    for position in range(len(whole)):
        for _ in range(3):
            changed = bytearray(whole)
            changed[position] = dice.randrange(256)
            survives(bytes(changed))


@settings(deadline=None, max_examples=500)
@given(payload=st.binary(max_size=200))
@example(b"\xef\xbb\xbf" + ROWS)
@example(ROWS.decode().encode("utf-16"))
def test_random_bytes(payload):
    survives(payload)
    survives(b"{" + payload)
    survives(b"\x81" + VERSION + b"\x01" + payload)
    survives(b"\x82" + VERSION + b"\x01" + payload)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
    | st.binary() | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=9)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.binary(), inner),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(name=st.sampled_from(sorted(ReadBatch.model_fields)), value=PLAIN)
def test_any_value_in_any_field(name, value):
    survives(msgpack.packb(EXAMPLES["read-batch"][0].model_dump() | {name: value}))


@settings(deadline=None)
@given(key=st.text() | st.binary() | st.integers(0, 9) | st.none(), value=PLAIN)
def test_any_key_more(key, value):
    fields = EXAMPLES["read-batch"][0].model_dump()
    if key not in fields:
        assert reason(msgpack.packb(fields | {key: value})) == "malformed"


@pytest.mark.parametrize("depth", [10, 500, 900, 1000, 1015, 1023, 1024, 100_000])
def test_deep_nesting(depth):
    """A list in a list in a list: its repr alone exceeds the recursion limit."""
    deep = b"\x91" * depth
    assert reason(b"\x81" + VERSION + deep + b"\x01") in ("wrong_version", "malformed")
    assert reason(b"\x82" + VERSION + b"\x01\xa4tags" + deep + b"\x01") == "malformed"
    assert reason(deep + b"\x01\x01") == "malformed"  # and something behind it
    for whole in (b"[" * depth, b'{"reads":' + b"[" * depth + b"]" * depth + b"}"):
        assert reason(b'{"schema_version":' + whole) == "malformed"
        survives(whole)


@pytest.mark.parametrize(
    "declared",
    ["df ffffffff", "de ffff", "dd ffffffff", "dc ffff", "c6 ffffffff", "db ffffffff"],
)
def test_a_length_that_is_not_there(declared):
    declared = bytes.fromhex(declared)
    assert reason(declared) == "malformed"
    assert reason(b"\x82" + VERSION + b"\x01\xa4tags" + declared) == "malformed"


def test_keys_that_are_no_strings():
    for key in (b"\x01", b"\xc0", b"\x90", b"\x80", b"\xca\x00\x00\x00\x00", b"\xd4\x01\x00"):
        assert reason(b"\x82" + VERSION + b"\x01" + key + b"\x01") == "malformed"


def test_extension_types():
    for extension in (b"\xd4\x01\x00", b"\xd6\xff\x00\x00\x00\x00", b"\xc7\x00\x05"):
        assert reason(extension) == "malformed"
        assert reason(b"\x82" + VERSION + b"\x01\xa8start_us" + extension) == "malformed"
        assert reason(b"\x81" + VERSION + extension) == "wrong_version"


def test_of_a_key_that_comes_twice_the_last_counts_in_messagepack():
    twice = bytes([*PACKED[:2], PACKED[2] + 1]) + PACKED[3:] + b"\xa8sequence\xcd\x10\x00"
    assert decode_batch(twice).sequence == 0x1000


def test_a_key_that_comes_twice_is_refused_in_json():
    """A database that keeps the text as it came may see the other one."""
    inside = ROWS.replace(b'{"synchronised":', b'{"synchronised":false,"synchronised":')
    assert reason(b'{"gateway":"g2",' + ROWS[1:]) == reason(inside) == "malformed"


def test_a_zero_character_is_refused_in_json():
    text = STATUS.replace(b"the port", rb"the\u0000port")
    assert text != STATUS
    with pytest.raises(MessageError, match="zero character"):
        decode_json(GatewayStatus, text)


def test_the_senders_own_zero_characters_are_replaced():
    reader = EXAMPLES["gateway-status"][0].readers[1]
    dirty = type(reader)(name="door", kind="r2000", state="failed", error="\0port\0")
    assert dirty.error == "\ufffdport\ufffd"


@pytest.mark.parametrize("bad", [rb"\ud800", rb"\udc00\ud800", b"\xed\xa0\x80", b"\xff", b"\x00"])
def test_strings_that_are_no_unicode(bad):
    assert reason(ROWS.replace(b"icu-1", bad)) == "malformed"
    assert reason(PACKED.replace(b"\xa5icu-1", bytes([0xA0 + len(bad)]) + bad)) == "malformed"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
@pytest.mark.parametrize("field", ["rssi_dbm", "peak_dbm", "count", "at"])
def test_numbers_that_are_none(constant, field):
    rows = json.loads(ROWS)
    rows["reads"][0][field] = "here"
    assert reason(json.dumps(rows).replace('"here"', constant).encode()) == "malformed"


def test_the_text_of_a_refusal_is_one_line():
    """It goes to the log and the database; the key comes from outside."""
    status = json.loads(STATUS)
    status["clock"]["a\nb\x1b[31m"] = 1
    with pytest.raises(MessageError) as caught:
        decode_json(GatewayStatus, json.dumps(status).encode())
    assert caught.value.detail.isprintable()


BOMBS = """
    many, mib = 340_000, 1 << 20
    maps = b"\\xdd" + (mib - 64).to_bytes(4, "big") + b"\\x80" * (mib - 64)
    version = b"\\xaeschema_version\\x01"
    strange = b'{"a":1,"b":1,"c":1,"d":1},' * 38_000
    keys = b"".join(b'"+%x":1,' % n for n in range(90_000))
    bombs = [
        maps,
        b"\\x82" + version + b"\\xa4tags" + maps,
        b"\\x82" + version + b"\\xa4kind\\xc6" + (mib - 64).to_bytes(4, "big") + bytes(mib - 64),
        b"\\xdf\\x00\\x01\\x00\\x00" + b"".join(b"\\xa5%05d\\x01" % n for n in range(65_536)),
        b'{"x":[' + b"{}," * many + b"{}]}",
        b'{"reads":[' + b"{}," * many + b"{}]}",
        b'{"reads":[' + strange + b"{}]}",
        b'{"clock":{"x":[' + b"{}," * many + b"{}]}}",
        b"{" + keys + b'"z":1}',
        b'{"sequence":' + b"9" * 1_000_000 + b"}",
        ROWS.replace(b'"reads":[', b'"reads":[' + strange),
        ROWS.replace(b'"sensors":[]', b'"sensors":[' + strange[:-1] + b']'),
        ROWS.replace(b'"clock":{', b'"clock":{' + keys),
        STATUS.replace(b'"readers":[', b'"readers":[' + strange),
        STATUS.replace(b'"counters":{"b', b'"counters":{' + keys + b'"b'),
        STATUS.replace(b'"counters":{"a', b'"counters":{' + keys + b'"a'),
        b"[" * mib,
        b'"' * mib,
    ]
"""


def test_bombs():
    """A megabyte cannot make us take more than 128 MiB (the limit of a process of its own)."""
    program = (
        f"ROWS, STATUS = {ROWS}, {STATUS}"
        + textwrap.dedent(BOMBS)
        + textwrap.dedent("""
        import resource
        from pipeline.contracts.codec import decode_batch, decode_json
        from pipeline.contracts.errors import MessageError
        from pipeline.contracts.messages import Ack, GatewayStatus
        with open("/proc/self/statm") as statm:
            limit = int(statm.read().split()[0]) * resource.getpagesize() + (128 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        decoders = [decode_batch]
        decoders += [lambda p, m=model: decode_json(m, p) for model in (Ack, GatewayStatus)]
        refused = 0
        for bomb in bombs:
            assert len(bomb) <= mib + 16, len(bomb)
            for decode in decoders:
                try:
                    decode(bomb)
                except MessageError as error:
                    assert "MemoryError" not in error.detail, error.detail
                    refused += 1
        print(refused == len(bombs) * len(decoders))
    """)
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(pipeline.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (found.stdout.strip(), found.stderr[-2000:]) == ("True", "")


def test_an_ack_of_another_version():
    text = encode_json(EXAMPLES["ack"][0]).replace(b'"schema_version":1', b'"schema_version":2')
    with pytest.raises(MessageError) as caught:
        decode_json(Ack, text)
    assert caught.value.reason == "wrong_version"
