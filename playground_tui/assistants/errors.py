"""Every failure of a server in words a person can act on."""

from __future__ import annotations

from playground_tui.assistants.run_words import duration

LONGEST_QUOTE = 300
"""Characters of a server's own words that are quoted in a sentence."""


class AssistantsError(Exception):
    """A request failed. `str(error)` is a sentence for a person: what happened and what to do.

    `retry` tells whether the same request may succeed later; `retry_after` is the server's wish in seconds, or None.
    """

    retry = False
    retry_after: float | None = None


class NotReachable(AssistantsError):
    """No connection, or it broke before an answer came.

    `sent` tells whether the request may have reached the server, so that whether it acted is unknown.
    """

    retry = True

    def __init__(self, sentence: str, *, sent: bool = True):
        super().__init__(sentence)
        self.sent = sent


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
        self.retry = status in {408, 409, 425, 429} or status >= 500


class NotFound(Rejected):
    """404: the server does not know the object (any longer)."""


class ThreadGone(NotFound):
    """The thread of the conversation is not known to the server any longer."""


class SwitchedOff(NotFound):
    """404 of a hosted service that no longer has the Assistants API at all."""


class NotSupported(AssistantsError):
    """This server has no such operation: it is an extension of the engine."""


class Malformed(AssistantsError):
    """The server answered with something that is not the Assistants API."""

    retry = True


def rejected(
    status: int,
    words: str,
    *,
    where: str,
    by_api: bool = True,
    code: str = "",
    param: str = "",
    retry_after: float | None = None,
) -> Rejected:
    """The error for an answer with an error status.

    `words` are the server's own, already clean and short, or ""; `where` names the server for people. A 404 that is
    not said `by_api` comes from something in front of the server, which does not know what is there.
    """
    kind: type[Rejected] = NotFound if status == 404 and by_api else Rejected
    if status == 404 and switched_off(where):
        kind = SwitchedOff
    sentence = _status_sentence(kind, status, words, where, retry_after)
    return kind(sentence, status=status, code=code, param=param, retry_after=retry_after)


def switched_off(where: str) -> bool:
    """Whether this host (with or without port) once served the hosted Assistants API."""
    host = where.partition(":")[0]
    return host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))


def _status_sentence(kind: type[Rejected], status: int, words: str, where: str, retry_after: float | None) -> str:
    if kind is SwitchedOff:
        return (
            f"{where} answered 404: the hosted Assistants API was switched off on 2026-08-26. "
            "Start without --server to use the built-in engine."
        )
    said = f": {words}" if words else ""
    said += "" if said.endswith((".", "!", "?", "…")) else "."
    if status == 404:
        asks = f"{where} knows no such path (404). Is the server's address right, with its /v1?"
        return (words if kind is NotFound else "") or asks
    happened, advice = _MEANINGS.get(status) or _MEANINGS.get(status // 100 * 100, ("answered", ""))
    if advice == _WAIT:
        advice = "Try again in a moment." if retry_after is None else f"Try again in {duration(retry_after)}."
    return f"{where} {happened} ({status}){said} {advice}".rstrip()


_WAIT = "wait"
_MEANINGS = {
    300: ("points to another address", "Start with that address as --server."),
    400: ("refused the request", ""),
    401: ("did not accept the key", "Set PLAYGROUND_TUI_SERVER_KEY and start again."),
    403: ("does not allow this with the key given", ""),
    409: ("is busy with a conflicting request", "Try again."),
    413: ("found the request too large", "Shorten the text."),
    429: ("asks to slow down", _WAIT),
    500: ("has a problem of its own", _WAIT),
}
"""What a status means and what to do, by the status or its hundred."""
