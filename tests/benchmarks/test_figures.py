from __future__ import annotations

import pytest
from bench.figures import Figure, between_markers, shown, table


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.12345, "0.123"), (61.26, "61.3"), (999, "999"), (9876, "9880"),
     (12_345, "12.3 k"), (1_234_567, "1.23 M"), (500_000, "500 k")],
)  # fmt: skip
def test_three_digits(value: float, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("values", "target", "at_most", "met"),
    [([1, 2, 9], 2, False, True), ([1, 1.9, 9], 2, False, False), ([1, 2, 9], 2, True, True),
     ([1, 2.1, 3], 2, True, False), ([5], None, False, None)],
)  # fmt: skip
def test_the_median_meets_the_target(values, target, at_most, met) -> None:
    assert Figure("f", values, "s", target, at_most=at_most).is_met is met


def test_the_table() -> None:
    fast = Figure("fast", [4e6, 6e6, 5e6], "reads/s", 3e6, baseline=1e4, notes=["many", "tags"])
    slow = Figure("slow", [2.5], "s", 2.0, at_most=True)
    assert table([fast, slow]).splitlines() == [
        "| figure | measured, median (spread) | target | against the naive flow |",
        "| --- | --- | --- | --- |",
        "| fast | 5 M (4 M to 6 M) reads/s | at least 3 M | 500 x |",
        "| slow | 2.5 s | at most 2, **missed** |  |",
        "",
        "- fast: many; tags",
    ]


def test_the_readme_is_rewritten_between_its_markers_only() -> None:
    text = "before\n<!-- t -->\nold\n<!-- /t -->\nafter"
    assert between_markers(text, "t", "new") == "before\n<!-- t -->\nnew\n<!-- /t -->\nafter"
    with pytest.raises(ValueError, match="<!-- t -->"):
        between_markers("before <!-- /t --> after", "t", "new")
    with pytest.raises(ValueError, match="<!-- /t -->"):
        between_markers("before <!-- t --> after", "t", "new")
