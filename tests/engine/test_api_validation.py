"""What the API refuses: always 400 with the contract's body, and never a 500."""

from __future__ import annotations

from typing import Any

import httpx2

TOOL = {"type": "function", "function": {"name": "f"}}


def check(response: httpx2.Response, status: int, **expected: Any) -> str:
    """The sentence of an error that has the contract's body."""
    assert response.status_code == status, response.text
    body = response.json()
    assert list(body) == ["error"]
    error = body["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert isinstance(error["message"], str)
    assert {key: error[key] for key in expected} == expected
    return str(error["message"])


def search(results: int, **ranking: Any) -> dict[str, Any]:
    options = {"ranking_options": ranking} if ranking else {}
    return {"type": "file_search", "file_search": {"max_num_results": results, **options}}


BROKEN_ASSISTANTS: list[tuple[dict[str, Any], str, str | None]] = [
    ({"model": None}, "model", "invalid_type"),
    ({"model": 4}, "model", "invalid_type"),
    ({"model": ""}, "model", "invalid_value"),
    ({"model": "asst_abc"}, "model", "invalid_value"),
    ({"name": "n" * 257}, "name", "string_above_max_length"),
    ({"description": "d" * 513}, "description", "string_above_max_length"),
    ({"instructions": "i" * 256_001}, "instructions", "string_above_max_length"),
    ({"tools": [TOOL] * 129}, "tools", "array_above_max_length"),
    ({"tools": TOOL}, "tools", "invalid_type"),
    ({"tools": ["file_search"]}, "tools.0", "invalid_type"),
    ({"tools": [TOOL, {"type": "web_search"}]}, "tools.1", "invalid_value"),
    ({"tools": [{"type": "function"}]}, "tools.0.function", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.0.function.name", "invalid_value"),
    ({"tools": [{"type": "function", "function": {"name": "n" * 65}}]}, "tools.0.function.name", "invalid_value"),
    ({"tools": [{"type": "function", "function": {"name": "f\n"}}]}, "tools.0.function.name", "invalid_value"),
    ({"tools": [{**TOOL, "extra": 1}]}, "tools.0.extra", "unknown_parameter"),
    ({"tools": [search(51)]}, "tools.0.file_search.max_num_results", "invalid_value"),
    (
        {"tools": [search(5, score_threshold=1.1)]},
        "tools.0.file_search.ranking_options.score_threshold",
        "invalid_value",
    ),
    (
        {"tools": [search(5, ranker="auto")]},
        "tools.0.file_search.ranking_options.score_threshold",
        "missing_required_parameter",
    ),
    (
        {"tools": [search(5, ranker="best", score_threshold=0.5)]},
        "tools.0.file_search.ranking_options.ranker",
        "invalid_value",
    ),
    ({"metadata": {"k" * 65: "v"}}, "metadata." + "k" * 65, "string_above_max_length"),
    ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length"),
    ({"metadata": {str(n): "v" for n in range(17)}}, "metadata", "invalid_value"),
    ({"metadata": {"k": 1}}, "metadata.k", "invalid_type"),
    ({"metadata": []}, "metadata", "invalid_type"),
    ({"temperature": 2.01}, "temperature", "invalid_value"),
    ({"temperature": -0.1}, "temperature", "invalid_value"),
    ({"temperature": "1"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"top_p": 1.1}, "top_p", "invalid_value"),
    ({"response_format": "json"}, "response_format", "invalid_value"),
    ({"response_format": 4}, "response_format", "invalid_type"),
    ({"response_format": {"type": "xml"}}, "response_format", "invalid_value"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "missing_required_parameter"),
    ({"reasoning_effort": "extreme"}, "reasoning_effort", "invalid_value"),
    (
        {"tool_resources": {"code_interpreter": {"file_ids": ["f"] * 21}}},
        "tool_resources.code_interpreter.file_ids",
        "array_above_max_length",
    ),
    (
        {"tool_resources": {"file_search": {"vector_store_ids": ["a", "b"]}}},
        "tool_resources.file_search.vector_store_ids",
        "array_above_max_length",
    ),
    ({"colour": "red"}, "colour", "unknown_parameter"),
]


async def test_an_assistant_that_breaks_a_limit_is_refused(api: httpx2.AsyncClient) -> None:
    for fields, param, code in BROKEN_ASSISTANTS:
        check(await api.post("/assistants", json={"model": "m", **fields}), 400, param=param, code=code)


async def test_what_is_known_is_said_to_who_gives_what_is_not(api: httpx2.AsyncClient) -> None:
    sentences = {
        "Invalid 'response_format': its type must be one of 'text', 'json_object', 'json_schema'.": {"type": "xml"},
        "Invalid 'response_format': an object with a known 'type' is expected.": {},
    }
    for sentence, given in sentences.items():
        assert check(await api.post("/assistants", json={"model": "m", "response_format": given}), 400) == sentence
    assert check(await api.post("/assistants", json={"model": "m", "tools": [None]}), 400) == (
        "Invalid 'tools.0': an object is expected."
    )


async def test_a_missing_field_is_named(api: httpx2.AsyncClient) -> None:
    sentence = check(await api.post("/assistants"), 400, param="model", code="missing_required_parameter")
    assert sentence == "Missing required parameter: 'model'."


BROKEN_MESSAGES: list[tuple[dict[str, Any], str]] = [
    ({"role": "system"}, "role"),
    ({"content": ""}, "content"),
    ({"content": []}, "content"),
    ({"content": None}, "content"),
    ({"content": 4}, "content"),
    ({"content": [{"type": "text", "text": ""}]}, "content.0.text"),
    ({"content": [{"type": "text"}]}, "content.0.text"),
    ({"content": [{"type": "audio"}]}, "content.0"),
    (
        {"content": [{"type": "image_url", "image_url": {"url": "u", "detail": "huge"}}]},
        "content.0.image_url.detail",
    ),
    ({"attachments": [{"file_id": "f", "tools": [{"type": "function"}]}]}, "attachments.0.tools.0"),
    ({"run_id": "run_1"}, "run_id"),
]


async def test_a_message_that_breaks_a_rule_is_refused(api: httpx2.AsyncClient) -> None:
    thread = (await api.post("/threads")).json()
    for fields, param in BROKEN_MESSAGES:
        message = {"role": "user", "content": "hello", **fields}
        check(await api.post(f"/threads/{thread['id']}/messages", json=message), 400, param=param)
        check(await api.post("/threads", json={"messages": [message]}), 400, param=f"messages.0.{param}")


async def test_a_run_may_name_the_tool_it_uses(api: httpx2.AsyncClient) -> None:
    for choice in ("required", {"type": "file_search"}, {"type": "function", "function": {"name": "f"}}):
        body = {"assistant_id": "asst_1", "tool_choice": choice}
        check(await api.post("/threads/thread_1/runs", json=body), 404)


BROKEN_JSON = [
    b"{",
    b"\xff\xfe",
    b'{"model": NaN}',
    b'{"model": "a", "name": "\\ud800"}',
    b"[" * 100_000,
    b'{"model": "a"} trailing',
]


async def test_a_body_that_is_not_json_is_refused(api: httpx2.AsyncClient) -> None:
    for body in BROKEN_JSON:
        sentence = check(await api.post("/assistants", content=body), 400, code="invalid_json", param=None)
        assert sentence.startswith("The body is not valid JSON")


async def test_a_body_that_is_no_object_is_refused(api: httpx2.AsyncClient) -> None:
    for body in ("[]", '"text"', "null", "4"):
        sentence = check(await api.post("/assistants", content=body), 400, param=None, code="invalid_type")
        assert sentence == "Invalid body: an object is expected."


BROKEN_RUNS: list[tuple[dict[str, Any], str]] = [
    ({"assistant_id": None}, "assistant_id"),
    ({"model": "asst_2"}, "model"),
    ({"max_prompt_tokens": 255}, "max_prompt_tokens"),
    ({"max_prompt_tokens": 2**31}, "max_prompt_tokens"),
    ({"max_completion_tokens": 256.5}, "max_completion_tokens"),
    ({"tools": [TOOL] * 21}, "tools"),
    ({"tool_choice": "any"}, "tool_choice"),
    ({"tool_choice": {"type": "function"}}, "tool_choice"),
    ({"tool_choice": {"type": "function", "function": {"name": 4}}}, "tool_choice.function.name"),
    ({"truncation_strategy": {"type": "last_messages", "last_messages": 0}}, "truncation_strategy.last_messages"),
    ({"truncation_strategy": {"type": "last_messages", "last_messages": 10**30}}, "truncation_strategy.last_messages"),
    ({"truncation_strategy": {"type": "last_messages"}}, "truncation_strategy"),
    ({"tools": [{"type": "file_search"}] * 21}, "tools"),
    ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name"),
    ({"stream": "yes"}, "stream"),
    ({"nonsense": True}, "nonsense"),
]


async def test_a_run_that_breaks_a_rule_is_refused(api: httpx2.AsyncClient) -> None:
    for fields, param in BROKEN_RUNS:
        body = {"assistant_id": "asst_1", **fields}
        check(await api.post("/threads/thread_1/runs", json=body), 400, param=param)
        check(await api.post("/threads/runs", json=body), 400, param=param)


BROKEN_PAGES = [
    ({"limit": "0"}, "limit"),
    ({"limit": "101"}, "limit"),
    ({"limit": "-1"}, "limit"),
    ({"limit": "ten"}, "limit"),
    ({"limit": "9" * 5000}, "limit"),
    ({"limit": "٣"}, "limit"),
    ({"order": "up"}, "order"),
    ({"after": "asst_x"}, "after"),
    ({"before": "asst_x"}, "before"),
]


async def test_a_page_that_cannot_be_is_refused(api: httpx2.AsyncClient) -> None:
    for query, param in BROKEN_PAGES:
        check(await api.get("/assistants", params=query), 400, param=param)


async def test_an_unknown_route_has_the_error_body(api: httpx2.AsyncClient) -> None:
    for path in ("/nonsense", "/assistants/", "/assistants/a/b/c", "/threads/t/nonsense"):
        assert check(await api.get(path), 404, code="unknown_url") == f"Invalid URL (GET /v1{path})."


async def test_a_method_that_a_route_lacks_has_the_error_body(api: httpx2.AsyncClient) -> None:
    response = await api.put("/assistants/asst_1", json={})
    assert check(response, 405) == "Method Not Allowed (PUT /v1/assistants/asst_1)."
    assert "GET" in response.headers["Allow"]
