"""The engine's own tools as a model is told of them: functions under names that no function of the user has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Mapping[str, Any]
Kind = Literal["file_search", "code_interpreter"]

KINDS: tuple[Kind, ...] = ("file_search", "code_interpreter")
NAMES_TOLD = 50
"""The description of a tool names at most so many files."""

_SEARCH = (
    "Search the files of this conversation. Gives numbered passages, each under a marker such as 【0:3†report.pdf】. "
    "When an answer uses a passage, put its marker, copied exactly, right behind the statement that it supports."
)
_CODE = (
    "Run Python in a private sandbox without network. Variables and files are kept between calls. What the code "
    "prints, the value of its last expression and matplotlib figures come back; figures are shown to the user. "
    "Files are in /mnt/data. To hand a file to the user, write it there and link to it in the answer as "
    "[name](sandbox:/mnt/data/name)."
)
_QUERIES = {
    "type": "array",
    "items": {"type": "string"},
    "description": "One to five questions or phrases to search for, each complete in itself.",
}
_PARAMETERS: Mapping[Kind, Json] = {
    "file_search": {"type": "object", "properties": {"queries": _QUERIES}, "required": ["queries"]},
    "code_interpreter": {
        "type": "object",
        "properties": {"code": {"type": "string", "description": "The Python code."}},
        "required": ["code"],
    },
}


@dataclass(frozen=True, slots=True)
class Offer:
    """The own tools that a run has, and the names they go by. `files` are the names of the files each can use."""

    names: Mapping[Kind, str] = field(default_factory=dict)
    files: Mapping[Kind, Sequence[str]] = field(default_factory=dict)

    def kind_of(self, name: str) -> Kind | None:
        """Which own tool a function call means, if any."""
        return next((kind for kind, known in self.names.items() if known == name), None)

    def name_of(self, kind: Kind) -> str:
        """What a tool is called, also one that an earlier run had and this one has not."""
        return self.names.get(kind, kind)

    def functions(self, tools: Iterable[Json]) -> Iterator[Json]:
        """The run's tools as functions, in their order."""
        told: set[str] = set()
        for tool in tools:
            kind = tool["type"]
            if kind == "function":
                yield tool
            elif kind in self.names and kind not in told:
                told.add(kind)
                yield self._function(kind)

    def choice(self, choice: Any) -> Any:
        """The run's tool choice, an own tool named as a function."""
        if isinstance(choice, Mapping) and choice.get("type") in self.names:
            return {"type": "function", "function": {"name": self.names[choice["type"]]}}
        return choice

    def _function(self, kind: Kind) -> Json:
        description = {"file_search": _SEARCH, "code_interpreter": _CODE}[kind] + _told(self.files.get(kind, ()))
        function = {"name": self.names[kind], "description": description, "parameters": _PARAMETERS[kind]}
        return {"type": "function", "function": function}


def offer(run: Json, *, without: Collection[str] = (), files: Mapping[Kind, Sequence[str]] | None = None) -> Offer:
    """The own tools of a run but those in `without`."""
    tools = run.get("tools") or ()
    taken = {tool["function"]["name"] for tool in tools if tool["type"] == "function"}
    wanted = {tool["type"] for tool in tools} - set(without)
    return Offer({kind: _free_name(kind, taken) for kind in KINDS if kind in wanted}, files or {})


def _free_name(kind: Kind, taken: Collection[str]) -> str:
    name, number = str(kind), 1
    while name in taken:
        number += 1
        name = f"{kind}_{number}"
    return name


def _told(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return f" Files: {', '.join(names[:NAMES_TOLD])}{more}."
