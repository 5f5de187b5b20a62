from edge_agent.decoders import m100

PROTOCOL = "m100"


def test_vector(vector, check_stream, contains):
    if vector["direction"] == "reader_to_host":
        check_stream(vector, m100.Decoder)
        return
    frame = bytes.fromhex(vector["hex"])
    described = m100.describe_command(frame)
    assert contains(vector["expect"], described)
    assert m100.encode(described["command"], bytes.fromhex(described["data"])) == frame


def test_a_wrong_tag_crc_is_seen():
    data = bytes.fromhex("cf3000e280699500005009f1286992620b")
    (frame,) = m100.Decoder().feed(m100.encode(0x22, data, kind=m100.NOTICE))
    assert frame["type"] == "tag" and frame["tag_crc_ok"] is False


def test_notices_of_a_multi_poll_may_carry_its_command():
    data = bytes.fromhex("cf3000e280699500005009f1286992620a")
    (frame,) = m100.Decoder().feed(m100.encode(0x27, data, kind=m100.NOTICE))
    assert frame["epc"] == "e280699500005009f1286992"


def test_start_and_end_must_belong_together():
    frame = bytearray(m100.encode(0x28, b"\x00", kind=m100.ANSWER))
    frame[-1] = 0xDD
    assert m100.Decoder().feed(bytes(frame)) == []


def test_longest_epc_passes_and_longer_is_no_frame():
    longest = m100.encode(0x22, bytes(5 + 62), kind=m100.NOTICE)
    assert len(m100.Decoder().feed(longest)) == 1
    assert m100.Decoder().feed(m100.encode(0x22, bytes(300), kind=m100.NOTICE)) == []


def answer(command, hexadecimal):
    data = bytes.fromhex(hexadecimal)
    (frame,) = m100.Decoder().feed(m100.encode(command, data, kind=m100.ANSWER))
    return frame


def test_answers_to_queries():
    info = answer(m100.INFO, "00" + b"M100 26dBm V1.0".hex())
    assert (info["type"], info["info"], info["text"]) == ("response", 0, "M100 26dBm V1.0")
    assert answer(m100.GET_POWER, "07d0")["power_dbm"] == 20.0
    assert answer(m100.GET_REGION, "03")["region"] == 3


def test_what_a_tag_refuses():
    assert answer(m100.ERROR, "a3")["meaning"] == "the tag refuses to read: code 3"
    assert answer(m100.ERROR, "c4")["meaning"] == "the tag refuses to lock: code 4"
    assert answer(m100.ERROR, "a8")["meaning"] == "error 0xa8"


def test_a_region_is_told():
    frame = m100.encode(m100.SET_REGION, b"\x03")
    assert m100.describe_command(frame)["meaning"] == "set region eu"
