"""Predictions: P01 to P12 and their views, against figures by hand or by another method."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import log
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from questions import NOW, Small, at, hours
from scipy.stats import rankdata

DAYS = hours(24)


def _model(small: Small, name: str = "weibull", **values: Any) -> UUID:
    row = {"status": "active", "horizon_h": 720, "model_version": "1", "algorithm": "x", **values}
    return small.a.put("prediction.model", name=name, **row)


def _risk(small: Small, model: UUID, tag: str, p: float, **values: Any) -> None:
    row = {"horizon_h": 720, "scored_at": NOW, "as_of": NOW - hours(1), "p_low": p / 2, "p_high": p,
           "factors": [{"feature": "age", "effect": 0.1}], **values}  # fmt: skip
    small.a.put("prediction.risk_current", asset_id=small.a.asset(tag), model_id=model, p_failure=p,
                **row)  # fmt: skip


def _work(small: Small, tag: str, number: str, **values: Any) -> UUID:
    row = {"type": "CORRECTIVE_MAINTENANCE", "title": "x", "reported_at": NOW, **values}
    return small.a.put("maintenance.work_order", asset_id=small.a.asset(tag), number=number, **row)


def test_v_risk_current_p01_p05(small: Small) -> None:
    a = small.a
    model, shadow = _model(small), _model(small, "shadow", status="shadow")
    _risk(small, model, "P-1", 0.6)
    _risk(small, model, "P-2", 0.4, as_of=NOW - 3 * DAYS)
    _risk(small, model, "V-1", 0.9)
    _risk(small, shadow, "P-1", 0.99)  # nobody is told what a shadow thinks
    a.change("V-1", status="RETIRED")
    _work(small, "P-1", "WO-1", status="COMPLETED", completed_at=NOW)
    _work(small, "P-2", "WO-3", reported_at=at("20"))
    _work(small, "P-2", "WO-2", reported_at=at("10"))
    columns = "asset_tag, model_name, version, horizon_h, p_failure, p_low, is_stale, open_wo"
    assert small.view("v_risk_current", columns) == [
        ("P-1", "weibull", "1", 720, 0.6, 0.3, False, None),
        ("P-2", "weibull", "1", 720, 0.4, 0.2, True, "WO-2"),
    ]
    a.put("registry.threshold", name="risk_stale_h", value=100, unit="h")
    assert small.view("v_risk_current", "is_stale") == [(False,), (False,)]

    procedure = a.put("maintenance.procedure", code="PM", name="PM", kind="PM", interval_days=90)
    due = {"asset_id": a.asset("P-1"), "procedure_id": procedure, "interval_days": 90}
    plan = a.put("maintenance.schedule", **due, starts_on="2026-01-01")
    for day, outcome in (("2026-01-15", "COMPLETED"), ("2026-03-15", "NOT_LOCATED")):
        a.put("maintenance.occurrence", asset_id=a.asset("P-1"), schedule_id=plan, due_on=day,
              grace_until=day, outcome=outcome,
              completed_on=day if outcome == "COMPLETED" else None)  # fmt: skip
    rows = small.ask("P01")
    assert [(row[0], row[4], row[8], row[9], row[12]) for row in rows] == [
        ("P-1", 0.6, date(2026, 1, 15), None, "weibull 1"),
        ("P-2", 0.4, None, "WO-2", "weibull 1"),
    ]
    assert small.ask("P01", horizon_h=168) == []

    assert [(row[0], row[5], row[6]) for row in small.ask("P05")] == [("P-1", 0.6, Decimal("0.5"))]
    assert small.ask("P05", threshold=0.7) == []
    # A missed failure costs a third of a false alarm: worth while from 0.75; a limit of the site's
    # own wins over that.
    small.conn.execute("update registry.device_type set cost_fn_to_fp = 0.3333 where code = 'pump'")
    assert small.ask("P05") == []
    a.put("registry.threshold", name="risk_high", value=0.55, unit="1",
          device_type_id=a.ids["type pump"])  # fmt: skip
    assert small.ask("P05")[0][6] == Decimal("0.55")


def test_p02_risk_by_unit(small: Small) -> None:
    a = small.a
    general = _model(small)
    own = _model(small, "own", device_type_id=a.ids["type pump"])
    for tag in ("P-1", "P-2"):
        a.change(tag, department_id=a.ids["department icu"])
    _risk(small, general, "P-1", 0.9)
    _risk(small, own, "P-1", 0.5)  # of its own type: this one counts
    _risk(small, general, "P-2", 0.2)
    _risk(small, general, "V-1", 1.0)
    assert small.ask("P02") == [
        ("north", None, 1, Decimal("1.000"), 1, 1.0, 0),
        ("north", "ICU", 2, Decimal("0.700"), Decimal("0.600"), 0.5, 0),
    ]
    assert small.ask("P02", horizon_h=24) == []


def _score(small: Small, model: UUID, tag: str, ts: Any, p: float) -> None:
    small.a.put("telemetry.prediction_score", asset_id=small.a.asset(tag), model_id=model,
                horizon_h=720, ts=ts, as_of=ts, p_failure=p)  # fmt: skip


def test_p03_trend(small: Small) -> None:
    model = _model(small)
    _score(small, model, "P-1", at("20"), 0.1)
    _score(small, model, "P-1", at("22"), 0.3)
    _score(small, model, "P-2", at("22"), 0.7)
    _work(small, "P-1", "WO-1", failed_at=at("21"), failure_confirmed=True, reported_at=at("22"),
          failure_category="ELECTRICAL")  # fmt: skip
    rows = small.ask("P03", tag="P-1", from_=at("15"))
    assert [(row[0], row[1], row[4], row[7]) for row in rows] == [
        (at("20"), "score", 0.1, None),
        (at("21"), "failure", None, "WO-1 CORRECTIVE_MAINTENANCE ELECTRICAL x"),
        (at("22"), "score", 0.3, None),
    ]
    assert small.ask("P03", tag="P-1", from_=at("22"), to=at("22")) == []


def test_p04_rising(small: Small) -> None:
    model = _model(small)
    for days, p in [(36, 0.05), (31, 0.1), (8, 0.2), (5, 0.9), (1, 0.5)]:
        _score(small, model, "P-1", NOW - days * DAYS, p)
    for days, p in [(8, 0.5), (1, 0.4)]:  # falling
        _score(small, model, "P-2", NOW - days * DAYS, p)
    _score(small, model, "V-1", NOW - 1 * DAYS, 0.9)  # nothing to compare with
    rows = small.ask("P04")
    assert [(row[0], row[5], row[6], row[7]) for row in rows] == [("P-1", 0.5, 0.2, 0.1)]
    assert rows[0][8:] == pytest.approx((0.3, 0.4))


def _outcome(small: Small, model: UUID, tag: str, n: int, p: float, kind: str, **more: Any) -> None:
    as_of = at("01") + n * hours(1)
    if kind == "FAILED":
        more.setdefault("failed_at", as_of + hours(48))
    small.a.put("prediction.outcome", asset_id=small.a.asset(tag), model_id=model, horizon_h=720,
                as_of=as_of, p_failure=p, outcome=kind, settled_at=NOW, **more)  # fmt: skip


def test_p06_outcomes(small: Small) -> None:
    model = _model(small)
    for n, (p, kind, more) in enumerate([
        (0.9, "FAILED", {}), (0.8, "FAILED", {"failed_at": at("01 01:00") + hours(100)}),
        (0.1, "FAILED", {}), (0.7, "NOT_FAILED", {}), (0.2, "NOT_FAILED", {}),
        (0.5, "NOT_FAILED", {}), (0.9, "CENSORED", {"censored_by": "SERVICED"}),
        (0.9, "CENSORED", {"censored_by": "RETIRED"}),
    ]):  # fmt: skip
        _outcome(small, model, "P-1", n, p, kind, **more)
    assert small.ask("P06") == [
        (date(2026, 3, 1), "weibull", "1", 720, 6, 2, 1, 2, 1, 2, 1, 50, 60, Decimal("66.7"), 74)
    ]
    (row,) = small.ask("P06", threshold=0.95)
    assert row[11:] == (None, None, 0, None)  # no alarm: no precision


def _many(small: Small, model: UUID, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = np.round(rng.uniform(0, 1, n), 2)  # two digits: ties
    failed = (rng.uniform(0, 1, n) < p).astype(int)
    for k in range(n):
        _outcome(small, model, "P-1", k, float(p[k]), "FAILED" if failed[k] else "NOT_FAILED")
    return p, failed


def _auc_ap(p: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    ranks, up = rankdata(p), y.sum()
    auc = (ranks[y == 1].sum() - up * (up + 1) / 2) / (up * (len(y) - up))
    precision = [(y[p >= cut].sum() / (p >= cut).sum(), y[p == cut].sum()) for cut in np.unique(p)]
    return auc, sum(share * count for share, count in precision) / up


def test_v_model_performance_and_p08(small: Small) -> None:
    """Area, precision and Brier score as numpy and scipy have them."""
    model = _model(small)
    p, y = _many(small, model, 120, 7)
    _outcome(small, model, "P-2", 500, 0.9, "CENSORED", censored_by="SERVICED")
    small.a.put("prediction.drift", model_id=model, measured_at=at("20"), feature="age", psi=0.15,
                verdict="WATCH")  # fmt: skip
    columns = (
        "model, version, month, n, events, auc, ap, brier, brier_skill, ece, drift_psi_max, status"
    )
    ((*names, auc, ap, brier, skill, ece, psi, status),) = small.view(
        "v_model_performance", columns, now=None
    )
    assert names == ["weibull", "1", date(2026, 3, 1), 120, int(y.sum())]
    expected = (*_auc_ap(p, y), np.mean((p - y) ** 2))
    assert (auc, ap, brier) == pytest.approx(expected, abs=1e-12)
    assert skill == pytest.approx(1 - brier / (y.mean() * (1 - y.mean())))
    assert (psi, status) == (0.15, "watch")
    # Bins of equal count in order of p; which of equal ones is in which is chance, so only bounds.
    assert 0 < ece < 0.2

    # A shadow that scored only half of it: both are judged on that half.
    shadow = _model(small, "shadow", status="shadow")
    for k in range(60):
        _outcome(small, shadow, "P-1", k, 0.5, "FAILED" if y[k] else "NOT_FAILED")
    rows = small.ask("P08")
    assert [(row[1], row[3], row[4], row[5]) for row in rows] == [
        ("weibull", "active", 60, y[:60].sum()), ("shadow", "shadow", 60, y[:60].sum()),
    ]  # fmt: skip
    best, worst = rows[0], rows[1]
    enough = y[:60].sum() >= 30
    expected = tuple(round(x, 4) for x in _auc_ap(p[:60], y[:60])) if enough else (None, None)
    assert [None if x is None else float(x) for x in best[8:]] == list(expected)
    assert worst[6] == Decimal("0.25000")


def test_too_few_failures_have_no_ranking(small: Small) -> None:
    model = _model(small)
    for n in range(40):
        _outcome(small, model, "P-1", n, n / 40, "FAILED" if n >= 38 else "NOT_FAILED")
    columns = "n, events, auc, ap, brier_skill, ece, status"
    assert small.view("v_model_performance", columns, now=None) == [
        (40, 2, None, None, None, None, "insufficient data")
    ]


def test_p07_calibration(small: Small) -> None:
    """Two bins of ten: 2 of 10 and 9 of 10. Wilson's interval of 2/10 is 0.0567 to 0.5098, of 9/10
    0.5958 to 0.9821 (any table)."""
    model = _model(small)
    for n in range(20):
        low = n < 10
        failed = n in (0, 1) or (not low and n != 19)
        _outcome(
            small, model, "P-1", n, (0.1 if low else 0.99), "FAILED" if failed else "NOT_FAILED"
        )
    rows = small.ask("P07", bins=2)
    assert [tuple(map(float, row[6:10])) for row in rows] == [
        (0.1, 0.2, 0.0567, 0.5098), (0.99, 0.9, 0.5958, 0.9821),
    ]  # fmt: skip
    assert [(row[2], row[3], row[10]) for row in rows] == [(1, 10, True), (2, 10, False)]
    assert small.ask("P07", model="other") == []


def test_p09_drift(small: Small) -> None:
    model, old = _model(small), _model(small, "old", status="retired")
    for day, feature, psi in [("20", "age", 0.3), ("25", "age", 0.05), ("20", "score", 0.12)]:
        small.a.put("prediction.drift", model_id=model, measured_at=at(day), feature=feature,
                    psi=psi, verdict="WATCH", missing_share=0.015)  # fmt: skip
    small.a.put("prediction.drift", model_id=old, measured_at=at("25"), feature="age", psi=9,
                verdict="ACT")  # fmt: skip
    assert [(row[3], row[4], row[6]) for row in small.ask("P09")] == [
        ("score", 0.12, Decimal("1.5")), ("age", 0.05, Decimal("1.5")),
    ]  # fmt: skip
    assert [row[4] for row in small.ask("P09", as_of=at("21"))] == [0.3, 0.12]


def test_p10_anomalies(small: Small) -> None:
    """Baseline 20, 21, 19 in turn: median 20, deviation 1.4826. The flat one has limits only."""
    a = small.a
    sensor = {
        code: a.put(
            "registry.sensor",
            asset_id=a.asset(tag),
            code=code,
            quantity=1,
            low_limit=low,
            high_limit=high,
        )
        for code, tag, low, high in [("t1", "P-1", None, None), ("t2", "P-2", None, 30.0)]
    }
    for n in range(60):
        ts = NOW - 3 * DAYS + n * hours(0.5)
        a.reading(sensor["t1"], "P-1", 1, ts, 20 + (0, 1, -1)[n % 3])
        a.reading(sensor["t2"], "P-2", 1, ts, 25)
    a.reading(sensor["t1"], "P-1", 1, NOW - hours(5), 27)  # 4.7 deviations: not yet
    a.reading(sensor["t1"], "P-1", 1, NOW - hours(4), 40)
    a.reading(sensor["t1"], "P-1", 1, NOW - hours(3), 30)
    a.reading(sensor["t2"], "P-2", 1, NOW - hours(2), 31)
    a.reading(sensor["t2"], "P-2", 1, NOW - hours(1), 29)
    rows = small.ask("P10")
    assert [(row[0], row[5], row[6], row[9], row[10], row[11]) for row in rows] == [
        ("P-2", 1, 1, 31.0, None, 25.0),
        ("P-1", 2, 0, 40.0, Decimal("13.5"), 20.0),
    ]
    assert small.ask("P10", z=100)[0][0] == "P-2"


def _failed(small: Small, tag: str, days: float, restored: float | None = None) -> None:
    start = NOW - 100 * DAYS
    _work(small, tag, f"F-{tag}-{days}", failed_at=start + days * DAYS, failure_confirmed=True,
          restored_at=None if restored is None else start + restored * DAYS,
          reported_at=start + days * DAYS)  # fmt: skip


def test_p11_kaplan_meier(small: Small) -> None:
    """Five pumps since 100 days: failures at 10 and 30, one retired on day 20, two running: 4/5,
    then 4/5 * 2/3. A second failure of the same unit and a false alarm do not count."""
    a = small.a
    start = (NOW - 100 * DAYS).date()
    for tag in ("P-3", "P-4", "P-5"):
        a.make_asset(tag)
    for tag in ("P-1", "P-2", "P-3", "P-4", "P-5"):
        a.change(tag, in_service_on=start)
    a.change("P-3", status="RETIRED", retired_on=(NOW - 80 * DAYS).date())
    _failed(small, "P-1", 10, 11)
    _failed(small, "P-1", 50, 51)
    _failed(small, "P-2", 30)
    _work(small, "P-4", "CND", failed_at=NOW - 90 * DAYS, failure_confirmed=False)
    assert [(row[1], row[2], row[3], row[4], float(row[5])) for row in small.ask("P11")] == [
        ("pump-1", 10, 5, 1, 0.8), ("pump-1", 30, 3, 1, 0.5333),
    ]  # fmt: skip
    # Greenwood after the first step: 0.8 +- 1.96 * 0.8 * sqrt(1 / (5 * 4)).
    assert float(small.ask("P11")[0][6]) == pytest.approx(0.8 - 1.95996 * 0.8 * 0.05**0.5, abs=1e-4)


def test_p12_remaining_life(small: Small) -> None:
    """Also in Python: Kaplan-Meier's curve, the middle of each step, a line through ln(-ln S)."""
    a = small.a
    ages = [10, 25, 40, 60, 80]
    for n, age in enumerate(ages):
        a.make_asset(f"R-{n}", in_service_on=(NOW - 100 * DAYS).date())
        small.conn.execute("update registry.facility set time_zone = 'UTC'")
        _work(small, f"R-{n}", f"W-{n}", failed_at=at_day(small, 100) + age * DAYS,
              failure_confirmed=True, reported_at=NOW)  # fmt: skip
    a.make_asset("NEW", in_service_on=(NOW - 30 * DAYS).date())
    run = sorted([*((age, 1) for age in ages), (30.5, 0)])
    survival, x, y = 1.0, [], []
    for n, (age, died) in enumerate(run):
        if died:
            step = 1 - 1 / (len(run) - n)
            before, survival = survival, survival * max(step, 1e-9)
            x.append(log(age))
            y.append(log(-(log(before) + log(survival)) / 2))
    shape, intercept = np.polyfit(x, y, 1)
    scale = np.exp(-intercept / shape)

    def left(q: float) -> float:
        return scale * ((30.5 / scale) ** shape - log(q)) ** (1 / shape) - 30.5

    rows = small.ask("P12")
    assert [row[0] for row in rows] == ["NEW"]  # the others are broken
    assert [float(x) for x in rows[0][4:7]] == pytest.approx([30.5, shape, scale], abs=0.06)
    assert [float(x) for x in rows[0][8:]] == pytest.approx(
        [left(0.5), left(0.95), left(0.05)], abs=0.1
    )
    assert small.ask("P12", min_failures=6) == []


def at_day(small: Small, days: int) -> Any:
    """The midnight, in the session's zone, of a day so many days ago."""
    row = small.conn.execute(
        "select %s::date::timestamptz", ((NOW - days * DAYS).date(),)
    ).fetchone()
    assert row is not None
    return row[0]
