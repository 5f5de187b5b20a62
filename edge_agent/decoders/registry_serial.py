"""The serial protocols: one row says all that settings and commands have to know about one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from edge_agent.decoders import (
    caen,
    cc_family,
    chafon_cf,
    feig,
    line_format,
    m100,
    mercury,
    mercury_commands,
    nmea,
    r2000,
    rcp,
    rdm6300,
    rdm6300_wiegand,
    scanner,
    ssi,
    tsl,
    uhfreader18,
    uhfreader288,
)
from edge_agent.decoders.chafon_cf_host import ChafonCfConversation
from edge_agent.decoders.framing import Rules
from edge_agent.decoders.lines_host import ListenConversation
from edge_agent.decoders.m100_host import M100Conversation
from edge_agent.decoders.mercury_host import MercuryConversation
from edge_agent.decoders.nmea_host import NmeaConversation
from edge_agent.decoders.r2000_host import R2000Conversation
from edge_agent.decoders.rcp_host import RcpConversation
from edge_agent.decoders.rdm6300_host import CardConversation
from edge_agent.decoders.readings import Conversation, Frame
from edge_agent.decoders.ssi_host import SsiConversation
from edge_agent.decoders.stream import FrameSource, StreamDecoder
from edge_agent.decoders.tsl_host import TslConversation
from edge_agent.decoders.uhfreader18_host import Layout, UhfReader18Conversation

ANY_LINE = r"(?P<tag>\S{1,120})"
_RATES = (115_200, 57_600, 38_400, 19_200, 9_600)
_FAST_RATES = (*_RATES, 230_400, 460_800, 921_600)


REFERENCE_YEAR = 2026
"""For who does not say which year it is."""


def _reference_year() -> int:
    return REFERENCE_YEAR


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What an operator may choose; a protocol ignores what it does not have.

    `antennas` count from 1. `power_dbm`, `region`: None, as the reader has it. The region decides
    the frequencies and has to fit the country. `name`: of the reader, unique among all gateways.
    `gs1`: a scanner without symbology identifiers scans GS1. `pattern`, `prefix`: of a line format.
    `current_year()` resolves the two-digit years of labels.
    """

    antennas: tuple[int, ...] = (1,)
    power_dbm: float | None = None
    region: str | None = None
    name: str = "reader"
    gs1: bool = False
    pattern: str = ANY_LINE
    prefix: str = "line"
    current_year: Callable[[], int] = _reference_year


@dataclass(frozen=True, slots=True)
class SerialProtocol:
    """`host` is None where decoding is all we can do. `vectors`: the protocol's name in the test
    vectors. `describe` says what a verified frame *to* the reader asks for; `command_rules` are
    those of such frames.

    `rates`: line rates to try when none is given; empty where any noise would pass for an answer.
    `power_dbm`: lowest, highest; None where it cannot be set. `regions`: names that the host knows;
    `region_needed`: the reader transmits nothing before it is told one. `most_antennas`: the host
    goes round so many. `silence_is_normal`: the reader only speaks when there is something to read,
    so a watchdog must not count its silence. `tcp_port`: where it listens in a network.
    """

    decoder: Callable[[], FrameSource]
    host: Callable[[HostOptions], Conversation] | None
    baudrate: int
    vectors: str | None
    describe: Callable[[bytes], Frame] | None = None
    command_rules: Rules | None = None
    rates: tuple[int, ...] = ()
    power_dbm: tuple[float, float] | None = None
    regions: tuple[str, ...] = ()
    region_needed: bool = False
    most_antennas: int = 1
    silence_is_normal: bool = False
    tcp_port: int | None = None

    def commands(self) -> FrameSource | None:
        if self.describe is None or self.command_rules is None:
            return None
        return StreamDecoder(self.command_rules, self.describe)


def _r2000(options: HostOptions) -> Conversation:
    return R2000Conversation(options.antennas, power_dbm=options.power_dbm, region=options.region)


def _m100(options: HostOptions) -> Conversation:
    return M100Conversation(power_dbm=options.power_dbm, region=options.region)


def _mercury(options: HostOptions) -> Conversation:
    return MercuryConversation(
        options.antennas, region=options.region or "eu", power_dbm=options.power_dbm
    )


def _uhfreader(options: HostOptions, *, layout: Layout, active: bool = False) -> Conversation:
    return UhfReader18Conversation(
        options.antennas,
        layout=layout,
        active=active,
        power_dbm=options.power_dbm,
        region=options.region,
    )


def _chafon_cf(options: HostOptions) -> Conversation:
    return ChafonCfConversation(power_dbm=options.power_dbm)


def _rcp(options: HostOptions) -> Conversation:
    region = None if options.region is None else rcp.REGIONS[options.region]
    return RcpConversation(power_dbm=options.power_dbm, region=region)


def _cards(
    _options: HostOptions, *, wiegand: rdm6300_wiegand.WiegandFormat | None = None
) -> Conversation:
    return CardConversation(wiegand)


def _tsl(options: HostOptions) -> Conversation:
    return TslConversation(power_dbm=options.power_dbm)


def _ssi(_options: HostOptions) -> Conversation:
    return SsiConversation()


def _scanner(options: HostOptions) -> Conversation:
    decoder = scanner.Decoder(gs1_without_aim=options.gs1, current_year=options.current_year)
    return ListenConversation(decoder, scanner.items)


def _nmea(options: HostOptions) -> Conversation:
    return NmeaConversation(options.name)


