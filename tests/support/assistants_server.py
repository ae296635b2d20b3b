"""A small Assistants v2 server on a real TCP port, which records what it was asked and can be made to misbehave.

    async with AssistantsServer() as server:
        server.instead("POST", "/messages", error(503, "busy"))     # it does not act, and answers this
        server.after("POST", "/messages", abort())                  # it acts, and answers this
        client = AssistantsClient.for_server(server.base_url, "key", label="test")

It is another server than the engine: no extensions, no idempotency. Runs answer "Hello" unless `server.events` says
which events to stream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from tests.support.provider_server import (
    Exchange,
    ProviderServer,
    Received,
    Reply,
    each,
    error,
    hang,
    raw,
    send_stream,
)

__all__ = ["AssistantsServer", "abort", "cut_json", "cut_stream", "error", "event", "hang", "raw", "stream_of"]

DONE = b"event: done\ndata: [DONE]\n\n"


def event(name: str, data: dict[str, Any]) -> bytes:
    """One event of a run's stream."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def stream_of(*blocks: bytes) -> Reply:
    """A stream of these events and no others."""

    async def reply(exchange: Exchange) -> None:
        await send_stream(exchange, each(blocks))

    return reply


def cut_stream(*blocks: bytes) -> Reply:
    """A stream whose connection breaks after these bytes."""

    async def reply(exchange: Exchange) -> None:
        await send_stream(exchange, each(blocks), end=False)

    return reply


def abort() -> Reply:
    """Breaks the connection before the headers."""

    async def reply(exchange: Exchange) -> None:
        exchange.writer.transport.abort()
        raise ConnectionAbortedError

    return reply


def cut_json() -> Reply:
    """Breaks the connection within the JSON."""

    async def reply(exchange: Exchange) -> None:
        await exchange.head(200, {"content-type": "application/json", "content-length": "900"})
        await exchange.write(b'{"id": "msg_')
        exchange.writer.transport.abort()
        raise ConnectionAbortedError

    return reply


