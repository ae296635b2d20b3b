from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground_tui.assistants import tools
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.fields import API_FIELD

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}, "cache": 1}
TIME = {"type": "function", "function": {"name": "time"}}
SEARCH = {"type": "file_search", "file_search": {"max_num_results": 5}}
WEB = {"type": "web_search", "domains": ["a"]}


def draft(**base: Any) -> AssistantDraft:
    return AssistantDraft({"id": "asst_1", "name": "Helper", "model": "m", **base})


def test_a_draft_shows_its_base() -> None:
    one = draft(
        description=None,
        tools=[SEARCH, WEATHER],
        response_format={"type": "json_schema", "json_schema": {"name": "answer"}},
        temperature=1,
        metadata={"category": "work", "note": "a\nb"},
    )
    assert one.value("description") == ""
    assert one.value("file_search") is True
    assert one.value("code_interpreter") is False
    assert json.loads(one.text("functions")) == [WEATHER["function"]]
    assert one.value("response_format") == "json_schema"
    assert json.loads(one.text("schema")) == {"name": "answer"}
    assert one.value("temperature") == 1.0
    assert one.value("top_p") is None
    assert one.value("metadata") == 'category = work\nnote = "a\\nb"'
    assert one.changes() == {}
    assert not one.unsaved()


def test_an_edit_back_to_the_base_is_no_edit() -> None:
    one = draft()
    two = one.with_(name="Other")
    assert two.changes() == {"name": "Other"}
    assert two.with_(name="Helper").edits == {}
    assert two.with_(name="Other") is two


def test_taking_a_temperature_back_to_the_default_sends_null_and_giving_one_sends_it() -> None:
    assert draft(temperature=1).with_(temperature=None).changes() == {"temperature": None}
    assert draft().with_(temperature=1.0).changes() == {"temperature": 1.0}
    assert draft(reasoning_effort="high").with_(reasoning_effort="").changes() == {"reasoning_effort": None}


def test_a_new_assistant_sends_all_that_is_set() -> None:
    one = AssistantDraft.new(model="m").with_(name="A", file_search=True, metadata="a = b", response_format="text")
    assert one.is_new
    assert one.assistant_id is None
    assert one.changes() == {
        "name": "A",
        "model": "m",
        "tools": [{"type": "file_search"}],
        "metadata": {"a": "b"},
        "response_format": {"type": "text"},
    }


def test_a_copy_is_a_new_assistant_with_the_same_configuration() -> None:
    raw = dict(draft(tools=[WEB, WEATHER], temperature=0.2, tool_resources={}, created_at=1).base)
    assert AssistantDraft.copy_of(raw, "Copy").changes() == {
        "name": "Copy",
        "model": "m",
        "tools": [WEB, WEATHER],
        "temperature": 0.2,
    }


def test_tools_are_edited_in_place() -> None:
    one = draft(tools=[WEB, SEARCH, WEATHER, "odd", TIME])
    assert one.with_(code_interpreter=True).changes()["tools"] == [
        WEB,
        SEARCH,
        WEATHER,
        "odd",
        TIME,
        {"type": "code_interpreter"},
    ]
    assert one.with_(file_search=False).changes()["tools"] == [WEB, WEATHER, "odd", TIME]
    assert one.with_(function=False).changes()["tools"] == [WEB, SEARCH, "odd"]
    assert one.other_tools == ["web_search", "a tool without a type"]


def test_functions_keep_their_places_and_the_options_of_their_tool() -> None:
    one = draft(tools=[WEATHER, WEB, TIME])
    definitions = [{"name": "weather", "description": "d"}, {"name": "now"}, {"name": "third"}]
    assert one.with_(functions=json.dumps(definitions)).changes()["tools"] == [
        {"type": "function", "function": {"name": "weather", "description": "d"}, "cache": 1},
        WEB,
        {"type": "function", "function": {"name": "now"}},
        {"type": "function", "function": {"name": "third"}},
    ]
    assert one.with_(functions='{"name": "weather"}').changes()["tools"] == [
        {"type": "function", "function": {"name": "weather"}, "cache": 1},
        WEB,
    ]


def test_a_whole_tool_pasted_as_a_definition_is_understood() -> None:
    one = draft().with_(function=True, functions=json.dumps(TIME))
    assert one.changes() == {"tools": [TIME]}


