"""Depreciation to the cent: published vectors, and schedules reckoned by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from pipeline.database.connect import Connection

Ask = Callable[..., Any]

EXCEL = [
    # Microsoft's documentation of SLN, SYD, DDB, VDB, DB
    ("straight_line(30000, 7500, 10)", "2250.00"),
    ("sum_of_years_digits(30000, 7500, 10, 1)", "4090.91"),
    ("sum_of_years_digits(30000, 7500, 10, 10)", "409.09"),
    ("double_declining(2400, 300, 3650, 1)", "1.32"),
    ("double_declining(2400, 300, 120, 1)", "40.00"),
    ("double_declining(2400, 300, 10, 1)", "480.00"),
    ("double_declining(2400, 300, 10, 2, 1.5)", "306.00"),
    ("double_declining(2400, 300, 10, 10)", "22.12"),
    ("variable_declining(2400, 300, 3650, 0, 1)", "1.32"),
    ("variable_declining(2400, 300, 120, 0, 1)", "40.00"),
    ("variable_declining(2400, 300, 10, 0, 1)", "480.00"),
    ("variable_declining(2400, 300, 120, 6, 18)", "396.31"),
    ("variable_declining(2400, 300, 120, 6, 18, 1.5)", "311.81"),
    ("variable_declining(2400, 300, 10, 0, 0.875, 1.5)", "315.00"),
    ("declining_balance(1000000, 100000, 6, 1, 7)", "186083.33"),
    ("declining_balance(1000000, 100000, 6, 2, 7)", "259639.42"),
    ("declining_balance(1000000, 100000, 6, 3, 7)", "176814.44"),
    ("declining_balance(1000000, 100000, 6, 4, 7)", "120410.64"),
    ("declining_balance(1000000, 100000, 6, 5, 7)", "81999.64"),
    ("declining_balance(1000000, 100000, 6, 6, 7)", "55841.76"),
    ("declining_balance(1000000, 100000, 6, 7, 7)", "15845.10"),
    # a textbook's delivery van
    ("units_of_production(100000, 10000, 100000, 12000)", "10800.00"),
    ("units_of_production(100000, 10000, 100000, 30000)", "27000.00"),
    # beyond what was planned nothing is left to charge
    ("units_of_production(100000, 10000, 100000, 12000, 95000)", "4500.00"),
    ("units_of_production(100000, 10000, 100000, 12000, 100001)", "0.00"),
    ("double_declining(1000, 0, 1, 1)", "1000.00"),
    ("sum_of_years_digits(1000, 0, 3, 4)", "0.00"),
]


@pytest.fixture
def ask(conn: Connection, become: Any, acme: Any) -> Any:
    """`ask(query)`: all rows, as an analyst."""

    def rows(query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with become(conn, "biotrakr_analyst", acme.id):
            return conn.execute(query.encode(), arguments).fetchall()

    return rows


@pytest.mark.parametrize(("call", "expected"), EXCEL)
def test_formulas_agree_with_published_figures(ask: Ask, call: str, expected: str) -> None:
    assert ask(f"select round(reporting.{call}, 2)") == [(Decimal(expected),)]


MACRS = {
    5: "20.00 32.00 19.20 11.52 11.52 5.76",
    7: "14.29 24.49 17.49 12.49 8.93 8.92 8.93 4.46",
}


@pytest.mark.parametrize("years", MACRS)
def test_macrs_is_the_table_of_the_tax_office(ask: Ask, years: int) -> None:
    rows = ask("select reporting.macrs_percent(%s, y) from generate_series(1, %s) as y", years, 12)
    assert [row for (row,) in rows if row is not None] == [Decimal(x) for x in MACRS[years].split()]


@pytest.mark.parametrize("years", [3, 5, 7, 10])
def test_macrs_is_declining_balance_with_the_half_year_convention(ask: Ask, years: int) -> None:
    """Table A-1 against our own schedule: never further apart than its rounding."""
    rows = ask(
        "select expense / 100, reporting.macrs_percent(%s, period) from "
        "reporting.depreciation_schedule('DOUBLE_DECLINING', 10000, 0, %s, '2024-05-01', "
        "'HALF_YEAR', switch => true)",
        years,
        years,
    )
    assert len(rows) == years + 1
    assert sum(percent for _, percent in rows) == 100
    for ours, percent in rows:
        assert abs(ours - percent) <= Decimal("0.011")


# method, cost, salvage, life, in service, more arguments -> the expense of every fiscal year
SCHEDULES = [
    ("STRAIGHT_LINE", 100000, 10000, 5, "2021-01-01", "", "18000 18000 18000 18000 18000"),
    ("DOUBLE_DECLINING", 100000, 10000, 5, "2021-01-01", "", "40000 24000 14400 8640 2960"),
    ("SUM_OF_YEARS_DIGITS", 100000, 10000, 5, "2021-01-01", "", "30000 24000 18000 12000 6000"),
    (
        "UNITS_OF_PRODUCTION", 100000, 10000, None, "2021-01-01",
        "total_units => 100000, units => '{12000, 30000}'", "10800 27000",
    ),
    ("STRAIGHT_LINE", 35000, 5000, 5, "2021-01-31", "", "6000 6000 6000 6000 6000"),
    ("SUM_OF_YEARS_DIGITS", 35000, 5000, 5, "2021-01-31", "", "10000 8000 6000 4000 2000"),
    ("DOUBLE_DECLINING", 35000, 5000, 5, "2021-01-31", "", "14000 8400 5040 2560 0"),
    # a truck that came in August: five months of the first year
    ("DOUBLE_DECLINING", 90000, 10000, 5, "2021-08-20", "", "15000 30000 18000 10800 6200 0"),
    # Excel's DB with seven months in the first year
    (
        "DECLINING_BALANCE", 1000000, 100000, 6, "2021-06-01", "",
        "186083.33 259639.42 176814.44 120410.64 81999.64 55841.76 15845.10",
    ),
    # with 1,000 of salvage the switch to straight line makes no difference, without it does
    ("DOUBLE_DECLINING", 10000, 1000, 5, "2021-01-01", "", "4000 2400 1440 864 296"),
    ("DOUBLE_DECLINING", 10000, 1000, 5, "2021-01-01", "switch => true", "4000 2400 1440 864 296"),
    ("DOUBLE_DECLINING", 10000, 0, 5, "2021-01-01", "", "4000 2400 1440 864 518.40"),
    ("DOUBLE_DECLINING", 10000, 0, 5, "2021-01-01", "switch => true", "4000 2400 1440 1080 1080"),
    # 150 % of the straight-line rate, by name of either method
    ("DECLINING_BALANCE", 2400, 300, 10, "2021-01-01", "factor => 1.5",
     "360 306 260.10 221.09 187.92 159.73 135.77 115.41 98.10 83.38"),
    # the remainder of rounding comes last: 33.33 + 33.33 + 33.34
    ("STRAIGHT_LINE", 100, 0, 3, "2021-01-01", "", "33.33 33.33 33.34"),
    # half up: 0.125 a year
    ("STRAIGHT_LINE", 1, 0.5, 4, "2021-01-01", "", "0.13 0.13 0.13 0.11"),
    # the same asset by the three conventions; 2021 from 1 April has 275 of 365 days
    ("STRAIGHT_LINE", 12000, 0, 2, "2021-04-01", "", "4500 6000 1500"),
    ("STRAIGHT_LINE", 12000, 0, 2, "2021-04-01", "'HALF_YEAR'", "3000 6000 3000"),
    ("STRAIGHT_LINE", 12000, 0, 2, "2021-04-01", "'DAILY'", "4520.55 6000 1479.45"),
    # a fiscal year from October: November is its second month
    ("STRAIGHT_LINE", 12000, 0, 2, "2021-11-15", "first_month => 10", "5500 6000 500"),
    # sum of years' digits over a year's end: 2/3 of 9000 over 12 months, then 1/3
    ("SUM_OF_YEARS_DIGITS", 9000, 0, 2, "2021-07-01", "", "3000 4500 1500"),
    # disposed of on 20 May 2022: four months of 500 in that year
    ("STRAIGHT_LINE", 12000, 0, 2, "2021-04-01", "disposed_on => '2022-05-20'", "4500 2000"),
    # disposed of in the month in which it came
    ("STRAIGHT_LINE", 12000, 0, 2, "2021-04-01", "disposed_on => '2021-04-30'", ""),
    # more used than planned; a year without use
    (
        "UNITS_OF_PRODUCTION", 1000, 100, None, "2021-05-01",
        "total_units => 900, units => '{100.5, null, 700, 200, 5}'", "100.50 0 700 99.50 0",
    ),
]  # fmt: skip


def _schedule(method: str, cost: Any, salvage: Any, life: Any, start: str, more: str) -> str:
    life = "null" if life is None else life
    more = f", {more}" if more else ""
    return (
        f"reporting.depreciation_schedule('{method}', {cost}, {salvage}, {life}, '{start}'{more})"
    )


@pytest.mark.parametrize(("method", "cost", "salvage", "life", "start", "more", "years"), SCHEDULES)
def test_schedules_to_the_cent(
    ask: Ask, method: str, cost: Any, salvage: Any, life: Any, start: str, more: str, years: str
) -> None:
    call = _schedule(method, cost, salvage, life, start, more)
    rows = ask(f"select period, expense, accumulated, book_value from {call}")
    expected, sum_so_far = [], Decimal(0)
    for number, expense in enumerate(map(Decimal, years.split()), start=1):
        sum_so_far += expense
        expected.append((number, expense, sum_so_far, cost - sum_so_far))
    assert rows == expected


@pytest.mark.parametrize(
    ("method", "cost", "salvage", "life", "start", "more", "years"),
    [row for row in SCHEDULES if row[0] != "UNITS_OF_PRODUCTION"],
)
def test_the_value_as_of_a_day_agrees_with_the_schedule(
    ask: Ask, method: str, cost: Any, salvage: Any, life: Any, start: str, more: str, years: str
) -> None:
    """At the end of every year of the schedule; in between it only falls."""
    schedule = _schedule(method, cost, salvage, life, start, more)
    named = f", {more}" if more else ""
    book = f"'{method}', {cost}, {salvage}, {life}, '{start}'"
    value = f"reporting.depreciation_as_of({book}, day{named})"
    rows = ask(
        "select ends_on, starts_on, year.expense, year.accumulated, year.book_value, (v).* from "
        f"{schedule} as year, lateral (select year.ends_on as day) as d, lateral {value} as v"
    )
    assert len(rows) == len(years.split())
    for row in rows:
        assert row[6:9] == row[2:5], row[0]
        assert row[9] == (row[4] <= Decimal(str(salvage)))
    days = ask(
        f"select day, (v).accumulated, (v).book_value from (select generate_series(date '{start}' "
        f"- 40, date '{start}' + {life} * 366 + 200, interval '1 day')::date as day) as d, "
        f"lateral {value} as v order by day"
    )
    assert days[0][1:] == days[39][1:] == (0, cost)  # before it went into service
    assert all(later[1] >= earlier[1] for earlier, later in pairwise(days))
    if rows:
        assert days[-1][1:] == rows[-1][3:5]


def test_a_month_is_charged_on_its_last_day(ask: Ask) -> None:
    """12000 over two years: 500 a month; by days 12000 / 730 a day in years of 365."""
    value = "reporting.depreciation_as_of('STRAIGHT_LINE', 12000, 0, 2, '2021-04-10', %s, %s)"
    for day, convention, accumulated in [
        ("2021-04-09", "FULL_MONTH", 0),
        ("2021-04-29", "FULL_MONTH", 0),
        ("2021-04-30", "FULL_MONTH", 500),
        ("2021-05-30", "FULL_MONTH", 500),
        ("2021-12-31", "FULL_MONTH", 4500),
        ("2023-03-30", "FULL_MONTH", 11500),
        ("2023-03-31", "FULL_MONTH", 12000),
        ("2099-01-01", "FULL_MONTH", 12000),
        # 3000 over the nine months from April
        ("2021-04-30", "HALF_YEAR", Decimal("333.33")),
        ("2021-11-30", "HALF_YEAR", Decimal("2666.64")),
        ("2021-12-31", "HALF_YEAR", 3000),
        ("2023-01-31", "HALF_YEAR", 9500),
        ("2021-04-09", "DAILY", 0),
        ("2021-04-10", "DAILY", Decimal("16.44")),
        ("2021-04-19", "DAILY", Decimal("164.38")),
        ("2023-04-09", "DAILY", 12000),
        ("2023-04-08", "DAILY", Decimal("11983.56")),
    ]:
        (row,) = ask(f"select accumulated, book_value from {value}", day, convention)
        assert row == (accumulated, 12000 - accumulated), (day, convention)


def test_a_leap_day_counts_by_days(ask: Ask) -> None:
    value = "reporting.depreciation_as_of('STRAIGHT_LINE', 366, 0, 1, '2024-01-01', %s, 'DAILY')"
    for day, accumulated in [("2024-02-28", 59), ("2024-02-29", 60), ("2024-12-31", 366)]:
        assert ask(f"select accumulated from {value}", day) == [(accumulated,)]


def test_what_was_disposed_of_stands_still(ask: Ask) -> None:
    value = (
        "reporting.depreciation_as_of('STRAIGHT_LINE', 12000, 0, 2, '2021-01-01', %s, "
        "disposed_on => '2021-06-15')"
    )
    columns = "period_expense, accumulated, book_value, fully_depreciated"
    for day, row in [
        ("2021-05-30", (2500, 2000, 10000, False)),  # the year will have no more than 2500
        ("2021-06-14", (2500, 2500, 9500, False)),
        ("2021-12-31", (2500, 2500, 9500, False)),
        ("2022-12-31", (0, 2500, 9500, False)),
    ]:
        assert ask(f"select {columns} from {value}", day) == [row], day


def test_units_as_of_a_day(ask: Ask) -> None:
    value = (
        "reporting.depreciation_as_of('UNITS_OF_PRODUCTION', 1000, 100, null, '2021-05-01', %s, "
        "total_units => 900, units => %s, units_before_year => %s)"
    )
    columns = "period_expense, accumulated, book_value, fully_depreciated"
    for day, used, before, row in [
        ("2021-04-30", 10, 0, (0, 0, 1000, False)),
        ("2022-06-30", Decimal("100.5"), 100, (Decimal("0.50"), Decimal("100.50"), 899.5, False)),
        ("2023-06-30", 2000, 800, (100, 900, 100, True)),
        ("2023-06-30", None, None, (None, None, None, None)),  # the meter was never read
    ]:
        assert ask(f"select {columns} from {value}", day, used, before) == [row], day


@pytest.mark.parametrize("missing", ["method", "cost", "life"])
def test_what_is_not_known_gives_no_figure(ask: Ask, missing: str) -> None:
    arguments = {"method": "'STRAIGHT_LINE'", "cost": "100", "life": "5"} | {missing: "null"}
    call = f"{arguments['method']}, {arguments['cost']}, 0, {arguments['life']}, '2021-01-01'"
    assert ask(
        "select accumulated, book_value, fully_depreciated "
        f"from reporting.depreciation_as_of({call}, '2025-01-01')"
    ) == [(None, None, None)]
    assert ask(f"select * from reporting.depreciation_schedule({call})") == []


def test_what_is_not_in_service_does_not_depreciate(ask: Ask) -> None:
    call = "'STRAIGHT_LINE', 100, 0, 5, null"
    assert ask(f"select * from reporting.depreciation_schedule({call})") == []
    assert ask(
        "select accumulated, book_value, fully_depreciated "
        f"from reporting.depreciation_as_of({call}, '2025-01-01')"
    ) == [(0, 100, False)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("'SYD', 100, 0, 5, '2021-01-01'", "unknown depreciation method: SYD"),
        ("'STRAIGHT_LINE', 100, 0, 5, '2021-01-01', 'WEEKLY'", "unknown depreciation convention"),
        ("'STRAIGHT_LINE', 100, 101, 5, '2021-01-01'", "does not lie between 0 and the cost"),
        ("'STRAIGHT_LINE', 100, 0, 0, '2021-01-01'", "a useful life of 0 years"),
        ("'DECLINING_BALANCE', 100, 0, 5, '2021-01-01'", "needs a salvage value above 0"),
        ("'UNITS_OF_PRODUCTION', 100, 0, 5, '2021-01-01'", "needs the units of a life"),
    ],
)
def test_nonsense_is_refused(ask: Ask, call: str, words: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=words):
        ask(f"select * from reporting.depreciation_schedule({call})")


def test_an_unknown_method_is_refused_as_of_a_day(ask: Ask) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="unknown depreciation method"):
        ask(
            "select * from reporting.depreciation_as_of("
            "'DECLINING', 100, 0, 5, '2021-01-01', '2020-01-01')"
        )


def test_every_day_by_an_independent_reckoning(ask: Ask) -> None:
    """Straight line by months, in Python: a year's cents, a month's, the rest at the end."""
    cost, life, start = Decimal("8999.99"), 3, date(2021, 11, 15)
    cent = Decimal("0.01")
    value = "reporting.depreciation_as_of('STRAIGHT_LINE', 8999.99, 0, 3, '2021-11-15', day::date)"
    rows = ask(
        "select day::date, (v).book_value from generate_series(date '2021-11-01', '2025-01-31', "
        f"interval '1 day') as day, lateral {value} as v"
    )
    year = (cost / life).quantize(cent)
    first = (cost / life * 2 / 12).quantize(cent)
    years = [(first, 2), (year, 12), (year, 12), (cost - first - 2 * year, 10)]
    months = [
        monthly if number < count else total - monthly * (count - 1)
        for total, count in years
        for monthly in [(total / count).quantize(cent)]
        for number in range(1, count + 1)
    ]
    assert sum(months) == cost
    for day, book_value in rows:
        tomorrow = day + timedelta(days=1)
        ended = (tomorrow.year - start.year) * 12 + tomorrow.month - start.month
        assert book_value == cost - sum(months[: max(0, ended)]), day
