from hypothesis import given
from hypothesis import strategies as st

from edge_agent.merge import MAX_COUNT, MergedRead, WindowMerger
from pipeline.contracts.codec import Measured
from pipeline.contracts.reads import NO_RSSI

W = 1_000_000


def merged(receptions, window_us=W):
    merger = WindowMerger(window_us)
    for at_us, cdbm in receptions:
        merger.add(at_us, "epc:1", "r/1", 2, cdbm)
    merger.close_all()
    return merger.take()


def test_count_mean_peak_and_time_of_the_last():
    reads = merged([(100, -5000), (300, -4000), (200, -4501)])
    assert reads == [MergedRead("epc:1", "r/1", 2, 300, 3, -4500, -4000)]


def test_a_level_that_is_not_known_does_not_pull_the_mean():
    assert merged([(1, -5000), (2, NO_RSSI)])[0][4:] == (2, -5000, -5000)
    assert merged([(1, NO_RSSI), (2, -5000)])[0][4:] == (2, -5000, -5000)
    assert merged([(1, NO_RSSI)])[0][4:] == (1, NO_RSSI, NO_RSSI)


def test_windows_lie_at_multiples_of_their_length():
    reads = merged([(999_999, 0), (1_000_000, 0), (1_999_999, 0), (2_000_000, 0)])
    assert [(read.at_us, read.receptions) for read in reads] == [
        (999_999, 1),
        (1_999_999, 2),
        (2_000_000, 1),
    ]


def test_times_before_1970_have_windows_too():
    assert [read.receptions for read in merged([(-1, 0), (-W, 0), (0, 0)])] == [2, 1]


def test_receiver_and_kind_keep_reads_apart():
    merger = WindowMerger(W)
    for receiver, kind in (("r/1", 2), ("r/2", 2), ("r/1", 1), ("r/1", 2)):
        merger.add(5, "epc:1", receiver, kind, 0)
    merger.close_all()
    assert [read.receptions for read in merger.take()] == [2, 1, 1]


def test_advance_closes_what_has_ended_and_says_so():
    merger = WindowMerger(W)
    merger.add(1_500_000, "epc:1", "r", 2, 0)
    merger.advance(1_999_999)
    assert merger.take() == [] and merger.closed_us == W
    merger.advance(2_000_000)
    assert len(merger.take()) == 1 and merger.closed_us == 2 * W
    merger.advance(1_000_000)  # never backwards
    assert merger.closed_us == 2 * W


def test_late_reads_are_kept_one_by_one_and_counted():
    merger = WindowMerger(W)
    merger.advance(5 * W)
    merger.add(W, "epc:1", "r", 2, 0)
    merger.add(W, "epc:1", "r", 2, 0)
    assert [read.receptions for read in merger.take()] == [1, 1]
    assert merger.late == 2


def test_the_count_fits_its_column():
    merger = WindowMerger(W)
    for _ in range(MAX_COUNT + 10):
        merger.add(5, "epc:1", "r", 2, -100)
    merger.close_all()
    assert merger.take()[0].receptions == MAX_COUNT


def test_the_first_position_is_that_of_the_oldest_open_window():
    merger = WindowMerger(W)
    assert merger.first_position() is None
    merger.add(2 * W, "epc:1", "r", 2, 0, position=10)
    merger.add(1 * W, "epc:1", "r", 2, 0, position=20)
    merger.add(1 * W, "epc:1", "r", 2, 0, position=30)
    assert merger.first_position() == 10
    merger.advance(2 * W)
    assert merger.first_position() == 10
    merger.advance(3 * W)
    assert merger.first_position() is None


receptions = st.lists(
    st.tuples(st.integers(0, 3 * W), st.integers(-12000, 0)), min_size=1, max_size=40
)


@given(receptions, st.randoms(use_true_random=False))
def test_the_result_does_not_depend_on_the_order(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert merged(shuffled) == merged(pairs)
    assert sum(read.receptions for read in merged(pairs)) == len(pairs)


def test_of_what_a_tag_measures_the_newest_of_a_window_counts():
    merger = WindowMerger(W)
    early, late, next_window = (
        Measured("ble:1", "temperature_c", at_us, value)
        for at_us, value in ((100, 20.0), (900, 21.0), (W + 1, 22.0))
    )
    other = Measured("ble:1", "motion", 500, 1.0)
    for measured in (late, early, other, next_window):
        merger.measure(measured)
    merger.advance(W)
    assert merger.take_values() == [late, other]
    assert merger.take_values() == []
    merger.measure(early)  # after its window: at once, and counted
    assert (merger.take_values(), merger.late) == ([early], 1)
    merger.close_all()
    assert merger.take_values() == [next_window]