def test_functions_ticked_without_a_definition_change_nothing_yet() -> None:
    one = draft().with_(function=True)
    assert one.changes() == {}
    assert not one.unsaved()
    assert one.problems() == {}
    assert one.warning("functions") == "no function is defined yet"


def test_unticked_functions_keep_their_definitions_in_the_draft() -> None:
    one = draft(tools=[WEATHER]).with_(function=False)
    saved, _ = one.rebased({**one.base, **one.changes()})
    assert tools.parse_functions(saved.text("functions")) == [WEATHER["function"]]
    assert not saved.unsaved()
    assert saved.with_(function=True).changes() == {"tools": [{"type": "function", "function": WEATHER["function"]}]}


def test_a_schema_put_aside_is_kept_in_the_draft() -> None:
    kind = {"type": "json_schema", "json_schema": {"name": "answer"}}
    one = draft(response_format=kind).with_(response_format="text")
    assert one.changes() == {"response_format": {"type": "text"}}
    saved, _ = one.rebased({**one.base, **one.changes()})
    assert not saved.unsaved()
    assert saved.with_(response_format="json_schema").changes() == {"response_format": kind}


def test_an_unknown_response_format_is_kept() -> None:
    one = draft(response_format={"type": "grammar", "syntax": "lark"})
    assert one.value("response_format") == "grammar"
    assert one.with_(name="A").changes() == {"name": "A"}
    assert one.with_(response_format="auto").changes() == {"response_format": "auto"}
    assert one.with_(response_format="auto").with_(response_format="grammar").changes() == {}
    assert draft(response_format=7).value("response_format") == "unknown"


def test_a_schema_keeps_the_options_beside_it() -> None:
    one = draft(response_format={"type": "json_schema", "json_schema": {"name": "a"}, "extra": 1})
    changed = one.with_(schema='{"name": "b", "schema": {}}').changes()
    assert changed["response_format"] == {"type": "json_schema", "json_schema": {"name": "b", "schema": {}}, "extra": 1}


def test_another_way_to_write_the_same_is_no_change() -> None:
    one = draft(metadata={"a": "b"}, tools=[TIME])
    two = one.with_(metadata="a=b", functions='[{"name":"time"}]')
    assert two.changes() == {}
    assert not two.unsaved()
    assert two.rebased({**one.base, "metadata": {"a": "c"}})[0].value("metadata") == "a = c"


def test_half_typed_text_is_kept_and_not_sent() -> None:
    one = draft(metadata={"a": "b"}).with_(metadata="a = b\nc", name="New")
    assert one.changes() == {"name": "New"}
    assert one.unsaved()
    assert one.problems() == {"metadata": "metadata: line 2: write key = value"}
    assert AssistantDraft.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_metadata_values_that_are_no_strings_stay_what_they_are() -> None:
    one = draft(metadata={"n": 5, "a": "b"})
    assert one.with_(metadata="n = 5\na = c").changes() == {"metadata": {"n": 5, "a": "c"}}


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", " ", "name is empty"),
        ("name", "x" * 257, "name has 257 characters, at most 256 are allowed"),
        ("description", "x" * 513, "description has 513 characters, at most 512 are allowed"),
        ("instructions", "x" * 256_001, "instructions has 256,001 characters, at most 256,000 are allowed"),
        ("instructions", "\ud800", "instructions holds half a character that cannot be sent"),
        ("model", "", "model is empty: choose one or type its id"),
        ("temperature", 2.1, "temperature is 2.1, it goes from 0 to 2"),
        ("top_p", -0.5, "top p is -0.5, it goes from 0 to 1"),
        ("metadata", "= b", "metadata: line 1: the key is empty"),
        ("metadata", "a = 1\n\na = 2", "metadata: line 3: 'a' is there twice"),
        ("metadata", "k" * 65 + " = v", "metadata: the key kkkkkkkkkkkkkkkkkkk… has 65 characters, at most 64"),
        ("metadata", "k = " + "v" * 513, "metadata: k has 513 characters, at most 512 are allowed"),
        ("metadata", "k = \ud800", "metadata: k holds half a character that cannot be sent"),
        ("metadata", "\n".join(f"k{i} = v" for i in range(17)), "metadata has 17 pairs, at most 16 are allowed"),
    ],
)
def test_each_field_says_what_is_wrong(field: str, value: Any, problem: str) -> None:
    one = draft().with_(**{field: value})
    assert one.problems()[field].startswith(problem)
    assert list(one.problems()) == [field]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'JSON schema: empty: write {"name"'),
        ('{"name": "a",\n  "schema" {}}', "JSON schema: not valid JSON: line 2, column 12: expecting ':' delimiter"),
        ("[1]", "JSON schema: not a JSON object"),
        ('{"type": "object"}', "JSON schema: needs a name"),
        ('{"name": "a b"}', "JSON schema: its name may have"),
        ('{"name": "a", "schema": 1}', 'JSON schema: "schema" is not a JSON object'),
        ('{"name": "a", "schema": {"x": NaN}}', "JSON schema: not valid JSON: NaN is not JSON"),
        ('{"name": "a", "schema": {"x": 1e999}}', "JSON schema: not valid JSON: Out of range"),
        ('{"name": "a", "x": "\\ud800"}', "JSON schema: not valid JSON: it holds half a character"),
        ("[" * 100_000, "JSON schema: not valid JSON: it is nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "JSON schema: not valid JSON: "),
    ],
)
def test_a_bad_schema_says_where_and_what(text: str, problem: str) -> None:
    one = draft().with_(response_format="json_schema", schema=text)
    assert one.problem("schema").startswith(problem)
    assert one.changes() == {}
    assert one.unsaved()
    assert one.with_(response_format="text").problem("schema") == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not valid JSON: line 1, column 2"),
        ("[1]", "definition 1 is not an object with a name"),
        ("[{}]", "definition 1 needs a name"),
        ('[{"name": "a.b"}]', "the name 'a.b' may have"),
        ('[{"name": "a"}, {"name": "a"}]', "'a' is defined twice"),
        ('[{"name": "a", "parameters": []}]', "the parameters of a are not a JSON object"),
    ],
)
def test_bad_function_definitions_say_what_is_wrong(text: str, problem: str) -> None:
    one = draft().with_(function=True, functions=text)
    assert one.problems()["functions"].startswith(f"function definitions: {problem}")
    assert one.changes() == {}


