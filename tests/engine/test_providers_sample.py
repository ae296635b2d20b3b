"""Arguments made from a JSON Schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground_tui.engine.providers.sample import sample


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "string", "minLength": 10}, "texttextte"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "multipleOf": 5, "minimum": 7}, 10),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "number"}, 1.5),
        ({"type": "number", "minimum": 2}, 2),
        ({"type": "number", "maximum": 0.5}, 0.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 1),
        ({"type": ["null"]}, None),
        ({"enum": ["b", "a"]}, "b"),
        ({"const": 7}, 7),
        ({"type": "string", "default": "given"}, "given"),
        ({"type": "string", "examples": ["for example"]}, "for example"),
        ({"type": "array"}, ["text"]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [1, 1, 1]),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}, [1, "text"]),
        ({"items": {"type": "boolean"}}, [True]),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"oneOf": [{"const": "x"}]}, "x"),
        ({"anyOf": [{"type": "null"}]}, None),
        ({"type": "object", "required": ["name"]}, {"name": "text"}),
        ({"properties": {"a": {"type": "integer"}, "b": True}}, {"a": 1, "b": "text"}),
        ({}, "text"),
        (None, "text"),
        (True, "text"),
        ({"$ref": "#/nowhere"}, "text"),
    ],
)
def test_a_value_fits_its_schema(schema: Any, value: Any):
    assert sample(schema) == value


def test_references_and_all_of_are_followed():
    schema = {
        "type": "object",
        "properties": {
            "place": {"$ref": "#/$defs/place"},
            "both": {
                "allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"properties": {"b": {"const": 2}}}]
            },
        },
        "$defs": {
            "place": {"type": "object", "properties": {"kind": {"$ref": "#/$defs/a~1b"}}},
            "a/b": {"enum": ["x"]},
        },
    }
    assert sample(schema) == {"place": {"kind": "x"}, "both": {"a": 1, "b": 2}}


def test_a_schema_that_contains_itself_comes_to_an_end():
    node = {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["value"],
    }
    value = sample(node)
    assert value["value"] == 1
    assert value["children"][0]["value"] == 1
    endless = {"properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert len(json.dumps(sample(endless))) < 1000
    assert sample({"$ref": "#"}) == "text"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "properties", "items", "required", "enum", "anyOf", "allOf", "minimum", "$ref"]
                ),
                inner | st.sampled_from(["object", "array", "integer", "string", "#"]),
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_no_schema_is_an_error(schema: Any):
    json.dumps(sample(schema))
