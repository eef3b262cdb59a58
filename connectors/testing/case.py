"""What a package tells the kit of its connector, and of the server that it is opened on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from connectors.contract import Connector, Membership, id_prefix
from connectors.http import network
from connectors.model import Unit
from connectors.settings import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObject:
    """A document that the server holds, as whoever set up the server knows it.

    What a connector says of itself may be wrong throughout; this is what it is compared with. `content` is a phrase
    that stands in the document's content; `readers` are its reader tokens.
    """

    document_id: str
    unit: str
    created_at: datetime | None
    updated_at: datetime | None
    title: str
    content: str
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A connection, and a server that stands still while the kit asks.

    `connect` opens the connection, with all its requests through the transport. `known` are some of the server's
    objects. `absent_id` gives an id of the source's form that no object of the unit ever had. `reads_one` tells the
    requests for one object from those for listings of many: the kit has them fail, one, some and all. A full read of
    a unit yields at least as many checkpoints as `checkpoints` has for its id: where a server can be told to give
    short pages, as many as make a resumption worth its while. `memberships` are all of the server's. `change` edits
    an object of the server, none of `known`, and returns its document id.
    """

    connection: Connection
    connect: Callable[[httpx.BaseTransport], Connector]
    known: tuple[KnownObject, ...]
    absent_id: Callable[[Unit], str]
    reads_one: Callable[[httpx.Request], bool]
    checkpoints: Mapping[str, int]
    memberships: frozenset[Membership]
    change: Callable[[], str]
    transport: Callable[[], httpx.BaseTransport] = network

    @property
    def prefix(self) -> str:
        """What all ids of the connection begin with."""
        return id_prefix(self.connection.source, self.connection.id)
