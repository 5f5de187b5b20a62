from edge_agent.decoders.ble_bthome_order import AdvertOrder


def sealed(counter, *values):
    return {"encrypted": True, "counter": counter, "values": list(values)}


def plain(packet=None):
    return {"encrypted": False, "values": [] if packet is None else [["packet_id", packet]]}


def test_counters_only_go_forward():
    order = AdvertOrder()
    seen = [order.is_new("a", sealed(counter), 0.0) for counter in (5, 6, 6, 5, 9)]
    assert seen == [True, True, False, False, True]
    assert order.is_new("b", sealed(5), 0.0)


def test_a_restart_or_a_long_silence_allows_a_lower_counter():
    order = AdvertOrder(restart_fall=100, forget_s=60.0)
    assert order.is_new("a", sealed(500), 0.0)
    assert not order.is_new("a", sealed(450), 1.0)
    assert order.is_new("a", sealed(0), 2.0)
    assert order.is_new("a", sealed(50), 3.0)
    assert not order.is_new("a", sealed(49), 4.0)
    assert order.is_new("a", sealed(49), 70.0)


def test_repeated_packets_are_one():
    order = AdvertOrder()
    seen = [order.is_new("a", plain(packet), 0.0) for packet in (1, 1, 2, 1)]
    assert seen == [True, False, True, True]
    assert order.is_new("a", plain(1), 31.0)
    assert order.is_new("a", plain(), 31.0) and order.is_new("a", plain(), 31.0)


def test_what_could_not_be_decrypted_is_nothing_new():
    assert not AdvertOrder().is_new("a", sealed(1) | {"error": "mic"}, 0.0)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("edge_agent.decoders.ble_bthome_order._MEMORY", 2)
    order = AdvertOrder()
    for number in range(9):
        assert order.is_new(str(number), sealed(1), 0.0)
    assert len(order._counters) <= 2
