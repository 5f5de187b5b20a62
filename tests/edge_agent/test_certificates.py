"""A certificate that soon ends is told before it does."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from edge_agent.certificates import ends_at
from edge_agent.health import CERTIFICATE_DAYS, certificate_check


@pytest.fixture
def certificate(tmp_path):
    def make(days):
        path = tmp_path / "gateway.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", str(days), "-subj", "/CN=x", "-keyout", tmp_path / "key", "-out",
             path], check=True, capture_output=True,
        )  # fmt: skip
        return path

    return make


@pytest.mark.parametrize("days", [1, 400, 20_000, 40_000])  # beyond 2049 the form is another
def test_when_it_ends(certificate, days):
    wanted = datetime.now(UTC) + timedelta(days=days)
    assert abs(ends_at(certificate(days)) - wanted) < timedelta(minutes=2)


@pytest.mark.parametrize("days, good", [(10, False), (CERTIFICATE_DAYS + 5, True)])
def test_it_is_trouble_a_month_before(certificate, days, good):
    check = certificate_check(certificate(days), datetime.now(UTC))
    assert check.good == good and str(days - 1) in check.detail
    assert certificate_check(None, datetime.now(UTC)) is None


def test_every_cut_and_damage_is_an_error_of_its_own_kind(certificate, tmp_path):
    whole = certificate(10).read_text()
    broken = tmp_path / "broken.crt"
    for length in range(0, len(whole) - 30, 7):
        broken.write_text(whole[:length] + "\n-----END CERTIFICATE-----\n")
        with pytest.raises(ValueError, match=r"certificate|pad|base64"):
            ends_at(broken)
    check = certificate_check(broken, datetime.now(UTC))
    assert not check.good
    assert not certificate_check(tmp_path / "none", datetime.now(UTC)).good
