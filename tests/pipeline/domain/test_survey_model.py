"""What a survey teaches: path loss within bounds, a map that predicts, a choice made inside it."""

from __future__ import annotations

import numpy as np
import positioning_data
import pytest
import rf_rooms

from pipeline.domain import survey_model
from pipeline.domain.lattice import Lattice, bounds_around
from pipeline.domain.path_loss import EXPONENT_RANGE, PathLoss, Survey
from pipeline.domain.radio_field import RadioField
from pipeline.domain.residual_map import ResidualMap


def survey_of(room: rf_rooms.Room, rows: slice = slice(None)) -> Survey:
    return positioning_data.survey_of(
        np.arange(len(room.survey_xy_m), dtype=float)[rows],
        room.survey_xy_m[rows], rf_rooms.TAG_HEIGHT_M, room.survey_rssi_dbm[rows],
    )  # fmt: skip


def field_of(room: rf_rooms.Room) -> RadioField:
    lattice = Lattice.over(bounds_around(room.receivers_m, 1.0), np.array([1.2]))
    return RadioField.unsurveyed(lattice, room.receivers_m)


def test_the_map_predicts_reads_it_has_not_seen_better_than_path_loss_alone() -> None:
    room = rf_rooms.draw(7)
    model = ResidualMap.fit(survey_of(room, slice(0, 300)), room.receivers_m)
    unseen = survey_of(room, slice(300, 400))
    mean, scatter = model.at(unseen.place_m)
    column = np.arange(len(unseen))
    residual = unseen.rssi_dbm - mean[unseen.receiver, column]
    plain = unseen.rssi_dbm - model.path_loss.rssi_dbm(
        unseen.place_m, unseen.receiver, room.receivers_m
    )
    assert residual.std() < 0.9 * plain.std()
    u = residual / scatter[unseen.receiver, column]
    assert 0.5 < u.std() < 1.3


@pytest.mark.parametrize("slope", [-3.0, 0.2, 9.0])
def test_the_exponent_stays_within_its_bounds(slope: float) -> None:
    rng = np.random.default_rng(5)
    place = np.column_stack([rng.uniform(0, 9, (200, 2)), np.full(200, 1.2)])
    receivers = np.array([[0.0, 0, 2.5], [9, 9, 2.5]])
    who = rng.integers(0, 2, 200)
    distance = np.linalg.norm(place - receivers[who], axis=1)
    rssi = -60 - 10 * slope * np.log10(distance) + rng.normal(0, 1, 200)
    low, high = EXPONENT_RANGE
    fitted = PathLoss.fit(Survey(place, who, rssi, np.zeros(200)), receivers)
    assert low <= fitted.exponent <= high
    assert np.isfinite(fitted.p0_dbm).all()


def test_a_receiver_without_rows_follows_the_others() -> None:
    room = rf_rooms.draw(8)
    survey = survey_of(room)
    others = survey.rows(survey.receiver != 0)
    fitted = PathLoss.fit(others, room.receivers_m)
    assert fitted.p0_dbm[0] == pytest.approx(fitted.p0_dbm[1:].mean(), abs=0.5)
    mean, scatter = ResidualMap.fit(others, room.receivers_m).at(room.receivers_m)
    assert np.isfinite(mean).all() and (scatter[0] >= scatter[1:].min()).all()


@pytest.mark.parametrize("rows", [1, 10])
def test_a_sparse_survey_is_taken_for_what_it_is_worth(rows: int) -> None:
    room = rf_rooms.draw(9)
    model = survey_model.fit(survey_of(room, slice(0, rows)), room.receivers_m, field_of(room))
    assert 0.5 <= model.error_scale <= 2.5
    assert np.isfinite(model.field.mean_dbm).all()


def test_a_survey_without_times_is_used_untested() -> None:
    room = rf_rooms.draw(9)
    survey = survey_of(room)
    timeless = Survey(
        survey.place_m, survey.receiver, survey.rssi_dbm, np.full(len(survey), np.nan)
    )
    model = survey_model.fit(timeless, room.receivers_m, field_of(room))
    assert model.tested_windows == 0
    assert model.choice == survey_model.Choice()


def test_a_survey_of_another_building_is_not_believed() -> None:
    """Receivers shuffled: nothing in it holds together, so what needs no survey is no worse."""
    room = rf_rooms.draw(10, survey=200)
    survey = survey_of(room)
    rng = np.random.default_rng(0)
    noise = Survey(
        survey.place_m[rng.permutation(len(survey))], survey.receiver, survey.rssi_dbm,
        survey.time_s,
    )  # fmt: skip
    model = survey_model.fit(noise, room.receivers_m, field_of(room))
    assert model.error_scale > 0.9 or model.held_out_median_m > 2.0