def test_too_many_tools_are_refused() -> None:
    many = json.dumps([{"name": f"f{i}"} for i in range(128)])
    one = draft().with_(function=True, functions=many)
    assert one.problems() == {}
    assert "129 tools" in one.with_(file_search=True).problems()["functions"]


def test_what_the_server_already_has_is_a_warning_not_a_problem() -> None:
    one = draft(name=None, temperature=5).with_(description="d")
    assert one.problems() == {}
    warnings = {name: one.warning(name) for name in API_FIELD if one.warning(name)}
    assert warnings == {"name": "name is empty", "temperature": "temperature is 5, it goes from 0 to 2"}


def test_a_model_that_is_not_listed_is_a_warning_only_when_a_list_is_known() -> None:
    one = draft(model="qwen3")
    assert one.warning("model", []) == ""
    assert one.warning("model", ["openai/gpt-6"]) == "this model is not in the server's list"
    assert one.warning("model", ["ollama/qwen3"]) == ""
    assert one.warning("model", ["qwen3"]) == ""


def test_a_change_elsewhere_is_taken_and_one_on_both_sides_stays_mine() -> None:
    one = draft(instructions="old", tools=[WEB]).with_(instructions="mine", file_search=True)
    two, others = one.rebased(
        {**one.base, "name": "Theirs", "instructions": "theirs", "tools": [WEB, TIME], "temperature": 0.1}
    )
    assert two.value("name") == "Theirs"
    assert two.value("temperature") == 0.1
    assert others == {"instructions": "theirs"}
    assert two.changes() == {"instructions": "mine", "tools": [WEB, TIME, {"type": "file_search"}]}


def test_text_put_aside_by_hand_survives_a_change_elsewhere() -> None:
    one = draft(tools=[TIME]).with_(function=False, functions='[{"name": "mine"}]')
    two, others = one.rebased({**one.base, "tools": [WEATHER]})
    assert tools.parse_functions(two.text("functions")) == [{"name": "mine"}]
    assert others == {}


def test_from_json_is_total() -> None:
    assert AssistantDraft.from_json({}) == AssistantDraft()
    odd = {"base": 5, "edits": {"name": 5, "nope": "x", "file_search": "yes", "temperature": True, "top_p": 0.5}}
    assert AssistantDraft.from_json(odd) == AssistantDraft({}, {"top_p": 0.5})


