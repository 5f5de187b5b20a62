"""Metrics, health and their listener, from the settings of `biotrakr run`."""

from __future__ import annotations

from pipeline.cli.errors import CliError
from pipeline.cli.settings import PipelineSettings
from pipeline.contracts.address import Address
from pipeline.contracts.listener import Listener, ListenError
from pipeline.observability.exporter import Exporter
from pipeline.observability.health import Limits


def exporter_of(settings: PipelineSettings) -> Exporter:
    timing = settings.timing_values()
    limits = Limits(settings.unhealthy_after_s, settings.epoch_s, timing.gateway_timeout_s)
    return Exporter(limits, timing.lateness_us)


def listener_of(settings: PipelineSettings, exporter: Exporter) -> Listener | None:
    """Has the port but does not answer yet; None: not asked for. Raises CliError."""
    if settings.metrics_address is None:
        return None
    try:
        return Listener(Address.parse(settings.metrics_address), exporter.pages())
    except ListenError as error:
        raise CliError(f"metrics_address: {error}") from None