class AssistantsServer(ProviderServer):
    """The server. Objects are kept as the JSON they are answered with, newest last."""

    def __init__(self) -> None:
        super().__init__()
        self.assistants: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.runs: dict[str, list[dict[str, Any]]] = {}
        self.steps: list[dict[str, Any]] = []
        self.events: Callable[[dict[str, Any]], Iterable[bytes]] = self.hello
        """Makes the stream's events of a run, changing the run as it likes."""
        self.now = 1_700_000_000
        self._made = 0
        self._faults: list[tuple[str, str, Reply, bool]] = []

    def instead(self, method: str, ending: str, *replies: Reply) -> None:
        """The next requests whose path ends so are answered by these replies, and change nothing."""
        self._faults += [(method, ending, reply, False) for reply in replies]

    def after(self, method: str, ending: str, *replies: Reply) -> None:
        """As `instead`, but the server does first what it was asked."""
        self._faults += [(method, ending, reply, True) for reply in replies]

    def asked(self, method: str, ending: str) -> list[Received]:
        """The requests of this method whose path ends so."""
        return [r for r in self.requests if r.method == method and r.path.endswith(ending)]

    def add_assistant(self, name: str) -> str:
        assistant = self._object("asst", object="assistant", model="model-a", name=name)
        self.assistants[assistant["id"]] = assistant
        return str(assistant["id"])

    def add_thread(self) -> str:
        thread = self._object("thread")
        self.threads[thread["id"]] = thread
        self.messages[thread["id"]] = []
        self.runs[thread["id"]] = []
        return str(thread["id"])

    def add_message(self, thread_id: str, role: str, text: str, **more: Any) -> dict[str, Any]:
        content = [{"type": "text", "text": {"value": text, "annotations": []}}] if text else []
        message = self._object("msg", role=role, thread_id=thread_id, content=content, status="completed", **more)
        self.messages[thread_id].append(message)
        return message

    def add_run(self, thread_id: str, assistant_id: str, status: str = "queued") -> dict[str, Any]:
        run = self._object("run", thread_id=thread_id, assistant_id=assistant_id, status=status)
        self.runs[thread_id].append(run)
        return run

    def hello(self, run: dict[str, Any]) -> Iterable[bytes]:
        """A run that says Hello."""
        yield event("thread.run.created", run)
        yield event("thread.run.in_progress", {**run, "status": "in_progress"})
        message = self.add_message(run["thread_id"], "assistant", "", run_id=run["id"])
        message["status"] = "in_progress"
        yield event("thread.message.created", message)
        for piece in ("Hel", "lo"):
            yield event("thread.message.delta", delta(message["id"], piece))
        message |= {"status": "completed", "content": [{"type": "text", "text": {"value": "Hello"}}]}
        yield event("thread.message.completed", message)
        run["status"] = "completed"
        yield event("thread.run.completed", run)
        yield DONE

    def _reply_to(self, request: Received) -> Reply:
        for index, (method, ending, reply, act) in enumerate(self._faults):
            if request.method == method and request.path.endswith(ending):
                del self._faults[index]
                if act:
                    self._act(request)
                return reply
        return self._act(request)

    def _act(self, request: Received) -> Reply:
        parts = request.path.removeprefix("/v1/").split("/")
        query = dict(parse_qsl(request.query))
        body = json.loads(request.body or b"{}")
        match [request.method, *parts]:
            case ["GET", "models"]:
                return answered({"object": "list", "data": [{"id": name} for name in self.models]})
            case [_, "assistants", *rest]:
                return self._assistants(request.method, rest, query, body)
            case ["POST", "threads"]:
                return answered(self.threads[self.add_thread()])
            case [_, "threads", thread_id, *rest] if thread_id in self.threads:
                return self._thread(request.method, thread_id, rest, query, body)
            case [_, "threads", thread_id, *_]:
                return error(404, f"No thread found with id '{thread_id}'.")
            case _:
                return raw(404, b"<html>not here</html>")

    def _assistants(self, method: str, rest: list[str], query: dict[str, str], body: dict[str, Any]) -> Reply:
        match [method, *rest]:
            case ["GET"]:
                return self._page(list(self.assistants.values()), query)
            case ["POST"]:
                assistant = self._object("asst", **body)
                return answered(self.assistants.setdefault(assistant["id"], assistant))
            case [_, found] if found not in self.assistants:
                return error(404, f"No assistant found with id '{found}'.")
            case ["DELETE", found]:
                del self.assistants[found]
                return answered({"id": found, "deleted": True})
            case [_, found]:
                self.assistants[found] |= body
                return answered(self.assistants[found])
            case _:
                return error(404)

    def _thread(
        self, method: str, thread_id: str, rest: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> Reply:
        match [method, *rest]:
            case ["GET"]:
                return answered(self.threads[thread_id])
            case ["DELETE"]:
                del self.threads[thread_id]
                return answered({"id": thread_id, "deleted": True})
            case ["GET", "messages"]:
                return self._page(self.messages[thread_id], query)
            case ["POST", "messages"]:
                return answered(self.add_message(thread_id, body["role"], body["content"]))
            case [_, "runs", *more]:
                return self._runs(method, thread_id, more, query, body)
            case _:
                return error(404)

    def _runs(self, method: str, thread_id: str, rest: list[str], query: dict[str, str], body: dict[str, Any]) -> Reply:
        runs = {run["id"]: run for run in self.runs[thread_id]}
        match [method, *rest]:
            case ["GET"]:
                return self._page(self.runs[thread_id], query)
            case ["POST"]:
                return stream_of(*self.events(self.add_run(thread_id, body["assistant_id"])))
            case ["GET", run_id] if run_id in runs:
                return answered(runs[run_id])
            case ["GET", run_id, "steps"]:
                return self._page([step for step in self.steps if step["run_id"] == run_id], query)
            case ["POST", run_id, "submit_tool_outputs"]:
                return stream_of(*self.events(runs[run_id]))
            case ["POST", run_id, "cancel"] if runs[run_id]["status"] in ("queued", "in_progress"):
                runs[run_id]["status"] = "cancelling"
                return answered(runs[run_id])
            case ["POST", run_id, "cancel"]:
                return error(400, f"Cannot cancel run with status '{runs[run_id]['status']}'.")
            case _:
                return error(404, "No run found.")

    def _page(self, items: list[dict[str, Any]], query: dict[str, str]) -> Reply:
        found = items[::-1] if query.get("order", "desc") == "desc" else list(items)
        ids = [item["id"] for item in found]
        start = ids.index(query["after"]) + 1 if "after" in query else 0
        page = found[start : start + int(query.get("limit", 20))]
        return answered({"object": "list", "data": page, "has_more": start + len(page) < len(found)})

    def _object(self, prefix: str, **values: Any) -> dict[str, Any]:
        self._made += 1
        return {"id": f"{prefix}_{self._made}", "created_at": self.now, **values}


def answered(body: dict[str, Any]) -> Reply:
    """This JSON, as it is now."""
    return raw(200, json.dumps(body).encode(), "application/json")


def delta(message_id: str, text: str, index: int = 0) -> dict[str, Any]:
    """The data of a text delta."""
    content = [{"index": index, "type": "text", "text": {"value": text, "annotations": []}}]
    return {"id": message_id, "object": "thread.message.delta", "delta": {"content": content}}
