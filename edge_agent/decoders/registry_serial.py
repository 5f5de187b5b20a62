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
    m100,
    mercury,
    mercury_commands,
    r2000,
    rcp,
    rdm6300,
    rdm6300_wiegand,
    ssi,
    tsl,
    uhfreader18,
    uhfreader288,
)
from edge_agent.decoders.chafon_cf_host import ChafonCfConversation
from edge_agent.decoders.framing import Rules
from edge_agent.decoders.m100_host import M100Conversation
from edge_agent.decoders.mercury_host import MercuryConversation
from edge_agent.decoders.r2000_host import R2000Conversation
from edge_agent.decoders.rcp_host import RcpConversation
from edge_agent.decoders.rdm6300_host import CardConversation
from edge_agent.decoders.readings import Conversation, Frame
from edge_agent.decoders.ssi_host import SsiConversation
from edge_agent.decoders.stream import FrameSource, StreamDecoder
from edge_agent.decoders.tsl_host import TslConversation
from edge_agent.decoders.uhfreader18_host import Layout, UhfReader18Conversation


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What an operator may choose; a protocol ignores what it does not have.

    `antennas` count from 1. `power_dbm`: None, as the reader has it. `region`: a key of
    mercury_commands.REGIONS; it decides the frequencies and has to fit the country.
    """

    antennas: tuple[int, ...] = (1,)
    power_dbm: float | None = None
    region: str = "eu"


@dataclass(frozen=True, slots=True)
class SerialProtocol:
    """`host` is None where decoding is all we can do. `vectors`: the protocol's name in the test
    vectors. `describe` says what a verified frame *to* the reader asks for; `commands` makes a
    decoder that verifies such frames first.

    `several_antennas`: the host uses all of `HostOptions.antennas`. `silence_is_normal`: the reader
    only speaks when there is something to read, so a watchdog must not count its silence.
    """

    decoder: Callable[[], FrameSource]
    host: Callable[[HostOptions], Conversation] | None
    baudrate: int
    vectors: str | None
    describe: Callable[[bytes], Frame] | None = None
    command_rules: Rules | None = None
    several_antennas: bool = False
    silence_is_normal: bool = False

    def commands(self) -> FrameSource | None:
        if self.describe is None or self.command_rules is None:
            return None
        return StreamDecoder(self.command_rules, self.describe)


def _r2000(options: HostOptions) -> Conversation:
    return R2000Conversation(options.antennas, power_dbm=options.power_dbm)


def _m100(options: HostOptions) -> Conversation:
    return M100Conversation(power_dbm=options.power_dbm)


def _mercury(options: HostOptions) -> Conversation:
    return MercuryConversation(options.antennas, region=options.region, power_dbm=options.power_dbm)


def _uhfreader(options: HostOptions, *, layout: Layout, active: bool = False) -> Conversation:
    return UhfReader18Conversation(
        options.antennas, layout=layout, active=active, power_dbm=options.power_dbm
    )


def _chafon_cf(options: HostOptions) -> Conversation:
    return ChafonCfConversation(power_dbm=options.power_dbm)


def _rcp(options: HostOptions) -> Conversation:
    return RcpConversation(power_dbm=options.power_dbm)


def _rdm6300(_options: HostOptions) -> Conversation:
    return CardConversation()


def _wiegand_hex(_options: HostOptions) -> Conversation:
    return CardConversation("hex")


def _wiegand_decimal(_options: HostOptions) -> Conversation:
    return CardConversation("decimal")


def _tsl(options: HostOptions) -> Conversation:
    return TslConversation(power_dbm=options.power_dbm)


def _ssi(_options: HostOptions) -> Conversation:
    return SsiConversation()


PROTOCOLS: dict[str, SerialProtocol] = {
    "r2000": SerialProtocol(
        r2000.Decoder,
        _r2000,
        115_200,
        "r2000_a0",
        r2000.describe_command,
        r2000.RULES,
        several_antennas=True,
    ),
    "m100": SerialProtocol(m100.Decoder, _m100, 115_200, "m100", m100.describe_command, m100.RULES),
    "mercury": SerialProtocol(
        mercury.Decoder,
        _mercury,
        115_200,
        "thingmagic",
        mercury_commands.describe_command,
        mercury.COMMAND_RULES,
        several_antennas=True,
    ),
    "uhfreader18": SerialProtocol(
        uhfreader18.Decoder,
        partial(_uhfreader, layout="18"),
        57_600,
        "chafon_uhfreader18",
        uhfreader18.describe_command,
        uhfreader18.COMMAND_RULES,
        several_antennas=True,  # the reader's type may turn out to be one of layout 288
    ),
    "uhfreader288": SerialProtocol(
        uhfreader288.Decoder,
        partial(_uhfreader, layout="288"),
        57_600,
        "chafon_uhfreader288",
        uhfreader288.describe_command,
        uhfreader18.COMMAND_RULES,
        several_antennas=True,
    ),
    "uhfreader18_active": SerialProtocol(
        uhfreader18.Decoder,
        partial(_uhfreader, layout="18", active=True),
        57_600,
        None,
        silence_is_normal=True,
    ),
    "uhfreader288_active": SerialProtocol(
        uhfreader288.Decoder,
        partial(_uhfreader, layout="288", active=True),
        57_600,
        None,
        silence_is_normal=True,  # heartbeats can be switched off
    ),
    "chafon_cf": SerialProtocol(
        chafon_cf.Decoder,
        _chafon_cf,
        115_200,
        "chafon_cf",
        chafon_cf.describe_command,
        chafon_cf.COMMAND_RULES,
    ),
    "rcp": SerialProtocol(
        rcp.Decoder, _rcp, 115_200, "phychips_rcp", rcp.describe_command, rcp.COMMAND_RULES
    ),
    "rdm6300": SerialProtocol(rdm6300.Decoder, _rdm6300, 9_600, "rdm6300", silence_is_normal=True),
    "wiegand_hex": SerialProtocol(
        partial(rdm6300_wiegand.Decoder, "hex"), _wiegand_hex, 9_600, None, silence_is_normal=True
    ),
    "wiegand_decimal": SerialProtocol(
        partial(rdm6300_wiegand.Decoder, "decimal"),
        _wiegand_decimal,
        9_600,
        None,
        silence_is_normal=True,
    ),
    "tsl": SerialProtocol(tsl.Decoder, _tsl, 115_200, "tsl_ascii2", tsl.describe_command),
    "ssi": SerialProtocol(
        ssi.Decoder, _ssi, 9_600, "zebra_ssi", ssi.describe_command, ssi.COMMAND_RULES
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
