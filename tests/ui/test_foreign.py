"""The whole playground at another server than the engine: what it asks there, and what comes of its failures."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from playground_tui.assistants import conversation
from playground_tui.assistants.client import AssistantsClient
from playground_tui.cache.names import server_key
from playground_tui.cache.versions import Versions
from playground_tui.config import Settings
from playground_tui.desk import link
from playground_tui.ui import screen
from playground_tui.ui.app import PlaygroundApp
from playground_tui.ui.dialogs.deleted import DeletedPicker
from playground_tui.ui.versions.dialog import VersionsDialog
from tests.support.assistants_server import AssistantsServer, abort, cut_json, error, hang, raw
from tests.support.clock import no_pauses
from tests.support.engine import paths_in
from tests.support.playground import QUICK, Playground
from tests.support.provider_server import Reply
from tests.ui.test_versions import is_compared

KEY = "sk-of-the-server"
CANARY = "sk-canary-of-openai"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AssistantsServer]:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/canary")
    async with AssistantsServer() as server:
        server.models = ["model-a", "model-b"]
        server.now = int(time.time())
        yield server


@asynccontextmanager
async def foreign(server: AssistantsServer, directory: Path) -> AsyncIterator[Playground]:
    async with opened(server, directory) as p:
        await p.connected()
        yield p


@asynccontextmanager
async def opened(server: AssistantsServer, directory: Path) -> AsyncIterator[Playground]:
    url = server.base_url

    async def open_client(client: AssistantsClient | None) -> AssistantsClient:
        versions = paths_in(directory).versions
        return client or AssistantsClient.for_server(url, KEY, label="test", versions=versions)

    settings = Settings(autosave_delay=QUICK, server=url, server_key=KEY)
    app = PlaygroundApp(settings, paths_in(directory), {}, open_client)
    try:
        async with app.run_test(size=(120, 40), notifications=True, tooltips=True) as pilot:
            p = Playground(app, pilot)
            await p.until(lambda: app._split is not None)
            yield p
    finally:
        if app.desk.client is not None:
            await app.desk.client.close()
        app.desk.cache.close()


async def test_a_message_whose_answer_never_came_is_found_at_the_next_start(
    server: AssistantsServer, tmp_path: Path
) -> None:
    def sent() -> list[str]:
        return [
            m["content"][0]["text"]["value"] for kept in server.messages.values() for m in kept if m["role"] == "user"
        ]

    async with foreign(server, tmp_path) as p:
        await with_assistant(p, server)
        await p.write("the same")
        await p.answered("Hello")
        server.after("POST", "/messages", hang())  # it acts, and the line drops before the answer
        await p.write("the same")
        await p.until(lambda: len(sent()) == 2)
        p.app.keep_now()
    async with foreign(server, tmp_path) as p:
        await p.until(lambda: not p.screen.sending.chatting.outbox.items)
        server.instead("POST", "/messages", hang())  # this one does not arrive, though its like has
        await p.write("the same")
        await p.until(lambda: len(server.asked("POST", "/messages")) == 3)
        p.app.keep_now()
    async with foreign(server, tmp_path) as p:
        await p.until(lambda: p.chat.messages() and not p.screen.sending.chatting.loading)
        assert [item.text for item in p.screen.sending.chatting.outbox.items] == ["the same"]
        await p.press("ctrl+r")
        await p.until(lambda: not p.screen.sending.chatting.outbox.items)
    assert sent() == ["the same"] * 3


async def with_assistant(p: Playground, server: AssistantsServer, **fields: object) -> str:
    made = server._object("asst", object="assistant", model="model-a", name="A", **fields)
    server.assistants[made["id"]] = made
    await p.screen.picking.open_assistant(made["id"])
    return str(made["id"])


async def answered(p: Playground, times: int = 1) -> None:
    def there() -> bool:
        answers = [message for message in p.chat.messages() if message.text == "Hello"]
        return len(answers) == times and not p.screen.sending.busy

    await p.until(there)


async def test_the_main_flow_field_by_field(server: AssistantsServer, tmp_path: Path) -> None:
    async with foreign(server, tmp_path) as p:
        await p.press("ctrl+f", *"Name")
        p.form.set_value("model", "model-b")
        await p.pilot.pause()
        await p.press("f5")
        await p.until(lambda: p.screen.editing.assistant_id)
        p.form.set_value("temperature", 0.5)
        await p.until(lambda: server.asked("POST", p.screen.editing.assistant_id or "?"))
        await p.write("hi")
        await answered(p)
        assistant, thread = p.screen.editing.assistant_id, p.screen.sending.chatting.thread_id
        posts = [(r.path, json.loads(r.body or b"{}")) for r in server.requests if r.method == "POST"]
    assert posts == [
        ("/v1/assistants", {"name": "Name", "model": "model-b"}),
        (f"/v1/assistants/{assistant}", {"temperature": 0.5}),
        ("/v1/threads", {}),
        (f"/v1/threads/{thread}/messages", {"role": "user", "content": "hi"}),
        (f"/v1/threads/{thread}/runs", {"assistant_id": assistant, "stream": True}),
    ]
    for request in server.requests:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["authorization"] == f"Bearer {KEY}"
        assert headers["openai-beta"] == "assistants=v2"
        # The SDK's own word for an unparsed answer is the one header of its kind that goes out.
        extra = [name for name in headers if name.startswith(("x-", "idempotency"))]
        assert extra == ["x-stainless-raw-response"]
        assert "openai-organization" not in headers and "openai-project" not in headers
        assert CANARY not in f"{headers} {request.path} {request.query} {request.body!r}"


async def test_each_state_of_an_assistant_is_kept_as_a_version(server: AssistantsServer, tmp_path: Path) -> None:
    async with foreign(server, tmp_path) as p:
        assistant = await with_assistant(p, server)
        p.form.set_value("name", "B")
        await p.until(lambda: server.assistants[assistant]["name"] == "B")
        await p.until(lambda: p.screen.editing.editor and p.screen.editing.editor.state.kind == "saved")
        server.assistants[assistant]["name"] = "changed elsewhere"
        p.screen._read_assistant()
        await p.until(lambda: p.form.draft.text("name") == "changed elsewhere")
        kept = Versions(p.app.desk.paths.versions, server_key(server.base_url)).of(assistant)
    assert [(state.assistant["name"], state.action, state.client) for state in kept] == [
        ("A", "seen", ""),
        ("B", "modified", "test"),
        ("changed elsewhere", "seen", ""),
    ]


async def test_versions_of_another_server_are_those_kept_here_and_a_deleted_one_comes_back_as_a_copy(
    server: AssistantsServer, tmp_path: Path
) -> None:
    async with foreign(server, tmp_path) as p:
        assistant = await with_assistant(p, server)
        p.form.set_value("name", "B")
        await p.until(lambda: server.assistants[assistant]["name"] == "B")
        await p.press("f7")
        await p.until(lambda: is_compared(p))
        assert isinstance(p.app.screen, VersionsDialog)
        shown = [" ".join(str(option.prompt).split()) for option in p.app.screen.moments.options]
        assert [line.split()[0] for line in shown] == ["=", "2", "1"]
        assert shown[1].endswith("name test") and shown[2].endswith("elsewhere")
        await p.press("end", "enter")
        await p.until(lambda: server.assistants[assistant]["name"] == "A")
        await p.screen.editing.delete(assistant)
        await p.screen.run_action("deleted_assistants")
        await p.until(lambda: isinstance(p.app.screen, DeletedPicker))
        await p.press("enter")
        await p.until(lambda: p.form.draft.text("name") == "A" and p.screen.editing.assistant_id)
        assert p.screen.editing.assistant_id in server.assistants and assistant not in server.assistants
        assert any("It is back as a copy" in said for said in p.said)
        await p.screen.run_action("deleted_threads")
        await p.until(lambda: any("a deleted thread cannot be brought back there" in said for said in p.said))


async def test_what_was_changed_elsewhere_is_seen_by_asking(
    server: AssistantsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "FOREIGN_READ", 0.05)
    async with foreign(server, tmp_path) as p:
        assistant = await with_assistant(p, server)
        server.assistants[assistant]["name"] = "Renamed"
        await p.until(lambda: p.form.draft.text("name") == "Renamed")
        p.screen.action_toggle_form()
        await p.until(lambda: not p.screen._reading)
        asked = len(server.requests)
        await p.pilot.pause(0.3)
        assert len(server.requests) <= asked + 1


async def test_threads_are_those_known_on_this_machine(server: AssistantsServer, tmp_path: Path) -> None:
    async with foreign(server, tmp_path) as p:
        await with_assistant(p, server)
        await p.write("first words")
        await answered(p)
        await p.press("ctrl+g")
        await p.until(lambda: len(p.app.screen_stack) > 2)
        shown = "\n".join(str(strip.text) for strip in p.app.screen._compositor.render_strips())
        assert "Threads known on this machine" in shown and "first words" in shown


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (error(401, "no such key"), "PLAYGROUND_TUI_SERVER_KEY"),
        (error(403, "not yours"), "not yours"),
        (error(400, "too long"), "too long"),
        (error(404, "no such file"), "no such file"),
        (error(500, "oops"), "oops"),
        (raw(503, b"<html>busy</html>", "text/html"), "503"),
        (error(429, "calm down", headers={"retry-after": "7200"}), "2 h 0 min"),
    ],
    ids=["401", "403", "400", "404", "500", "html", "429"],
)
async def test_a_refused_message_is_back_in_the_composer_with_its_reason(
    server: AssistantsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Reply, words: str
) -> None:
    no_pauses(monkeypatch)
    async with foreign(server, tmp_path) as p:
        await with_assistant(p, server)
        await p.write("first")
        await answered(p)
        server.instead("POST", "/messages", *[fault] * 9)
        await p.write("second")
        await p.until(lambda: p.chat.composer.text == "second")
        assert words in str(p.chat.problem.content)
        assert not p.screen.sending.busy
        server._faults.clear()
        await p.press("ctrl+r")
        await answered(p, 2)
        assert user_texts(p, server) == ["first", "second"]


async def test_what_is_tried_again_is_counted_down_and_escape_stops_it(
    server: AssistantsServer, tmp_path: Path
) -> None:
    async with foreign(server, tmp_path) as p:
        await with_assistant(p, server)
        await p.write("first")
        await answered(p)
        server.instead("POST", "/messages", error(429, "calm down", headers={"retry-after": "30"}))
        await p.write("second")
        await p.until(lambda: "not sent yet · again in" in p.status and "escape stops" in p.status)
        assert "calm down" in str(p.chat.problem.content)
        await p.press("escape")
        await p.until(lambda: p.chat.composer.text == "second")
        assert "Not sent" in str(p.chat.problem.content) and "again in" not in p.status
        await p.press("enter")
        await answered(p, 2)
        assert user_texts(p, server) == ["first", "second"]


async def test_a_run_that_is_no_longer_looked_for_is_found_with_a_key(
    server: AssistantsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "FIRST_DELAY", 1000.0)
    monkeypatch.setattr(conversation, "LONGEST_DELAY", 1000.0)
    async with foreign(server, tmp_path) as p:
        await with_assistant(p, server)
        whole = server.hello
        server.events = lambda run: list(whole(run))[:3]
        await p.write("hi")
        await p.until(lambda: "connection lost" in p.status)
        await p.press("escape")
        await p.until(lambda: "looks for the run again" in str(p.chat.problem.content))
        await p.press("ctrl+r")
        await answered(p)
        assert len(server.asked("POST", "/runs")) == 1


async def test_a_server_that_is_not_there_yet_is_counted_down_to_and_found(
    server: AssistantsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "DELAYS", (1000.0,))
    await server.stop()
    async with opened(server, tmp_path) as p:
        await p.until(lambda: "trying again in" in str(p.screen.where.content))
        assert "No connection to" in str(p.screen.where.content)
        await p.press("escape")
        await p.until(lambda: "ctrl+r tries again" in str(p.screen.where.content))
        await server.start()
        await p.press("ctrl+r")
        await p.until(lambda: str(p.screen.where.content).startswith("connected to"))


async def test_a_page_in_front_of_the_server_deletes_nothing_here(server: AssistantsServer, tmp_path: Path) -> None:
    async with foreign(server, tmp_path) as p:
        assistant = await with_assistant(p, server)
        await p.write("first")
        await answered(p)
        thread = p.screen.sending.chatting.thread_id
        page = raw(404, b"<html>no such site</html>")
        server.instead("POST", "/messages", page)
        server.instead("GET", f"/{thread}", *[page] * 3)
        await p.write("second")
        await p.until(lambda: p.chat.composer.text == "second")
        server.instead("GET", f"/{assistant}", *[page] * 3)
        p.screen._read_assistant()
        await p.until(lambda: "no such path (404)" in str(p.screen.where.content))
        assert p.screen.sending.chatting.thread_id == thread
        assert p.screen.editing.assistant_id == assistant and "Deleted" not in p.text("#save-status")
        p.screen._read_assistant()
        await p.until(lambda: str(p.screen.where.content).startswith("connected to"))


def user_texts(p: Playground, server: AssistantsServer) -> list[str]:
    """What the server has of the user on the open thread."""
    messages = server.messages[p.screen.sending.chatting.thread_id or ""]
    contents = [message["content"] for message in messages if message["role"] == "user"]
    return [content[0]["text"]["value"] if isinstance(content, list) else content for content in contents]


@pytest.mark.parametrize("fault", [abort(), cut_json(), error(502, "bad gateway")], ids=["cut", "half", "502"])
async def test_a_message_that_arrived_though_its_answer_was_lost_is_not_sent_again(
    server: AssistantsServer, tmp_path: Path, fault: Reply
) -> None:
    async with foreign(server, tmp_path) as p:
        await with_assistant(p, server)
        await p.write("once")
        await answered(p)
        server.after("POST", "/messages", fault)
        await p.write("and once more")
        await p.until(lambda: not p.screen.sending.busy)
        if p.chat.composer.text:
            await p.press("enter")
        await answered(p, 2)
        assert user_texts(p, server) == ["once", "and once more"]


async def test_a_stream_that_is_cut_is_followed_by_asking(server: AssistantsServer, tmp_path: Path) -> None:
    async with foreign(server, tmp_path) as p:
        await with_assistant(p, server)
        whole = server.hello
        server.events = lambda run: list(whole(run))[:3]
        await p.write("hi")
        await answered(p)
        assert "completed" in p.status
        assert len(server.asked("POST", "/runs")) == 1


async def test_a_run_refused_because_of_another_is_followed_and_said(server: AssistantsServer, tmp_path: Path) -> None:
    async with foreign(server, tmp_path) as p:
        assistant = await with_assistant(p, server)
        await p.write("first")
        await answered(p)
        thread = p.screen.sending.chatting.thread_id or ""
        other = server.add_run(thread, assistant, "in_progress")
        server.instead("POST", "/runs", error(400, f"Thread {thread} already has an active run {other['id']}."))
        await p.write("second")
        await p.until(lambda: p.screen.sending.chatting.running)
        assert any("Another run was first" in said for said in p.said)
        other["status"] = "completed"
        await p.until(lambda: not p.screen.sending.busy)
        assert user_texts(p, server) == ["first", "second"]
        assert p.chat.composer.text == ""


async def test_a_key_that_is_refused_is_said_where_the_server_is_named(
    server: AssistantsServer, tmp_path: Path
) -> None:
    server.instead("GET", "/models", *[error(401, "wrong key")] * 3)
    async with foreign(server, tmp_path) as p:
        await p.until(lambda: "PLAYGROUND_TUI_SERVER_KEY" in str(p.screen.where.content))


async def test_a_server_that_is_not_there_holds_up_nothing(
    server: AssistantsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with foreign(server, tmp_path) as p:
        await with_assistant(p, server)
        await p.write("hi")
        await answered(p)
        await server.stop()
        no_pauses(monkeypatch)
        await p.write("into the void")
        await p.until(lambda: p.chat.composer.text == "into the void")
        assert "Not sent" in str(p.chat.problem.content)
        p.form.set_value("name", "changed")
        await p.until(lambda: p.screen.editing.editor and p.screen.editing.editor.state.kind == "failed")
    async with opened(server, tmp_path) as p:
        await p.until(lambda: p.screen.editing.editor)
        assert p.chat.composer.text == "into the void"
        assert p.form.draft.text("name") == "changed"
