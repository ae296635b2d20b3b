"""What happens during a run, as one typed union: the stream's events, and what the program adds to them."""

from __future__ import annotations

from dataclasses import dataclass

from playground_tui.assistants.objects import Message, Run, Step


@dataclass(frozen=True, slots=True)
class ThreadCreated:
    """The thread was made for the first message."""

    thread_id: str


@dataclass(frozen=True, slots=True)
class MessageAccepted:
    """The server has the user's message: its text need no longer be kept."""

    message: Message


@dataclass(frozen=True, slots=True)
class RunChanged:
    """The run entered a state (`thread.run.*`)."""

    run: Run


@dataclass(frozen=True, slots=True)
class StepChanged:
    """A step of the run entered a state (`thread.run.step.*`, deltas left out)."""

    step: Step


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message entered a state (`thread.message.*`, deltas left out).

    Its text replaces what was shown for its id: an empty text at `created` begins it anew after a reconnection.
    """

    message: Message


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text at the end of a message."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The stream broke and is looked for again in `delay` seconds. Nothing was lost: the run goes on at the server."""

    reason: str
    attempt: int
    delay: float


@dataclass(frozen=True, slots=True)
class Retrying:
    """A request failed and is made again in `delay` seconds, as the try with this number. `what` has not happened yet.

    It is one that may be made again, or whose outcome is looked up before.
    """

    what: str
    reason: str
    attempt: int
    delay: float


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The server has answered again."""


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server sent an `error` event in the stream."""

    message: str


Event = (
    ThreadCreated
    | MessageAccepted
    | RunChanged
    | StepChanged
    | MessageChanged
    | TextDelta
    | Reconnecting
    | Retrying
    | Reconnected
    | ServerError
)
