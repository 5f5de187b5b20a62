from edge_agent.allow import AllowList


def test_an_empty_list_allows_everything():
    assert "ble:c4a138000001" in AllowList()


def test_names_and_prefixes():
    allow = AllowList(["epc:e200*", "ble:c4a138000001"])
    assert "epc:e2001234" in allow and "epc:e2001234" in allow
    assert "ble:c4a138000001" in allow
    assert "ble:c4a1380000012" not in allow
    assert "epc:30" not in allow


def test_only_names_still_refuse_the_rest():
    assert "epc:30" not in AllowList(["epc:31"])


def test_memory_is_bounded():
    allow = AllowList(["epc:1*"])
    for number in range(120_000):
        assert (f"epc:{number}" in allow) == str(number).startswith("1")
    assert len(allow._known) <= 50_000
