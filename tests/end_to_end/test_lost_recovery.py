"""The recovery directory is lost: the pipeline goes on, and nothing stays open for ever."""

from __future__ import annotations

import shutil
import time

from fake_gateway import FakeGateway, now_us

from pipeline.cli.stack import Stack
from pipeline.contracts import codec

SECOND_US = 1_000_000


def _send(gateway: FakeGateway, boot: str, sequence: int, at_us: int) -> None:
    gateway.send(
        codec.encode_batch(
            codec.build_batch(
                {
                    "gateway": "gw",
                    "boot": boot,
                    "sequence": sequence,
                    "until_us": at_us + SECOND_US,
                    "clock": {"synchronised": True},
                },
                tags=["epc:e2000001"],
                receivers=["door/1"],
                time_us=[at_us],
                rssi_cdbm=[-5000],
                peak_cdbm=[-5000],
                count=[1],
                kind=[2],
            )
        )
    )


def test_open_visits_sessions_and_alerts_are_ended(running: Stack) -> None:
    pipeline = running.children["pipeline"]
    start_us = (now_us() - 600 * SECOND_US) // SECOND_US * SECOND_US
    with FakeGateway(running) as gateway:
        for second in range(10):
            _send(gateway, "aa" * 8, second + 1, start_us + second * SECOND_US)
        gateway.wait_for_ack(10)
        time.sleep(1.0)  # what the broker has not been told it may forget comes again
        pipeline.kill()
        shutil.rmtree(running.directory / "recovery")
        pipeline.restart()
        later_us = start_us + 60 * SECOND_US
        for second in range(12):
            _send(gateway, "bb" * 8, second + 1, later_us + second * SECOND_US)
        gateway.wait_for_ack(12)
    assert pipeline.running, pipeline.last_words()
    with running.connect() as connection:
        visits = connection.execute(
            "select exit_reason, left_at is null from tracking.room_visit "
            "where entered_at >= to_timestamp(%s) order by entered_at",
            (start_us / SECOND_US,),
        ).fetchall()
        alerts = connection.execute(
            "select state, reason from tracking.alert order by opened_at"
        ).fetchall()
        sessions = connection.execute(
            "select count(*) filter (where ended_at is null) from tracking.usage_session"
        ).fetchone()
    assert visits == [("state_lost", False), (None, True)]
    assert [state for state, _ in alerts] == ["resolved", "open"]
    assert "lost its state" in alerts[0][1]
    assert sessions == (1,)
