"""What ops may change in a gateway from afar, as one retained message."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.contracts.base import SCHEMA_VERSION, Message, Name

AllowPattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,31}:[ -~]{0,120}$")]
"""A tag's name, or a prefix that ends in `*`."""
MergeWindow = Annotated[float, Field(ge=0.1, le=60)]
Power = Annotated[float, Field(ge=-10, le=33)]
RssiFloor = Annotated[float, Field(ge=-127, le=0)]
Revision = Annotated[int, Field(ge=1, le=2**53)]


class GatewayConfig(Message):
    """The whole of it each time: what is null is as in the gateway's own file."""

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description="Always 1 in v1")
    gateway: Name = Field(description="The gateway of the topic; that of another is refused")
    revision: Revision = Field(
        description="The status names it once it is in force; grows with every change"
    )
    allow: Annotated[list[AllowPattern], Field(max_length=10_000)] | None = Field(
        default=None,
        description="Tags that are forwarded: names, or prefixes that end in `*`. Empty: all",
    )
    merge_window_s: MergeWindow | None = Field(
        default=None, description="Seconds over which receptions of a live reader are merged"
    )
    min_rssi_dbm: RssiFloor | None = Field(
        default=None, description="dBm; weaker receptions of live readers are ignored"
    )
    forward_random: bool | None = Field(
        default=None, description="Whether Bluetooth addresses that change are forwarded"
    )
    power_dbm: Annotated[dict[Name, Power], Field(max_length=256)] | None = Field(
        default=None, description="Transmit power in dBm of readers by name"
    )
