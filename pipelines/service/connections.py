"""Connections to the server: how many there are, how long a client may take, and how much may wait for an answer.

uvicorn reads a head for as long as a client goes on sending it, and any number of them at once. Here each request has
its time, and what all of them hold together has an end; where there is no room, those who keep the server waiting
make room for others, so that real clients get through.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MOST_HEAD_BYTES = 64 * 1024
PATIENCE_SECONDS = 10.0
"""For the head of a request to arrive, then for its body, and then for each stretch of the answer to be taken."""
BODY_STRETCH_BYTES = 1024 * 1024
"""A body of which so much arrives in that time has it once more: of a file of 25 MB that is pushed over a slow line."""
MOST_UNANSWERED_BYTES = 64 * 1024 * 1024
"""Of heads and bodies that came in and are not answered yet, over all connections: two files of the largest that may be
pushed, and 128 kB for each of 500."""

Awaited: TypeAlias = Literal["head", "body", "reader"]
"""What a client is to do next: send these, or read the answer."""
Closed: TypeAlias = Literal["slow", "crowded", "too much unanswered"]
"""Why the server closed a connection."""


class ConnectionTable:
    """The open connections of one server."""

    def __init__(self, limit: int, on_close: Callable[[Closed], None]) -> None:
        self._limit = limit
        self.on_close = on_close
        self._open: set[ClientConnection] = set()
        self._waiting: dict[ClientConnection, None] = {}  # for their clients; the longest first
        self._unanswered: dict[ClientConnection, int] = {}  # bytes
        self._total = 0

    def admit(self, connection: ClientConnection) -> bool:
        """Count a new connection. Where there are too many, the one that waits longest for its client is closed.

        False where none does: all of them are being answered.
        """
        self._open.add(connection)
        if len(self._open) <= self._limit:
            return True
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        self.forget(longest)
        longest.make_room("crowded")
        return True

    def forget(self, connection: ClientConnection) -> None:
        self._open.discard(connection)
        self.stop_waiting(connection)
        self.release(connection)

    def wait(self, connection: ClientConnection) -> None:
        """From now on this connection waits for its client."""
        self._waiting.pop(connection, None)
        self._waiting[connection] = None

    def stop_waiting(self, connection: ClientConnection) -> None:
        self._waiting.pop(connection, None)

    def hold(self, connection: ClientConnection, size: int) -> None:
        """Count bytes that came in. Where there are too many, the connection that holds most of them is closed.

        So whoever sends less than an equal share always gets through.
        """
        self._unanswered[connection] = self._unanswered.get(connection, 0) + size
        self._total += size
        while self._total > MOST_UNANSWERED_BYTES:
            largest = max(self._unanswered, key=lambda one: self._unanswered[one])
            self.forget(largest)
            largest.make_room("too much unanswered")

    def release(self, connection: ClientConnection) -> None:
        """What this connection held is answered, or thrown away."""
        self._total -= self._unanswered.pop(connection, 0)


class ClientConnection(H11Protocol):
    """A connection that keeps to the table's limits. httptools would be faster, and puts no bound on a head."""

    def __init__(self, table: ConnectionTable, config: Config, server_state: ServerState, **kept: Any) -> None:
        super().__init__(config, server_state, **kept)
        self._table = table
        self._awaited: Awaited | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._arrived = 0  # bytes of a body since it was last given time

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        if self._table.admit(self):
            self._wait_for("head")
        else:
            self.make_room("crowded")

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._table.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_waiting()
            if self.conn.trailing_data[0]:  # another request behind this one: nothing could say how much it holds
                self.cycle.keep_alive = False
        else:
            self._wait_for("head" if self.conn.their_state is h11.IDLE else "body")
            self._arrived += len(data)
        if self.conn.our_state is not h11.DONE:  # else it is the rest of a body that was answered, and thrown away
            self._table.hold(self, len(data))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._table.release(self)
        if self.conn.their_state is h11.IDLE:
            self._stop_waiting()  # from here on uvicorn counts how long a connection is idle
        self._table.wait(self)

    def _should_upgrade(self) -> bool:
        return False  # there are no WebSockets here, and no line in the log for each who asks for one

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for("reader")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._awaited == "reader":
            self._stop_waiting()

    def make_room(self, why: Closed) -> None:
        """Close the connection at once."""
        self._table.on_close(why)
        self._refuse(_NO_ROOM)
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _wait_for(self, awaited: Awaited) -> None:
        if awaited == self._awaited:
            return
        self._stop_waiting()
        self._awaited, self._arrived = awaited, 0
        self._deadline = self.loop.call_later(PATIENCE_SECONDS, self._give_up)
        self._table.wait(self)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._awaited = None
        self._table.stop_waiting(self)

    def _give_up(self) -> None:
        awaited, self._awaited = self._awaited, None
        is_coming = self._arrived >= BODY_STRETCH_BYTES or self.flow.read_paused  # which is not for the client to end
        if awaited == "body" and is_coming:
            self._wait_for(awaited)
            return
        self._table.on_close("slow")
        if awaited == "reader":
            self.transport.abort()
        else:
            self._refuse(_TOO_SLOW)

    def _refuse(self, answer: bytes) -> None:
        """Close, with an answer where one is still possible; the application finds its client gone."""
        is_idle = self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and not (is_idle or self.transport.is_closing()):
            self.transport.write(answer)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _problem(status: HTTPStatus, detail: str, *headers: str) -> bytes:
    """A whole answer with problem details, as the application gives them: there is no request yet to answer."""
    body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}).encode()
    head = (
        f"HTTP/1.1 {status} {status.phrase}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    )
    return "\r\n".join((*head, "", "")).encode() + body


_TOO_SLOW = _problem(
    HTTPStatus.REQUEST_TIMEOUT,
    f"The head of a request, and then each megabyte of its body, must arrive in {PATIENCE_SECONDS:.0f} s.",
)
_NO_ROOM = _problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "The server has no room for this request now; try again.", "Retry-After: 5"
)
