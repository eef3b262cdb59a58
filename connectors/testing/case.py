"""What a package tells the kit of its connector, and of the server that it is opened on."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import httpx

from connectors.contract import Connector, id_prefix
from connectors.model import Unit
from connectors.settings import Connection


@cache
def _tls() -> ssl.SSLContext:
    """Made once: it takes longer than all that a connector asks of a server on loopback."""
    return httpx.create_ssl_context()


def network() -> httpx.BaseTransport:
    """A transport to wherever the connection leads."""
    return httpx.HTTPTransport(verify=_tls())


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObject:
    """A document that the server holds, as whoever set up the server knows it.

    What a connector says of itself may be wrong throughout; this is what it is compared with.
    """

    document_id: str
    unit: str
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A connection, and a server that stands still while the kit asks.

    `connect` opens the connection, with all its requests through the transport. `known` are some of the server's
    objects. `absent_id` gives an id of the source's form that no object of the unit ever had. `reads_one` tells the
    requests for one object from those for listings of many: the kit has them fail, one, some and all. A full read of
    all units yields at least `checkpoints` checkpoints: where a server can be told to give short pages, as many as
    make a resumption worth its while.
    """

    connection: Connection
    connect: Callable[[httpx.BaseTransport], Connector]
    known: tuple[KnownObject, ...]
    absent_id: Callable[[Unit], str]
    reads_one: Callable[[httpx.Request], bool]
    checkpoints: int
    transport: Callable[[], httpx.BaseTransport] = network

    @property
    def prefix(self) -> str:
        """What all ids of the connection begin with."""
        return id_prefix(self.connection.source, self.connection.id)
