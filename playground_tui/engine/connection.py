"""One HTTP connection: who may make it, how long a request may take to arrive, and how many there are at once."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from playground_tui.peers import is_own_peer

HEADERS_WITHIN = 10.0
"""Seconds in which a request's line and headers must be there, from the connection or their first byte on."""
BODY_PERIOD = 30.0
"""Seconds in which BODY_LEAST bytes of a body that is not whole must come."""
BODY_LEAST = 30 * 1024
MOST_CONNECTIONS = 400
"""On one listener. A newer one takes the place of one on which no request is being answered."""

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class GuardedConnection(H11Protocol):
    """On a Unix socket another user's connection is closed before a byte of it is read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._awaited: object = None
        """What of a request is on its way: h11.IDLE before the end of its headers, h11.SEND_BODY before its own."""
        self._timer: asyncio.TimerHandle | None = None
        self._arrived = 0
        self._newest = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._newest = self.loop.time()
        connection = transport.get_extra_info("socket")
        if connection.family == socket.AF_UNIX and not is_own_peer(connection):
            transport.abort()
        elif self._has_room():
            self._await(h11.IDLE)
        else:
            self._end_with(_TOO_MANY)

    def data_received(self, data: bytes) -> None:
        self._arrived += len(data)
        self._newest = self.loop.time()
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._await(None)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _has_room(self) -> bool:
        """Whether this connection can stay, at the cost of an idle one if need be."""
        if len(self.connections) <= MOST_CONNECTIONS:
            return True
        others = (one for one in self.connections if isinstance(one, GuardedConnection) and one is not self)
        idle = min((one for one in others if not one._is_answering), key=lambda one: one._newest, default=None)
        if idle is None:
            return False
        idle.transport.abort()
        self.connections.discard(idle)
        return True

    def _look(self) -> None:
        """Wait for what is missing of a request, if one has begun to arrive."""
        state = self.conn.their_state
        begun = state is h11.SEND_BODY or (state is h11.IDLE and self.conn.trailing_data[0])
        wanted = state if begun else None
        if wanted is not self._awaited:
            self._await(wanted)

    def _await(self, state: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._awaited = state
        if state is h11.IDLE:
            self._timer = self.loop.call_later(HEADERS_WITHIN, self._end_with, _TOO_SLOW)
        elif state is h11.SEND_BODY:
            self._timer = self.loop.call_later(BODY_PERIOD, self._look_at_body, self._arrived)

    def _look_at_body(self, before: int) -> None:
        """End a body that drips in. One that we do not read, or have not asked for yet, is not late."""
        is_ours_to_wait = self.flow.read_paused or self.conn.they_are_waiting_for_100_continue
        if self._arrived - before < BODY_LEAST and not is_ours_to_wait:
            self._end_with(_TOO_SLOW)
        else:
            self._await(h11.SEND_BODY)

    def _end_with(self, answer: bytes) -> None:
        """Close, saying why unless an answer has begun."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(answer)
        self.transport.close()
