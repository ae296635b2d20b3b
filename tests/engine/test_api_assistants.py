"""/v1/assistants as any client of the contract sees it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from playground_tui.protocol import CLIENT_HEADER

FUNCTION = {
    "type": "function",
    "function": {"name": "look_up", "description": "Looks up.", "parameters": {"type": "object"}, "strict": None},
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True}}
FULL: dict[str, Any] = {
    "model": "openai/gpt-6",
    "name": "Nämé",
    "description": "d" * 512,
    "instructions": "i" * 256_000,
    "tools": [
        {"type": "code_interpreter"},
        {"type": "file_search", "file_search": {"max_num_results": 5, "ranking_options": {"score_threshold": 0.5}}},
        FUNCTION,
    ],
    "tool_resources": {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}},
    "metadata": {"k" * 64: "v" * 512},
    "temperature": 0,
    "top_p": 0.25,
    "response_format": SCHEMA,
    "reasoning_effort": "high",
}


async def make(api: httpx2.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await api.post("/assistants", json={"model": "rehearsal/echo", **fields})
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    return made


async def test_an_assistant_of_a_model_alone_has_every_key(api: httpx2.AsyncClient) -> None:
    made = await make(api)
    assert made.pop("id").startswith("asst_")
    assert isinstance(made.pop("created_at"), int)
    assert made == {
        "object": "assistant",
        "name": None,
        "description": None,
        "model": "rehearsal/echo",
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1,
        "top_p": 1,
        "response_format": "auto",
        "reasoning_effort": None,
    }


async def test_everything_given_comes_back_as_it_was(api: httpx2.AsyncClient) -> None:
    made = await make(api, **FULL)
    assert {key: made[key] for key in FULL} == FULL
    assert (await api.get(f"/assistants/{made['id']}")).json() == made


async def test_a_null_that_the_contract_does_not_know_is_no_key(api: httpx2.AsyncClient) -> None:
    searches = [{"file_search": None}, {"file_search": {"max_num_results": None, "ranking_options": None}}]
    function = {"name": "f", "description": None, "parameters": None, "strict": None}
    tools = [*({"type": "file_search", **search} for search in searches), {"type": "function", "function": function}]
    schema = {"name": "s", "description": None, "schema": None, "strict": None}
    made = await make(api, tools=tools, response_format={"type": "json_schema", "json_schema": schema})
    assert made["tools"] == [
        {"type": "file_search"},
        {"type": "file_search", "file_search": {}},
        {"type": "function", "function": {"name": "f", "strict": None}},
    ]
    assert made["response_format"] == {"type": "json_schema", "json_schema": {"name": "s", "strict": None}}


async def test_a_change_touches_what_was_given_alone(api: httpx2.AsyncClient) -> None:
    made = await make(api, **FULL)
    changed = await api.post(f"/assistants/{made['id']}", json={"name": None, "temperature": 1.5})
    assert changed.json() == {**made, "name": None, "temperature": 1.5}


async def test_null_empties_a_field(api: httpx2.AsyncClient) -> None:
    made = await make(api, **FULL)
    emptied = dict.fromkeys(key for key in FULL if key != "model")
    changed = (await api.post(f"/assistants/{made['id']}", json=emptied)).json()
    empty = await make(api, model=FULL["model"])
    assert changed == {**empty, "id": made["id"], "created_at": made["created_at"]}


async def test_a_change_without_a_body_changes_nothing(api: httpx2.AsyncClient) -> None:
    made = await make(api)
    changed = await api.post(f"/assistants/{made['id']}", headers={"Content-Type": "application/json"})
    assert (changed.status_code, changed.json()) == (200, made)


async def test_the_program_itself_tells_not_given_from_1(api: httpx2.AsyncClient) -> None:
    made = await make(api, top_p=1)
    own = {CLIENT_HEADER: "the screen"}
    listed = (await api.get("/assistants", headers=own)).json()["data"][0]
    read = (await api.get(f"/assistants/{made['id']}", headers=own)).json()
    assert (made["temperature"], read["temperature"], read["top_p"]) == (1, None, 1)
    assert listed == read


async def test_a_deleted_assistant_is_not_found_until_it_is_restored(api: httpx2.AsyncClient) -> None:
    made = await make(api)
    path = f"/assistants/{made['id']}"
    deleted = await api.delete(path, headers={"Content-Type": "application/json"})
    assert deleted.json() == {"id": made["id"], "object": "assistant.deleted", "deleted": True}
    assert (await api.get("/assistants")).json()["data"] == []
    for response in (await api.get(path), await api.post(path, json={"name": "x"}), await api.delete(path)):
        assert response.status_code == 404
        assert response.json()["error"]["message"] == f"No assistant found with id '{made['id']}'."
    assert (await api.post(f"{path}/restore")).json() == made
    assert (await api.get(path)).json() == made


async def test_versions_say_what_when_and_from_where(api: httpx2.AsyncClient) -> None:
    made = await make(api, name="One")
    path = f"/assistants/{made['id']}"
    await api.post(path, json={"name": "Two", "temperature": 0.5}, headers={CLIENT_HEADER: "tmux on box"})
    await api.delete(path, headers={"User-Agent": ""})
    listed = (await api.get(f"{path}/versions")).json()
    shown = [(item["number"], item["action"], item["client"], item["changed"]) for item in listed["data"]]
    agent = api.headers["User-Agent"]
    assert shown == [
        (3, "deleted", "", []),
        (2, "modified", "tmux on box", ["name", "temperature"]),
        (1, "created", agent, []),
    ]
    assert {item["assistant_id"] for item in listed["data"]} == {made["id"]}
    assert not any("assistant" in item for item in listed["data"])
    rest = (await api.get(f"{path}/versions", params={"after": listed["data"][1]["id"]})).json()
    assert (rest["data"], rest["has_more"]) == (listed["data"][2:], False)


async def test_a_version_is_read_whole_by_its_number_or_id(api: httpx2.AsyncClient) -> None:
    made, other = await make(api, name="One"), await make(api)
    path = f"/assistants/{made['id']}"
    await api.post(path, json={"name": "Two"})
    await api.delete(path)
    first = (await api.get(f"{path}/versions", params={"order": "asc"})).json()["data"][0]
    for wanted in (first["id"], "1"):
        whole = (await api.get(f"{path}/versions/{wanted}")).json()
        assert whole == {**first, "assistant": {**made, "temperature": None, "top_p": None}}
    assert (await api.get(f"{path}/versions/2")).json()["assistant"]["name"] == "Two"
    for wanted in ("0", "4", "-1", "٣", "9" * 30, "asstver_x", "x"):
        response = await api.get(f"{path}/versions/{wanted}")
        assert (response.status_code, wanted in response.json()["error"]["message"]) == (404, True)
    assert (await api.get(f"/assistants/{other['id']}/versions/{first['id']}")).status_code == 404


async def test_an_old_version_comes_back_as_a_change_and_history_stays(api: httpx2.AsyncClient) -> None:
    made = await make(api, **FULL)
    path = f"/assistants/{made['id']}"
    await api.post(path, json={"name": "Two", "instructions": "", "tools": []})
    old = (await api.get(f"{path}/versions/1")).json()["assistant"]
    back = await api.post(path, json={key: old[key] for key in FULL})
    assert back.json() == made
    await api.delete(path)
    await api.post(f"{path}/restore")
    listed = (await api.get(f"{path}/versions")).json()["data"]
    assert [(item["number"], item["action"]) for item in listed] == [
        (5, "restored"),
        (4, "deleted"),
        (3, "modified"),
        (2, "modified"),
        (1, "created"),
    ]
    assert listed[2]["changed"] == ["name", "instructions", "tools"]


async def test_deleted_assistants_are_listed_with_when_they_go(api: httpx2.AsyncClient) -> None:
    made = [(await make(api, name=str(number)))["id"] for number in range(4)]
    for assistant_id in (made[2], made[0], made[3]):
        await api.delete(f"/assistants/{assistant_id}")
    page = (await api.get("/assistants", params={"deleted": "true", "limit": 2})).json()
    assert page["has_more"]
    rest = (await api.get("/assistants", params={"deleted": "true", "after": page["last_id"]})).json()
    listed = [*page["data"], *rest["data"]]
    assert sorted(item["id"] for item in listed) == sorted([made[0], made[2], made[3]])
    assert {item["purge_at"] - item["deleted_at"] for item in listed} == {30 * 24 * 3600}
    assert [item["deleted_at"] for item in listed] == sorted((item["deleted_at"] for item in listed), reverse=True)
    await api.post(f"/assistants/{made[0]}/restore")
    assert (await api.get("/assistants", params={"deleted": "true", "after": made[0]})).status_code == 400
    assert [item["id"] for item in (await api.get("/assistants")).json()["data"]] == [made[1], made[0]]


@pytest.mark.parametrize("path", ["/assistants", "/threads"])
async def test_deleted_is_true_or_false(api: httpx2.AsyncClient, path: str) -> None:
    assert (await api.get(path, params={"deleted": "perhaps"})).json()["error"]["param"] == "deleted"
    assert (await api.get(path, params={"deleted": "false"})).status_code == 200


@pytest.mark.parametrize("action", ["restore", "versions"])
async def test_what_never_was_has_nothing_to_restore(api: httpx2.AsyncClient, action: str) -> None:
    response = await api.request("POST" if action == "restore" else "GET", f"/assistants/asst_x/{action}")
    assert response.status_code == 404


async def test_a_list_is_newest_first_and_walks_by_cursor(api: httpx2.AsyncClient) -> None:
    made = [(await make(api, name=str(number)))["id"] for number in range(5)]
    page = (await api.get("/assistants", params={"limit": 2})).json()
    assert [item["id"] for item in page["data"]] == [made[4], made[3]]
    head = {key: page[key] for key in ("object", "first_id", "last_id", "has_more")}
    assert head == {"object": "list", "first_id": made[4], "last_id": made[3], "has_more": True}
    rest = (await api.get("/assistants", params={"limit": 3, "after": made[3]})).json()
    assert ([item["id"] for item in rest["data"]], rest["has_more"]) == ([made[2], made[1], made[0]], False)
    rising = (await api.get("/assistants", params={"order": "asc", "before": made[2]})).json()
    assert [item["id"] for item in rising["data"]] == [made[0], made[1]]


async def test_an_empty_list_has_no_ends(api: httpx2.AsyncClient) -> None:
    empty = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert (await api.get("/assistants")).json() == empty
