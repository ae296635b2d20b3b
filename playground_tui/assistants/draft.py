"""The assistant being edited: what the server has, and what was changed in the form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from playground_tui.assistants import checks, fields, metadata, response_format, tools
from playground_tui.assistants.fields import API_FIELD, API_FIELDS, Value
from playground_tui.assistants.metadata import MetadataTextError
from playground_tui.assistants.objects import Json, object_of, text_of
from playground_tui.assistants.response_format import SchemaTextError
from playground_tui.assistants.stored import resources_with
from playground_tui.assistants.tools import FunctionTextError


@dataclass(frozen=True)
class AssistantDraft:
    """The base as the server answered it, and the form's values that differ from it.

    Values are the form's own, so that half-typed JSON is kept as typed: `name description instructions model
    functions schema metadata reasoning_effort` and the kind in `response_format` are str, `file_search
    code_interpreter function` bool, `temperature top_p` float or None (the server's default). A base without an id
    is a new assistant.
    """

    base: Json = field(default_factory=dict)
    edits: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def new(cls, model: str = "", name: str = "") -> Self:
        """A draft of an assistant that is not created yet."""
        return cls({}, {key: value for key, value in (("name", name), ("model", model)) if value})

    @classmethod
    def copy_of(cls, raw: Json, name: str) -> Self:
        """A draft of a new assistant that is like this one, tools and all."""
        base = {key: raw[key] for key in (*API_FIELDS, "tool_resources") if key in raw}
        return cls(base).with_(name=name)

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        """Reads `to_json()`. Whatever is not a field's value is left out."""
        edits = object_of(raw, "edits")
        kept = {key: value for key, value in edits.items() if key in API_FIELD and fields.is_value(key, value)}
        return cls(dict(object_of(raw, "base"))).with_(**kept)

    def to_json(self) -> dict[str, Any]:
        """`{"base", "edits"}`, for the cache."""
        return {"base": dict(self.base), "edits": dict(self.edits)}

    @cached_property
    def is_new(self) -> bool:
        return not text_of(self.base, "id")

    @property
    def assistant_id(self) -> str | None:
        return text_of(self.base, "id") or None

    def value(self, name: str) -> Value:
        """What the form shows in this field."""
        return self.edits[name] if name in self.edits else fields.read(self.base, name)

    def text(self, name: str) -> str:
        """The value of a field of text."""
        value = self.value(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        """The value of a sampling field."""
        value = self.value(name)
        return float(value) if isinstance(value, int | float) else None

    def with_(self, **values: Value) -> Self:
        """The draft with these fields set; one set to the base's value is no edit. Itself when nothing differs."""
        edits = dict(self.edits)
        for name, value in values.items():
            if value == fields.read(self.base, name):
                edits.pop(name, None)
            else:
                edits[name] = value
        return self if edits == self.edits else replace(self, edits=edits)

    @property
    def other_tools(self) -> list[str]:
        """Types of the tools that are kept but not edited here."""
        return tools.others(tools.tool_list(self.base))

    @property
    def switched_on(self) -> set[str]:
        """The types of the tools that are on, functions aside."""
        return {tool for tool in tools.SWITCHES if self.value(tool) is True}

    # What is sent

    def changes(self) -> dict[str, Any]:
        """The API fields that differ from the base, with the values to send; for a new assistant all that are set.

        A field whose text cannot be read is left out: `problems()` names it.
        """
        found: dict[str, Any] = {}
        for name in self._touched():
            try:
                value = self._api_value(name)
            except (FunctionTextError, SchemaTextError, MetadataTextError):
                continue
            if not fields.same(name, {name: value}, {} if self.is_new else self.base) or self._given(name):
                found[name] = value
        resources = resources_with(self.base) if self.is_new else {}
        return {**found, "tool_resources": resources} if resources else found

    def unsaved(self) -> bool:
        """Whether the form holds something that the server does not have."""
        return any(self._differs(name) for name in self.edits)

    def _touched(self) -> Iterable[str]:
        return dict.fromkeys(API_FIELD[name] for name in API_FIELD if self.is_new or name in self.edits)

    def _given(self, name: str) -> bool:
        """A sampling value that was given, or taken back, though the API answers alike for both."""
        return name in fields.SAMPLING and name in self.edits

    def _api_value(self, name: str) -> Any:
        """The value to send in this API field. Raises the error of the text that cannot be read."""
        if name == "tools":
            return self._tools()
        if name == "response_format":
            return response_format.build(self.base, self.text(name), self.text("schema"))
        if name == "metadata":
            return self._metadata()
        value = self.value(name)
        return value or None if name == "reasoning_effort" else value

    def _tools(self) -> list[Any]:
        switches = {name: self.value(name) is True for name in tools.SWITCHES}
        return tools.edited(tools.tool_list(self.base), switches, self._functions())

    def _functions(self) -> list[dict[str, Any]] | None:
        """The definitions to send, or None to leave them as they are."""
        if self.value("function") is not True:
            return []
        return tools.parse_functions(self.text("functions")) if "functions" in self.edits else None

    def _metadata(self) -> dict[str, Any]:
        before = object_of(self.base, "metadata")
        if "metadata" not in self.edits:
            return dict(before)
        pairs = metadata.parse(self.text("metadata"))
        return {
            key: before[key] if key in before and metadata.shown(before[key]) == value else value
            for key, value in pairs.items()
        }

    def _differs(self, name: str) -> bool:
        """Whether this edit is more than another way to write what the base has, or text put aside."""
        if name == "functions":
            return self.value("function") is True and self._functions_differ()
        if name == "schema":
            return self.value("response_format") == "json_schema" and self._reads_otherwise("response_format")
        if name == "metadata":
            return self._reads_otherwise("metadata")
        if name == "function" and self.value(name) is True:
            return bool(self.text("functions").strip())
        return name in self.edits

    def _functions_differ(self) -> bool:
        try:
            return tools.parse_functions(self.text("functions")) != tools.functions(tools.tool_list(self.base))
        except FunctionTextError:
            return True

    def _reads_otherwise(self, name: str) -> bool:
        try:
            return not fields.same(name, {name: self._api_value(name)}, self.base)
        except (FunctionTextError, SchemaTextError, MetadataTextError):
            return True

    # What is wrong

    def problems(self) -> dict[str, str]:
        """Why the draft cannot be sent: a sentence's end for each field, only for what would be sent."""
        return {name: problem for name in API_FIELD if self.blocks(name) and (problem := self.problem(name))}

    def blocks(self, name: str) -> bool:
        """Whether a problem of this field keeps the draft from being sent: it would be sent with it."""
        return self.is_new or name in self.edits or (name == "schema" and "response_format" in self.edits)

    def problem(self, name: str) -> str:
        """Why the value of this field cannot be sent, or ""."""
        return checks.problem(self, name)

    def warning(self, name: str, models: Collection[str] = ()) -> str:
        """What looks wrong in this field, or "". What the server has already is never refused, only said."""
        if not self.blocks(name) and (problem := self.problem(name)):
            return problem
        return checks.warning(self, name, models)

    # What others changed

    def rebased(self, new_base: Json) -> tuple[Self, dict[str, Value]]:
        """The same edits on a newer base, and the other value of each field that was changed on both sides.

        Fields without an edit of their own take the new value. Texts put aside (functions while they are off, a schema
        while another format is chosen) stay.
        """
        edits: dict[str, Value] = {}
        others: dict[str, Value] = {}
        aside = self._put_aside()
        for name in (name for name in API_FIELD if name in self.edits or name in aside):
            mine, theirs = self.value(name), fields.read(new_base, name)
            changed, differs = theirs != fields.read(self.base, name), self._differs(name)
            stays = differs or not changed or (name in aside and (name in self.edits or not theirs))
            if mine != theirs and stays:
                edits[name] = mine
                others |= {name: theirs} if changed and differs else {}
        rebased = replace(self, base=new_base, edits=edits)
        return rebased, {name: theirs for name, theirs in others.items() if rebased._differs(name)}

    def _put_aside(self) -> set[str]:
        aside = {"functions"} if self.value("function") is not True and self.text("functions") else set()
        if self.value("response_format") != "json_schema" and self.text("schema"):
            aside.add("schema")
        return aside