def _line(options: HostOptions) -> Conversation:
    decoder = line_format.LineFormat(options.pattern, prefix=options.prefix)
    return ListenConversation(decoder, line_format.items)


PROTOCOLS: dict[str, SerialProtocol] = {
    "r2000": SerialProtocol(
        r2000.Decoder,
        _r2000,
        115_200,
        "r2000_a0",
        r2000.describe_command,
        r2000.RULES,
        rates=(115_200, 38_400),
        power_dbm=(0, 33),
        regions=tuple(r2000.REGIONS),
        most_antennas=8,
    ),
    "m100": SerialProtocol(
        m100.Decoder,
        _m100,
        115_200,
        "m100",
        m100.describe_command,
        m100.RULES,
        rates=_RATES,
        power_dbm=(0, 30),
        regions=tuple(m100.REGIONS),
    ),
    "mercury": SerialProtocol(
        mercury.Decoder,
        _mercury,
        115_200,
        "thingmagic",
        mercury_commands.describe_command,
        mercury.COMMAND_RULES,
        rates=_FAST_RATES,
        power_dbm=(-10, 33),
        regions=tuple(mercury_commands.REGIONS),
        region_needed=True,
        most_antennas=16,
    ),
    "uhfreader18": SerialProtocol(
        uhfreader18.Decoder,
        partial(_uhfreader, layout="18"),
        57_600,
        "chafon_uhfreader18",
        uhfreader18.describe_command,
        uhfreader18.COMMAND_RULES,
        rates=(57_600, 115_200, 38_400, 19_200, 9_600),
        power_dbm=(0, 30),
        regions=tuple(uhfreader18.REGIONS),
        most_antennas=4,  # the reader's type may turn out to be one of layout 288
    ),
    "uhfreader288": SerialProtocol(
        uhfreader288.Decoder,
        partial(_uhfreader, layout="288"),
        57_600,
        "chafon_uhfreader288",
        uhfreader288.describe_command,
        uhfreader18.COMMAND_RULES,
        rates=(57_600, 115_200, 38_400, 19_200, 9_600),
        power_dbm=(0, 33),
        regions=tuple(uhfreader18.REGIONS),
        most_antennas=4,
    ),
    "uhfreader18_active": SerialProtocol(
        uhfreader18.Decoder,
        partial(_uhfreader, layout="18", active=True),
        57_600,
        None,
        rates=(57_600, 115_200, 38_400, 19_200, 9_600),
        silence_is_normal=True,
    ),
    "uhfreader288_active": SerialProtocol(
        uhfreader288.Decoder,
        partial(_uhfreader, layout="288", active=True),
        57_600,
        None,
        rates=(57_600, 115_200, 38_400, 19_200, 9_600),
        silence_is_normal=True,  # heartbeats can be switched off
    ),
    "chafon_cf": SerialProtocol(
        chafon_cf.Decoder,
        _chafon_cf,
        115_200,
        "chafon_cf",
        chafon_cf.describe_command,
        chafon_cf.COMMAND_RULES,
        rates=_RATES,
        power_dbm=(0, 33),
        tcp_port=chafon_cf.TCP_PORT,
    ),
    "rcp": SerialProtocol(
        rcp.Decoder,
        _rcp,
        115_200,
        "phychips_rcp",
        rcp.describe_command,
        rcp.COMMAND_RULES,
        rates=_RATES,
        power_dbm=(0, 30),
        regions=tuple(rcp.REGIONS),
    ),
    "rdm6300": SerialProtocol(
        rdm6300.Decoder, _cards, 9_600, "rdm6300", rates=(9_600, 19_200), silence_is_normal=True
    ),
    "wiegand_hex": SerialProtocol(
        partial(rdm6300_wiegand.Decoder, "hex"),
        partial(_cards, wiegand="hex"),
        9_600,
        None,
        silence_is_normal=True,
    ),
    "wiegand_decimal": SerialProtocol(
        partial(rdm6300_wiegand.Decoder, "decimal"),
        partial(_cards, wiegand="decimal"),
        9_600,
        None,
        silence_is_normal=True,
    ),
    "tsl": SerialProtocol(
        tsl.Decoder,
        _tsl,
        115_200,
        "tsl_ascii2",
        tsl.describe_command,
        rates=_RATES,
        power_dbm=(0, 33),
    ),
    "ssi": SerialProtocol(
        ssi.Decoder,
        _ssi,
        9_600,
        "zebra_ssi",
        ssi.describe_command,
        ssi.COMMAND_RULES,
        rates=(9_600, 19_200, 38_400, 57_600, 115_200),
    ),
    "scanner": SerialProtocol(
        partial(scanner.Decoder, current_year=_reference_year),
        _scanner,
        9_600,
        None,
        silence_is_normal=True,
    ),
    "nmea": SerialProtocol(
        nmea.Decoder, _nmea, 9_600, None, rates=(9_600, 4_800, 38_400, 57_600, 115_200)
    ),
    "line": SerialProtocol(
        partial(line_format.LineFormat, ANY_LINE), _line, 9_600, None, silence_is_normal=True
    ),
    "feig": SerialProtocol(
        feig.Decoder, None, 38_400, "feig_iso_host", feig.describe_command, feig.COMMAND_RULES
    ),
    "caen": SerialProtocol(
        caen.Decoder, None, 115_200, "caen_easy2read", caen.describe_command, caen.COMMAND_RULES
    ),
    "cc_family": SerialProtocol(cc_family.Decoder, None, 115_200, "cc_family"),
}
"""The name in the settings -> the protocol."""
