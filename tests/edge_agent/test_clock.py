import time

import pytest

from edge_agent.clock import EventClock, kernel_synchronised

SECOND = 1_000_000
T0 = 1_700_000_000 * SECOND


class World:
    """A monotonic clock and a wall clock that can be stepped."""

    def __init__(self):
        self.monotonic_us, self.wall_us, self.synchronised = 5 * SECOND, T0, False
        self.clock = EventClock(
            lambda: self.monotonic_us, lambda: self.wall_us, lambda: self.synchronised
        )

    def run(self, us):
        self.monotonic_us += us
        self.wall_us += us


@pytest.fixture
def world():
    return World()


def test_event_time_is_wall_time(world):
    assert world.clock.now_us() == T0
    world.run(SECOND)
    assert world.clock.now_us() == T0 + SECOND


def test_a_step_changes_nothing_before_the_check(world):
    world.wall_us += 3600 * SECOND
    assert world.clock.now_us() == T0
    assert world.clock.check() == 3600 * SECOND
    assert world.clock.now_us() == T0 + 3600 * SECOND
    assert world.clock.steps == 1


def test_noise_is_no_step(world):
    world.wall_us += 10_000
    assert world.clock.check() == 0
    assert world.clock.now_us() == T0


def test_a_small_backward_step_is_waited_out(world):
    world.clock.now_us()
    world.wall_us -= SECOND
    step_us = world.clock.check()
    assert step_us == -SECOND and not world.clock.is_large_backward(step_us)
    assert world.clock.now_us() == T0
    world.run(SECOND // 2)
    assert world.clock.now_us() == T0
    world.run(SECOND)
    assert world.clock.now_us() == T0 + SECOND // 2


def test_a_large_backward_step_is_followed_and_reported(world):
    world.clock.now_us()
    world.wall_us -= 3600 * SECOND
    assert world.clock.is_large_backward(world.clock.check())
    assert world.clock.now_us() == T0 - 3600 * SECOND


def test_synchronisation_is_looked_at_again(world):
    assert not world.clock.synchronised
    world.synchronised = True
    world.clock.check()
    assert world.clock.synchronised


def test_the_real_clock_agrees_with_the_system():
    clock = EventClock()
    assert abs(clock.now_us() - time.time() * 1e6) < SECOND
    assert isinstance(kernel_synchronised(), bool)
