import asyncio

from edge_agent.errors import ReaderLostError
from edge_agent.readers.state import ReaderState
from edge_agent.readers.supervise import Backoff, supervise


def test_pauses_grow_to_a_bound_with_jitter_downwards():
    backoff = Backoff(first_s=1, most_s=8)
    pauses = [backoff.pause_s() for _ in range(6)]
    for pause, most in zip(pauses, [1, 2, 4, 8, 8, 8], strict=True):
        assert most / 2 <= pause <= most
    backoff.reset()
    assert backoff.pause_s() <= 1


def run_with(failures):
    """Supervise a reader that fails so, then ends; the state after each failure."""
    state, seen = ReaderState("r", "test"), []

    async def run():
        seen.append((state.state, state.error))
        if failures:
            raise failures.pop(0)

    asyncio.run(supervise(state, run, backoff=Backoff(0.001, 0.001)))
    return state, seen


def test_failures_are_told_apart_counted_and_survived():
    failures = [OSError("gone"), ReaderLostError("quiet", silent=True), ZeroDivisionError()]
    state, seen = run_with(failures)
    assert seen == [
        ("starting", None),
        ("failed", "gone"),
        ("silent", "quiet"),
        ("failed", "ZeroDivisionError"),
    ]
    assert state.restarts == 3


def test_a_long_error_still_fits_the_status():
    state, _ = run_with([OSError("x" * 5000)])
    assert len(state.health().error) == 500
