import pytest

from edge_agent.decoders import ble_rpa

IRK = bytes.fromhex("ec0234a357c8ad05341010a60a397d9b")
ADDRESS = "70:81:94:0D:FB:AA"


@pytest.mark.parametrize(
    "first, kind",
    [(0x00, "non_resolvable"), (0x7F, "resolvable"), (0x80, "reserved"), (0xC0, "static")],
)
def test_kinds_by_the_top_bits(first, kind):
    assert ble_rpa.address_kind(bytes((first, 0, 0, 0, 0, 0))) == kind


def test_a_key_printed_the_other_way_round_is_told():
    frame = ble_rpa.decode(ADDRESS, IRK[::-1])
    assert (frame["match"], frame["match_reversed"]) == (False, True)


def test_without_a_key_there_is_no_verdict():
    frame = ble_rpa.decode(ADDRESS, None)
    assert frame["resolvable"] is True and frame["match"] is None


@pytest.mark.parametrize("address", ["", "70:81", "9A5C5C5E-0000-0000-0000-000000000000", "zz" * 6])
def test_what_is_no_address(address):
    assert ble_rpa.decode(address, IRK) is None
    assert ble_rpa.Resolver({"a": IRK}).name_of(address) is None


@pytest.mark.parametrize("irk", [IRK, IRK[::-1]])
def test_the_resolver_finds_the_owner(irk):
    resolver = ble_rpa.Resolver({"other": bytes(16), "ward phone": irk})
    for _ in range(2):  # the second answer comes from memory
        assert resolver.name_of(ADDRESS) == "ward phone"
        assert resolver.name_of("40:02:03:D2:74:CE") == "other"
        assert resolver.name_of("70:81:94:0D:FB:AB") is None
    assert resolver.name_of("F0:81:94:0D:FB:AA") is None


def test_the_resolver_forgets_before_it_grows_without_bound(monkeypatch):
    monkeypatch.setattr(ble_rpa, "_MEMORY", 2)
    resolver = ble_rpa.Resolver({"a": IRK})
    for number in range(5):
        resolver.name_of(f"40:00:00:00:00:{number:02x}")
    assert resolver.name_of(ADDRESS) == "a" and len(resolver._owners) <= 2


def test_a_key_of_the_wrong_length_is_refused_by_name():
    with pytest.raises(ValueError, match="key of ward phone has 15 bytes"):
        ble_rpa.Resolver({"ward phone": bytes(15)})
