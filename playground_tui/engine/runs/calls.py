"""The calls that a model is making, as one step: functions of the user and the engine's own tools.

Clients follow one call at a time. So a call behind one of the engine's own is shown when that one has its output; calls
of functions alone are shown as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from playground_tui.engine.objects import new_id, step_object
from playground_tui.engine.runs import deltas
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.prompt import AFTER
from playground_tui.engine.runs.tools.code_text import CodeText, queries_of
from playground_tui.engine.runs.tools.offer import Kind, Offer

Json = dict[str, Any]


class OpenCall(Protocol):
    """One call on its way."""

    @property
    def stored(self) -> Json:
        """What the step keeps of it, without its id."""
        ...

    def opening(self) -> Json:
        """What its first delta says: all that is known."""
        ...

    def add(self, text: str) -> Json | None:
        """Take more of the arguments; what a delta says of that, if anything."""
        ...

    def finish(self) -> Json | None:
        """The arguments are whole; what a delta says of what was still missing."""
        ...


class FunctionCall:
    """A call of a user's function."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pieces: list[str] = []

    @property
    def stored(self) -> Json:
        return _function(self._name, "".join(self._pieces) or "{}")

    def opening(self) -> Json:
        return _function(self._name, "".join(self._pieces))

    def add(self, text: str) -> Json | None:
        self._pieces.append(text)
        return {"type": "function", "function": {"arguments": text}}

    def finish(self) -> Json | None:
        return None


class SearchCall:
    """A search in files."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._search: Json = {}

    @property
    def stored(self) -> Json:
        return {"type": "file_search", "file_search": self._search}

    def opening(self) -> Json:
        return self.stored

    def add(self, text: str) -> Json | None:
        self._pieces.append(text)
        return None

    def finish(self) -> Json | None:
        self._search = {"queries": queries_of("".join(self._pieces))}
        return self.stored


class CodeCall:
    """Code to be run."""

    def __init__(self) -> None:
        self._text = CodeText()

    @property
    def stored(self) -> Json:
        return {"type": "code_interpreter", "code_interpreter": {"input": self._text.code, "outputs": []}}

    def opening(self) -> Json:
        return self.stored

    def add(self, text: str) -> Json | None:
        return _input(self._text.add(text))

    def finish(self) -> Json | None:
        return _input(self._text.finish())


_OWN: Mapping[Kind, Callable[[], OpenCall]] = {"file_search": SearchCall, "code_interpreter": CodeCall}


class OpenCalls:
    """The calls of one answer."""

    def __init__(self, live: LiveRun, step: Json, offer: Offer) -> None:
        self.step = step
        self._live = live
        self._offer = offer
        self._places: dict[int, int] = {}
        """The place of each call in the step, by its index in the answer."""
        self._ids: list[str] = []
        self._calls: list[OpenCall] = []
        self._done: dict[int, Json] = {}
        self._own: list[int] = []
        self._shown = 0

    @classmethod
    def new_step(cls, live: LiveRun) -> Json:
        """The step as it begins; it remembers where in the thread it stands."""
        details: Json = {"tool_calls": []}
        now = live.around.now()
        step = step_object(run=live.run, step_type="tool_calls", step_details=details, created_at=now)
        return {**step, AFTER: live.newest_message}

    def begin(self, index: int, call_id: str, name: str) -> None:
        """Begin a call. One without an id of its own, or with an id used before, gets a new one."""
        place, kind = len(self._calls), self._offer.kind_of(name)
        self._places[index] = place
        self._ids.append(new_id("call") if not call_id or call_id in self._ids else call_id)
        self._calls.append(_OWN[kind]() if kind else FunctionCall(name))
        if not self._own:
            self._show(place)
        if kind:
            self._own.append(place)

    def add(self, index: int, text: str) -> None:
        """Take more of a call's arguments."""
        place = self._places[index]
        self._tell(place, self._calls[place].add(text))

    def finish(self) -> list[int]:
        """All arguments are whole; the places of the engine's own calls."""
        for place, call in enumerate(self._calls):
            self._tell(place, call.finish())
        return self._own

    def show_to(self, place: int | None = None) -> None:
        """Show the calls up to this one, or all."""
        last = len(self._calls) if place is None else place + 1
        for hidden in range(self._shown, last):
            self._show(hidden)

    def set_done(self, place: int, call: Json) -> None:
        """Keep what a call of an own tool has given: the whole stored call."""
        self._done[place] = call

    def whole(self) -> list[Json]:
        """The calls as the step keeps them. What has no output yet has none in here."""
        return list(self._stored())

    def functions(self) -> list[Json]:
        """The calls of user's functions."""
        return [call for call in self._stored() if call["type"] == "function"]

    def _stored(self) -> Iterator[Json]:
        for place, call in enumerate(self._calls):
            yield self._done.get(place) or {"id": self._ids[place], **call.stored}

    def _show(self, place: int) -> None:
        self._shown = place + 1
        self._tell(place, {"id": self._ids[place], **self._calls[place].opening()})

    def _tell(self, place: int, said: Json | None) -> None:
        if said and place < self._shown:
            delta = deltas.step_delta(self.step["id"], {"index": place, **said})
            self._live.feed.publish(deltas.STEP_DELTA, delta)


def _function(name: str, arguments: str) -> Json:
    return {"type": "function", "function": {"name": name, "arguments": arguments, "output": None}}


def _input(code: str) -> Json | None:
    return {"type": "code_interpreter", "code_interpreter": {"input": code}} if code else None
