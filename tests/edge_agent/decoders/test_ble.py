import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decoders import ble

DECODERS = {
    "ble_ibeacon": ble.decode_ibeacon,
    "ble_altbeacon": ble.decode_altbeacon,
    "ble_eddystone": ble.decode_eddystone,
}
PROTOCOL = tuple(DECODERS)
IBEACON = bytes.fromhex("0215e2c56db5dffb48d2b060d0f5a71096e000640000c5")
ALTBEACON = bytes.fromhex("beacd3162f5af3ee494799db09756062d0fc005a0005c400")
UID = bytes.fromhex("00e3123456789012346789010000000000010000")
TLM = bytes.fromhex("20000b1813000000146700002ac4")


def name(address="C4:A1:38:00:00:01", kind="random", company=None, service=None, random=False):
    return ble.identity(
        address=address,
        address_type=kind,
        manufacturer_data=company or {},
        service_data={ble.EDDYSTONE: service} if service else {},
        forward_random=random,
    )


def test_vector(vector, contains):
    got = DECODERS[vector["protocol"]](bytes.fromhex(vector["hex"]))
    if "decoded" in vector["expect"]:
        assert got is None
    else:
        assert contains(vector["expect"], got)


def test_names():
    ibeacon = "ibeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0/100/0"
    assert name(company={76: IBEACON}) == ibeacon
    assert name(service=UID) == "eddystone:12345678901234678901/000000000001"
    assert name(company={0xFFFF: ALTBEACON}) == "altbeacon:d3162f5af3ee494799db09756062d0fc005a0005"
    assert name() == "ble:c4a138000001"


def test_one_advertisement_has_one_name_by_preference():
    assert name(company={76: IBEACON, 280: ALTBEACON}, service=UID).startswith("ibeacon:")
    assert name(company={280: ALTBEACON}, service=UID).startswith("eddystone:")
    assert name(company={76: b"\x10\x05\x44\x1c\xbd\x08\xc5", 280: ALTBEACON}).startswith("altb")
    assert name(service=TLM) == "ble:c4a138000001"


@pytest.mark.parametrize(
    "address, kind, lasting",
    [
        ("C4:A1:38:00:00:01", "public", True),
        ("44:A1:38:00:00:01", "public", True),
        ("44:A1:38:00:00:01", None, True),
        ("FF:A1:38:00:00:01", "random", True),
        ("C0:A1:38:00:00:01", "random", True),
        ("70:81:94:0D:FB:AA", "random", False),
        ("00:01:FF:A0:3A:76", "random", False),
        ("80:01:FF:A0:3A:76", "random", False),
    ],
)
def test_only_lasting_addresses_are_names(address, kind, lasting):
    assert (name(address, kind) is not None) == lasting
    assert name(address, kind, random=True) == f"ble:{address.replace(':', '').lower()}"


def test_a_beacon_behind_a_changing_address_keeps_its_name():
    assert name("70:81:94:0D:FB:AA", company={76: IBEACON}).startswith("ibeacon:")


def test_a_changing_address_is_named_after_its_owner():
    def named(address, kind="random", company=None):
        return ble.identity(
            address=address,
            address_type=kind,
            manufacturer_data=company or {},
            service_data={},
            owner_of=lambda asked: "ward phone" if asked.startswith("70") else None,
        )

    assert named("70:81:94:0D:FB:AA") == "irk:ward phone"
    assert named("71:81:94:0D:FB:AA") is None
    assert named("70:81:94:0D:FB:AA", "public") == "ble:7081940dfbaa"
    assert named("70:81:94:0D:FB:AA", company={76: IBEACON}).startswith("ibeacon:")


@pytest.mark.parametrize("address", ["", "C4:A1", "GG:A1:38:00:00:01", "9A5C5C5E-0000-0000-0000"])
def test_what_is_no_address_has_no_name(address):
    assert name(address, "public", random=True) is None


@given(
    st.dictionaries(st.integers(0, 65535), st.binary(max_size=30), max_size=3),
    st.binary(max_size=24),
)
def test_random_bytes_never_raise(company, service):
    assert name(company=company | {76: service}, service=service) is not None


@given(st.binary(min_size=1, max_size=24))
def test_every_eddystone_frame_is_classified_or_refused(data):
    got = ble.decode_eddystone(data)
    assert got is None or got["frame"] in ("uid", "url", "tlm", "etlm", "eid")
