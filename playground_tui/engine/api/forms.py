"""Forms (multipart/form-data, RFC 7578) with one file in them, which goes to disk as it comes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from playground_tui.engine.contents import Incoming
from playground_tui.engine.errors import NO_ROOM, ApiError

_UNHEARD = logging.Logger(__name__, logging.CRITICAL)
"""For what the parser warns of, which the answer says."""
_VALUE_BYTES = 64 * 1024
"""Bytes of a field that is no file."""


@dataclass
class Form:
    """What stood in a form beside the contents of its file."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    """None when there was no file."""


async def receive_form(request: Request, incoming: Incoming, *, file: str, fields: Set[str], limit: int) -> Form:
    """Read a form: the file called `file`, of at most `limit` bytes, into `incoming`; other fields but `fields` are
    refused. Raises ApiError, OSError.
    """
    reader = _Reader(_boundary(request), file, fields, limit)
    async for data in request.stream():
        for piece in reader.feed(data):
            await incoming.write(piece)
    return reader.finish()


@contextmanager
def keeping() -> Iterator[None]:
    """Say what the disk refuses. Raises ApiError."""
    try:
        yield
    except OSError as error:
        reason = str(error.strerror or error).rstrip(".")
        sentence = f"The engine cannot keep the file: {reason}."
        raise ApiError(sentence, status=NO_ROOM, type="server_error", code="cannot_keep_file") from error


def require_form(request: Request) -> None:
    """Raises ApiError when the request brings no form."""
    _boundary(request)


def _boundary(request: Request) -> bytes:
    given = request.headers.get("Content-Type", "")
    kind, options = parse_options_header(given)
    if kind != b"multipart/form-data":
        raise ApiError(f"Invalid content type '{given}': it must be multipart/form-data.", code="invalid_content_type")
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise ApiError("Invalid content type: multipart/form-data needs a boundary.", code="invalid_content_type")
    return boundary


class _Reader:
    """One form, as its bytes come."""

    def __init__(self, boundary: bytes, file: str, fields: Set[str], limit: int):
        self._file, self._fields, self._limit = file, fields, limit
        self._form = Form()
        self._header_name, self._header_value, self._disposition = b"", b"", b""
        self._name = ""
        self._value = bytearray()
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part,
                    "on_header_field": self._on_header_name,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers,
                    "on_part_data": self._on_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise _broken(error) from error
        self._parser.logger = _UNHEARD

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes of the form; those of the file in them. Raises ApiError."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _broken(error) from error
        pieces, self._pieces = self._pieces, []
        return pieces

    def finish(self) -> Form:
        """The form, when all of it has come. Raises ApiError."""
        if not self._ended:
            raise ApiError("The form is not whole: its closing boundary is missing.", code="invalid_form")
        return self._form

    def _on_part(self) -> None:
        self._disposition = b""
        self._value = bytearray()

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers(self) -> None:
        # The parser takes text for latin-1 and gives it back as such.
        options = parse_options_header(self._disposition.decode("latin-1"))[1]
        self._name = name = _text(options.get(b"name", b""))
        if name not in self._fields and name != self._file:
            raise ApiError(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        if name in self._form.fields or (name == self._file and self._form.filename is not None):
            raise ApiError(f"Duplicate parameter: '{name}'.", param=name, code="duplicate_parameter")
        if name == self._file:
            self._form.filename = self._filename(options.get(b"filename"))

    def _filename(self, given: bytes | None) -> str:
        if given is None:
            raise ApiError(
                f"Invalid '{self._file}': a file is expected, with a filename.", param=self._file, code="invalid_type"
            )
        return _text(given).replace("%22", '"')  # as programs write a quotation mark (WHATWG)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._name != self._file:
            self._value += data[start:end]
            if len(self._value) > _VALUE_BYTES:
                raise ApiError(f"Invalid '{self._name}': it is too long.", param=self._name, code="invalid_value")
            return
        self._size += end - start
        if self._size > self._limit:
            sentence = f"Invalid '{self._file}': it is larger than {self._limit} bytes."
            raise ApiError(sentence, status=413, param=self._file, code="file_too_large")
        self._pieces.append(data[start:end])

    def _on_part_end(self) -> None:
        if self._name != self._file:
            self._form.fields[self._name] = _text(bytes(self._value))

    def _on_end(self) -> None:
        self._ended = True


def _broken(error: FormParserError) -> ApiError:
    return ApiError(f"The form cannot be read: {error}.", code="invalid_form")


def _text(given: bytes) -> str:
    try:
        return given.decode()
    except UnicodeDecodeError:
        return given.decode("latin-1")
