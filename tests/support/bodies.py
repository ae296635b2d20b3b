"""Bodies drawn from the schemas of requests: such as are allowed, and such as have one fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

Schema = Mapping[str, Any]
Strategy = st.SearchStrategy[Any]
Fault = Callable[[], Strategy]
"""Gives the strategy of one fault: there are hundreds, and a strategy is dear to make."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ANY: Mapping[str, Strategy] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "integer": st.integers(-3, 3),
    "number": st.floats(-3, 3).filter(lambda number: number % 1 != 0),
    "string": TEXT,
    "array": st.lists(st.none() | st.integers(0, 3), max_size=2),
    "object": st.dictionaries(st.sampled_from(["a", "type", "name"]), st.none() | st.integers(0, 3), max_size=2),
}
"""Values of each of JSON's types. A whole number counts as both kinds of numbers."""
FEW = 40
"""A list with a higher limit is not drawn beyond it."""


class Bodies:
    """The bodies of one schema. `known` draws what stands under a name: ids that there are, above all."""

    def __init__(self, model: type[BaseModel], known: Mapping[str, Strategy]):
        self._model = model
        self._schema = model.model_json_schema()
        self._known = known
        self._drawn: dict[str, Strategy] = {}

    def right(self) -> Strategy:
        """Bodies that the schema allows. What it cannot say (one of two keys, say) is left to the model."""
        return self._right(self._schema).filter(self._valid)

    def wrong(self) -> Strategy:
        """Bodies with one fault in them."""
        faults = list(self._faults(self._schema, frozenset()))
        drawn = st.sampled_from(faults).flatmap(lambda fault: fault())
        return drawn.filter(lambda body: not self._valid(body))

    def _valid(self, body: Any) -> bool:
        try:
            self._model.model_validate(body)
        except ValidationError:
            return False
        return True

    def _kinds(self, schema: Schema) -> list[Schema]:
        """The alternatives that a schema has."""
        if "$ref" in schema:
            schema = self._schema["$defs"][schema["$ref"].rpartition("/")[2]]
        several = schema.get("anyOf") or schema.get("oneOf")
        return [kind for one in several for kind in self._kinds(one)] if several else [schema]

    def _right(self, schema: Schema) -> Strategy:
        name = schema.get("$ref", "")
        if name and name not in self._drawn:  # a filter holds filters
            (kind,) = self._kinds(schema)
            self._drawn[name] = st.deferred(lambda: self._right_kind(kind))
        several = schema.get("anyOf") or schema.get("oneOf")
        if name:
            return self._drawn[name]
        return st.one_of(*map(self._right, several)) if several else self._right_kind(schema)

    def _right_kind(self, kind: Schema) -> Strategy:
        match kind.get("type"):
            case "string" | "null" if "const" in kind or "enum" in kind:
                return st.sampled_from(kind.get("enum", [kind.get("const")]))
            case "string":
                return _right_text(kind)
            case "integer":
                return st.integers(kind.get("minimum", -5), kind.get("maximum", 5))
            case "number":
                return st.floats(kind.get("minimum", -5), kind.get("maximum", 5))
            case "array":
                most = min(kind.get("maxItems", 3), 3)
                return st.lists(self._right(kind["items"]), min_size=kind.get("minItems", 0), max_size=most)
            case "object":
                return self._right_object(kind)
            case other:
                return ANY[other] if other else st.one_of(list(ANY.values()))

    def _right_object(self, kind: Schema) -> Strategy:
        if "properties" not in kind:
            values = kind.get("additionalProperties", True)
            return st.dictionaries(TEXT, self._right({} if values is True else values), max_size=2)
        drawn = {name: self._known.get(name, self._right(value)) for name, value in kind["properties"].items()}
        needed = {name: drawn.pop(name) for name in kind.get("required", ())}
        return st.fixed_dictionaries(needed, optional=drawn)

    def _faults(self, schema: Schema, inside: frozenset[str]) -> Iterator[Fault]:
        """Values with one fault: of a type that is not allowed, or wrong within one of the alternatives.

        `inside` are the objects that are being looked at.
        """
        kinds = self._kinds(schema)
        types = [kind.get("type") for kind in kinds]
        if None not in types:
            allowed = {*types, "integer"} if "number" in types else {*types}
            yield from (partial(ANY.__getitem__, other) for other in ANY if other not in allowed)
        for kind in kinds:
            if types.count(kind.get("type")) == 1 or kind.get("type") == "object":
                yield from self._faults_within(kind, inside)

    def _faults_within(self, kind: Schema, inside: frozenset[str]) -> Iterator[Fault]:
        match kind.get("type"):
            case "string":
                yield from (partial(st.just, text) for text in _wrong_texts(kind))
            case "integer" | "number" if "minimum" in kind:
                yield partial(st.sampled_from, [kind["minimum"] - 1, kind["maximum"] + 1])
            case "array":
                yield from self._wrong_lists(kind, inside)
            case "object" if kind.get("title") not in inside:
                yield from self._wrong_objects(kind, inside | {kind.get("title", "")} - {""})

    def _wrong_lists(self, kind: Schema, inside: frozenset[str]) -> Iterator[Fault]:
        most, items = kind.get("maxItems", FEW + 1), kind["items"]
        if most <= FEW:
            yield lambda: st.lists(self._right(items), min_size=most + 1, max_size=most + 1)
        if kind.get("minItems"):
            yield partial(st.just, [])
        for fault in self._faults(items, inside):
            yield lambda fault=fault: st.lists(fault(), min_size=1, max_size=1)

    def _wrong_objects(self, kind: Schema, inside: frozenset[str]) -> Iterator[Fault]:
        values = kind.get("additionalProperties", True)
        if values is False:
            yield lambda: self._changed(kind, lambda body: {**body, "nonsense": 1})
        elif values is not True:
            long_key = "k" * (kind["propertyNames"]["maxLength"] + 1)
            yield lambda: st.fixed_dictionaries({long_key: self._right(values)})
            for fault in self._faults(values, inside):
                yield lambda fault=fault: st.fixed_dictionaries({"a": fault()})
        for name in kind.get("required", ()):
            yield lambda name=name: self._changed(kind, lambda body: {key: body[key] for key in body if key != name})
        for name, value in kind.get("properties", {}).items():
            for fault in self._faults(value, inside):
                yield partial(self._with_wrong, kind, name, fault)

    def _changed(self, kind: Schema, change: Callable[[dict[str, Any]], Any]) -> Strategy:
        return self._right_object(kind).map(change)

    def _with_wrong(self, kind: Schema, name: str, fault: Fault) -> Strategy:
        return st.builds(lambda body, wrong: {**body, name: wrong}, self._right_object(kind), fault())


def _right_text(kind: Schema) -> Strategy:
    if "pattern" in kind:
        return st.from_regex(kind["pattern"], fullmatch=True)
    least, most = kind.get("minLength", 0), kind.get("maxLength", 12)
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=min(most, 12))


def _wrong_texts(kind: Schema) -> Iterator[str]:
    if "const" in kind or "enum" in kind:
        yield "nonsense"
    if "maxLength" in kind:
        yield "x" * (kind["maxLength"] + 1)
    if kind.get("minLength"):
        yield ""
    if "pattern" in kind:
        yield "ä" * 40
