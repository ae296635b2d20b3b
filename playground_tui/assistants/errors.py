"""Every failure of a server in words a person can act on."""

from __future__ import annotations


class AssistantsError(Exception):
    """A request failed. `str(error)` is a sentence for a person: what happened and what to do.

    `retry` tells whether the same request may succeed later; `retry_after` is the server's wish in seconds, or None.
    """

    retry = False
    retry_after: float | None = None


class NotReachable(AssistantsError):
    """No connection, or it broke before an answer came: whether the server acted is unknown."""

    retry = True


class Rejected(AssistantsError):
    """The server answered with an error status."""

    def __init__(
        self, sentence: str, *, status: int, code: str = "", param: str = "", retry_after: float | None = None
    ):
        super().__init__(sentence)
        self.status = status
        """HTTP status."""
        self.code = code
        self.param = param
        self.retry_after = retry_after
        self.retry = status in {408, 409, 429} or status >= 500


class NotFound(Rejected):
    """404: the server does not know the object (any longer)."""


class Malformed(AssistantsError):
    """The server answered with something that is not the Assistants API."""
