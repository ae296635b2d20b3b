"""Reading `text/event-stream`: bytes in, (event, data) pairs out.

Tolerates what model servers send: CRLF, comments, a missing space after the colon, data over several lines, characters
cut in two by the network, a last event without its blank line. Source: HTML standard, "Interpreting an event stream".
"""

from __future__ import annotations

LONGEST = 32 * 1024 * 1024
"""Bytes without an end that are still believed to be an event."""


class TooLong(Exception):
    """An event of more than LONGEST bytes: this is no event stream."""


class EventReader:
    """Feed it bytes as they come. Lines are cut as bytes and decoded whole, so no character is ever cut."""

    __slots__ = ("_data", "_event", "_length", "_open", "_size")

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._size = 0
        self._event = ""
        self._data: list[str] = []
        self._length = 0

    def feed(self, received: bytes) -> list[tuple[str, str]]:
        """The events that are whole now. Raises TooLong."""
        first, *rest = received.split(b"\n")
        self._open.append(first)
        self._size += len(first)
        if self._size > LONGEST:
            raise TooLong
        if not rest:
            return []
        lines = [b"".join(self._open), *rest[:-1]]
        self._open, self._size = [rest[-1]], len(rest[-1])
        return [event for line in lines if (event := self._line(line)) is not None]

    def end(self) -> list[tuple[str, str]]:
        """What stood at the end of the stream without a blank line after it."""
        self._line(b"".join(self._open))
        event = self._line(b"")
        return [] if event is None else [event]

    def _line(self, raw: bytes) -> tuple[str, str] | None:
        line = raw.removesuffix(b"\r").decode("utf-8", "replace")
        if not line:
            return self._whole()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field.removeprefix("\ufeff") == "data":
            self._data.append(value)
            self._length += len(value)
            if self._length > LONGEST:
                raise TooLong
        elif field == "event":
            self._event = value
        return None

    def _whole(self) -> tuple[str, str] | None:
        event = (self._event, "\n".join(self._data)) if self._data else None
        self._event, self._data, self._length = "", [], 0
        return event