BUSY = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TOOLS = st.sampled_from([WEATHER, TIME, SEARCH, WEB, {"type": "code_interpreter"}, {"type": "function"}, "odd", {}])
FORMATS = st.sampled_from(
    [None, "auto", {"type": "text"}, {"type": "grammar", "x": 1}, {"type": "json_schema", "json_schema": {"name": "a"}}]
)
METADATA = st.dictionaries(st.text(max_size=9), st.text(max_size=12), max_size=5)
BASES = st.fixed_dictionaries(
    {"id": st.just("asst_1"), "name": st.text(min_size=1, max_size=9), "model": st.just("m")},
    optional={
        "description": st.none() | st.text(max_size=9),
        "tools": st.lists(TOOLS, max_size=5),
        "response_format": FORMATS,
        "temperature": st.none() | st.floats(0, 2),
        "top_p": st.none() | st.floats(0, 1),
        "reasoning_effort": st.none() | st.sampled_from(["low", "ultra"]),
        "metadata": METADATA,
        "tool_resources": st.just({"file_search": {"vector_store_ids": ["vs_1"]}}),
    },
)
EDITS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(min_size=1, max_size=9),
        "description": st.text(max_size=9),
        "file_search": st.booleans(),
        "code_interpreter": st.booleans(),
        "function": st.booleans(),
        "functions": st.sampled_from(["", "{", '[{"name": "time"}]', '{"name": "new"}']),
        "response_format": st.sampled_from(["auto", "text", "json_object", "json_schema"]),
        "schema": st.sampled_from(["", "{", '{"name": "b"}']),
        "temperature": st.none() | st.floats(0, 2),
        "top_p": st.none() | st.floats(0, 1),
        "reasoning_effort": st.sampled_from(["", "high"]),
        "metadata": st.sampled_from(["", "a", "a=b", "a = b\nc = d"]),
    },
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*API_FIELD.values(), "id"), JSON)))
@settings(**BUSY)
def test_any_object_of_a_server_loads_without_a_change(base: dict[str, Any]) -> None:
    one = AssistantDraft(base)
    same = one.with_(**{field: one.value(field) for field in API_FIELD})
    assert same is one
    assert not one.unsaved()
    assert one.changes() == {} or one.is_new


@given(BASES, EDITS)
@settings(max_examples=200, **BUSY)
def test_nothing_is_sent_that_did_not_change_and_what_was_sent_is_saved(
    base: dict[str, Any], edits: dict[str, Any]
) -> None:
    one = AssistantDraft(base).with_(**edits)
    changes = one.changes()
    assert set(changes) <= {API_FIELD[field] for field in one.edits}
    assert one.unsaved() == bool(changes or {"functions", "schema", "metadata"} & set(one.problems()))
    kept = [tool for tool in base.get("tools", []) if tool in (WEB, "odd", {}, {"type": "function"})]
    sent = changes.get("tools", base.get("tools", []))
    assert [tool for tool in sent if tool in kept] == kept
    saved, others = one.rebased({**base, **changes})
    assert saved.changes() == {}
    assert others == {}
    assert {f: saved.value(f) for f in API_FIELD if f != "function"} == {
        f: one.value(f) for f in API_FIELD if f != "function"
    }


@given(BASES, BASES, EDITS)
@settings(max_examples=200, **BUSY)
def test_a_rebased_draft_sends_my_changes_alone(
    base: dict[str, Any], newer: dict[str, Any], edits: dict[str, Any]
) -> None:
    one = AssistantDraft(base).with_(**edits)
    two, others = one.rebased(newer)
    assert set(others) <= set(one.edits)
    for field in API_FIELD:
        if field in others:
            assert two.value(field) == one.value(field)
            assert others[field] == AssistantDraft(newer).value(field)
        elif field not in two.edits:
            assert two.value(field) == AssistantDraft(newer).value(field)
    assert set(two.changes()) <= {API_FIELD[field] for field in two.edits}


@given(METADATA)
@settings(max_examples=300, **BUSY)
def test_metadata_read_as_text_and_back_is_the_same(metadata: dict[str, str]) -> None:
    metadata.pop("", None)
    one = draft(metadata=metadata)
    assert one.with_(metadata=one.text("metadata") + "\nzzzzzzzzzzzz = 1").changes() == {
        "metadata": {**metadata, "zzzzzzzzzzzz": "1"}
    }


def test_a_draft_needs_neither_pydantic_nor_the_sdk_nor_textual() -> None:
    code = (
        "import sys; import playground_tui.assistants.draft, playground_tui.assistants.editor;"
        "print([m for m in ('pydantic', 'openai', 'httpx2', 'textual') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
