"""Rows of predictions: models, weekly scores, what became of them, drift.

The scores know more than chance and less than the truth, so that the figures of a model look like
those of a real one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from psycopg.types.json import Jsonb

from pipeline.seed.draw import Draw, noon, uid
from pipeline.seed.model import Asset, Organization, World
from pipeline.seed.sensors import last_rise
from pipeline.seed.writing import Batch, Row

HORIZON_H = 720
_MODELS = (
    # name, version, algorithm, status, how much it knows
    ("weibull", "1.0", "weibull-aft", "retired", 0.3),
    ("weibull", "2.0", "weibull-aft", "active", 0.6),
    ("boosting", "0.1", "hist-gradient-boosting", "shadow", 0.9),
)
_FEATURES = ("age_days", "days_since_service", "errors_30d", "usage_h_30d", "sensor_trend")


def batches(world: World) -> Iterator[Batch]:
    organizations = world.organizations
    units = [a for a in world.assets if a.retired is None]
    scored = {a.id: list(_scored(world, a)) for a in units}
    yield "prediction.model", (row for o in organizations for row in _models(world, o))
    yield "telemetry.prediction_score", (row for a in units for row in _scores(a, scored[a.id]))
    yield "prediction.risk_current", (row for a in units for row in _newest(a, scored[a.id]))
    yield "prediction.outcome", (row for a in units for row in _outcomes(world, a, scored[a.id]))
    yield "prediction.drift", (row for o in organizations for row in _drift(world, o))


def model_of(organization: Organization, name: str, version: str) -> UUID:
    return uid(organization.code, "model", name, version)


def _models(world: World, organization: Organization) -> Iterator[Row]:
    for name, version, algorithm, status, knows in _MODELS:
        trained = world.as_of - timedelta(days=400 if status == "retired" else 220)
        yield {
            "id": model_of(organization, name, version),
            "organization_id": organization.id,
            "name": name,
            "model_version": version,
            "algorithm": algorithm,
            "horizon_h": HORIZON_H,
            "status": status,
            "trained_at": trained,
            "train_from": world.began,
            "train_to": trained - timedelta(days=1),
            "data_sha256": hashlib.sha256(f"{organization.code}/{name}".encode()).hexdigest(),
            "code_version": "0.1.0",
            "features": Jsonb(list(_FEATURES)),
            "hyperparameters": {"knots": 3} if algorithm.startswith("w") else {"max_depth": 4},
            "metrics": {"auc": round(0.6 + 0.25 * knows, 2)},
            "training_events": 240,
        }


Scored: TypeAlias = tuple[UUID, str, datetime, float]


def _times(world: World) -> Iterator[datetime]:
    """Mondays at six, the oldest first."""
    monday = noon(world.today - timedelta(days=world.today.weekday())) - timedelta(hours=6)
    for week in range(world.size.score_weeks - 1, -1, -1):
        yield monday - timedelta(weeks=week)


def _probability(asset: Asset, at: datetime, knows: float, draw: Draw) -> float:
    hazard = 30 / (asset.model.type.mtbf_days * asset.model.quality)
    base = 1 - math.exp(-hazard)
    horizon = timedelta(hours=HORIZON_H)
    coming = any(timedelta(0) < failed - at <= horizon for failed in asset.failures)
    logit = math.log(base / (1 - base)) + 0.5 * (draw.random() + draw.random() - 1)
    if coming:
        logit += 2.4 * knows * draw.random()
    if last_rise(asset, at):
        logit += 1.2 * knows
    return round(1 / (1 + math.exp(-logit)), 4)


def _scored(world: World, asset: Asset) -> Iterator[Scored]:
    """Model, status, as of, probability; the retired model stopped three months ago."""
    times = [at for at in _times(world) if at >= noon(asset.in_service)]
    for name, version, _, status, knows in _MODELS:
        draw = world.draw("score", asset.tag_number, name, version)
        model = model_of(asset.organization, name, version)
        until = world.as_of - timedelta(days=91 if status == "retired" else 0)
        for at in times:
            if at <= until:
                yield model, status, at, _probability(asset, at, knows, draw)


def _factors(asset: Asset, p: float) -> Jsonb:
    trend = {"feature": "sensor_trend", "value": round(p * 3, 2), "effect": round(p / 2, 3)}
    age = {"feature": "age_days", "value": asset.number % 3000, "effect": round(p / 4, 3)}
    return Jsonb([trend, age])


def _score(asset: Asset, model: UUID, at: datetime, p: float) -> Row:
    return {
        "organization_id": asset.organization.id,
        "asset_id": asset.id,
        "model_id": model,
        "horizon_h": HORIZON_H,
        "as_of": at,
        "p_failure": p,
        "p_low": round(p * 0.6, 4),
        "p_high": round(min(p * 1.6 + 0.01, 1), 4),
        "expected_ttf_h": round(HORIZON_H / max(p, 0.002), 1),
        "failure_category": "MECHANICAL" if p > 0.2 else None,
        "factors": _factors(asset, p),
    }


def _scores(asset: Asset, scored: list[Scored]) -> Iterator[Row]:
    for model, _, at, p in scored:
        score = _score(asset, model, at, p)
        yield score | {"ts": at + timedelta(minutes=5), "p_raw": round(p * 0.9, 4)}


def _newest(asset: Asset, scored: list[Scored]) -> Iterator[Row]:
    newest: dict[UUID, Row] = {}
    for model, status, at, p in scored:
        if status != "retired":
            newest[model] = _score(asset, model, at, p) | {
                "id": uid(asset.tag_number, "risk", model),
                "scored_at": at + timedelta(minutes=5),
            }
    yield from newest.values()


def _outcomes(world: World, asset: Asset, scored: list[Scored]) -> Iterator[Row]:
    horizon = timedelta(hours=HORIZON_H)
    draw = world.draw("outcome", asset.tag_number)
    for model, _, at, p in scored:
        serviced = draw.chance(0.5) and p > 0.3
        if at + horizon > world.as_of:
            continue
        failed = next((f for f in asset.failures if at < f <= at + horizon), None)
        censored = "SERVICED" if failed is None and serviced else None
        yield {
            "id": uid(asset.tag_number, "outcome", model, at.date()),
            "organization_id": asset.organization.id,
            "asset_id": asset.id,
            "model_id": model,
            "horizon_h": HORIZON_H,
            "as_of": at,
            "p_failure": p,
            "outcome": "FAILED" if failed else "CENSORED" if censored else "NOT_FAILED",
            "failed_at": failed,
            "censored_by": censored,
            "settled_at": at + horizon + timedelta(hours=1),
        }


def _drift(world: World, organization: Organization) -> Iterator[Row]:
    for name, version, _, status, _ in _MODELS:
        if status == "retired":
            continue
        draw = world.draw("drift", organization.code, name, version)
        for month in range(6):
            for feature in (*_FEATURES, "score"):
                grows = 0.03 * (6 - month) if feature == "usage_h_30d" else 0.0
                psi = round(abs(draw.gauss(0, 0.03)) + grows, 4)
                yield {
                    "id": uid(organization.code, "drift", name, version, month, feature),
                    "organization_id": organization.id,
                    "model_id": model_of(organization, name, version),
                    "measured_at": world.as_of - timedelta(days=30 * month, hours=2),
                    "feature": feature,
                    "psi": psi,
                    "missing_share": 0.01,
                    "training_missing_share": 0.01,
                    "verdict": "ACT" if psi >= 0.25 else "WATCH" if psi >= 0.1 else "STABLE",
                }
