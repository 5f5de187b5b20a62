"""The small JSON messages: bounds of their fields, and what a sender may not get wrong."""

import json
import math

import pytest

from pipeline.contracts.codec import decode_json, encode_json
from pipeline.contracts.errors import MessageError
from pipeline.contracts.examples import EXAMPLES
from pipeline.contracts.messages import Ack, AlertPlace


def changed(name, **fields):
    message = EXAMPLES[name][0]
    text = json.dumps(json.loads(encode_json(message)) | fields)
    return decode_json(type(message), text.encode())


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("ack", "sequence", 0),
        ("ack", "sequence", 2**63 - 1),
        ("gateway-status", "readers", []),
        ("gateway-status", "counters", {f"c{n}": n for n in range(256)}),
        ("alert", "evidence", {"any": [{"thing": None}]}),
        ("alert", "reason", "x" * 500),
        ("alert-acknowledgement", "note", None),
        ("scan", "tag", "epc:e280"),
    ],
)
def test_at_the_bounds(name, field, value):
    assert getattr(changed(name, **{field: value}), field) == value


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("ack", "sequence", -1),
        ("ack", "sequence", 2**63),
        ("ack", "sequence", "1"),
        ("ack", "extra", 1),
        ("gateway-status", "state", "ONLINE"),
        ("gateway-status", "readers", [{"name": "a", "kind": "b", "state": "running"}] * 257),
        ("gateway-status", "readers", [{"name": "a", "kind": "b"}]),
        ("gateway-status", "counters", {f"c{n}": n for n in range(257)}),
        ("gateway-status", "counters", {"Upper": 1}),
        ("gateway-status", "counters", {"half": 0.5}),
        ("gateway-status", "version", "x" * 64),
        ("alert", "revision", 0),
        ("alert", "alert_id", "3d6f0a52"),
        ("alert", "severity", "critical"),
        ("alert", "late", 0),
        ("alert", "reason", "x" * 501),
        ("alert-acknowledgement", "by", ""),
        ("alert-acknowledgement", "at", 1_772_436_601),
        ("scan", "method", "qr"),
        ("scan", "tag", "no scheme"),
    ],
)
def test_beyond_the_bounds(name, field, value):
    with pytest.raises(MessageError) as caught:
        changed(name, **{field: value})
    assert caught.value.reason == "malformed"
    assert field in caught.value.detail


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"1", b'"ack"', b"{}", b"{}{}"])
def test_what_is_no_object_or_an_empty_one(text):
    with pytest.raises(MessageError, match="malformed"):
        decode_json(Ack, text)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_sent_as_null(number):
    """JSON has no word for it, and a consumer's parser would refuse the whole alert."""
    place = AlertPlace(building="main", x_m=number)
    alert = EXAMPLES["alert"][0].model_copy(update={"place": place, "evidence": {"share": number}})
    sent = json.loads(encode_json(alert), parse_constant=pytest.fail)
    assert sent["place"]["x_m"] is None
    assert sent["evidence"] == {"share": None}
    assert decode_json(type(alert), encode_json(alert)).place.x_m is None
