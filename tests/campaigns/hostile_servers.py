"""A server of the Assistants API and a model provider whose every word is hostile."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import unquote

from tests.campaigns.hostile_text import Hostile
from tests.support.assistants_server import DONE, AssistantsServer, answered, delta, error, event, raw
from tests.support.provider_server import ProviderServer, Received, Reply, answer, stream

STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 503, 302)


@contextmanager
def served(server: ProviderServer) -> Iterator[ProviderServer]:
    """The server in a thread of its own while the context lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def refusal(hostile: Hostile, random: Random) -> Reply:
    """An error of any status whose every field is hostile."""
    status = random.choice(STATUSES)
    words = {"code": hostile.text("error code"), "param": hostile.text("error param")}
    headers = {"retry-after": random.choice(("0", "soon", "-1", "1e999"))} if status in (429, 503) else {}
    if status == 302:
        headers["location"] = "http://evil/6677"
    told = hostile.text("error message")
    match random.randrange(4):
        case 0:
            return raw(status, told.encode("utf-8", "replace"), "text/html", headers)
        case 1:
            return raw(status, json.dumps({"detail": told}).encode(), "application/json", headers)
        case _:
            return error(status, told, headers=headers, **words)


class HostileAssistants(AssistantsServer):
    """Its objects, lists, streams and errors are hostile. `scenes` says how the next runs end."""

    def __init__(self, hostile: Hostile, random: Random, scenes: Iterable[str] = ()) -> None:
        super().__init__()
        self._hostile = hostile
        self._random = random
        self.scenes = list(scenes)
        self.events = self._events
        self.models = [hostile.text("model id", lines=False) for _ in range(3)]
        self.files: dict[str, dict[str, Any]] = {}
        self.stored: list[dict[str, Any]] = []
        self._plant()

    def _plant(self) -> None:
        text = self._hostile.text
        file = self._file()
        for number in range(3):
            found = self._assistant(number, file)
            self.assistants[found["id"]] = found
        self.main = next(iter(self.assistants))
        for _ in range(2):
            self._thread_of(self.main, file)
        self.stored.append({"id": file, "status": "failed", "last_error": {"message": text("indexing error")}})

    def _file(self) -> str:
        file = self._object(f"file{self._part_of_id()}")
        name = self._hostile.text("server's file name")
        self.files[file["id"]] = {**file, "filename": name, "bytes": 6677, "purpose": self._hostile.text("purpose")}
        return str(file["id"])

    def _whole_text(self, place: str, *, pieces: int = 6) -> str:
        """A text that can be sent back: without halves of characters."""
        return self._hostile.text(place, pieces=pieces).encode("utf-8", "ignore").decode()

    def _part_of_id(self) -> str:
        """What can stand in a path and on a command line."""
        text = self._hostile.pieces(2, lines=False).translate(str.maketrans("", "", "/?#%\0"))
        return text.encode("utf-8", "ignore").decode() + "z"

    def _assistant(self, number: int, file: str) -> dict[str, Any]:
        text, junk = self._whole_text if number == 0 else self._hostile.text, self._hostile.junk
        parameters = {"type": "object", "properties": {text("parameter"): {"description": text("parameter words")}}}
        function = {"name": text("tool name"), "description": text("tool words"), "parameters": parameters}
        resources = {"file_search": {"vector_store_ids": ["vs_1"]}, "code_interpreter": {"file_ids": [file]}}
        return {
            "id": f"asst_{number}{self._part_of_id()}",
            "created_at": 1_700_000_000,
            "name": text("assistant name"),
            "description": text("description"),
            "instructions": text("instructions", pieces=30),
            "model": text("model"),
            "tools": [
                {"type": "function", "function": function}, {"type": "file_search"}, {"type": "code_interpreter"},
                {"type": text("tool type")},
            ],
            "metadata": {text("metadata key"): text("metadata value"), "category": text("category")},
            "tool_resources": resources if number == 0 else junk("tool resources"),
            "response_format": {"type": "json_schema", "json_schema": {"name": text("schema name"), "schema": {}}},
            "reasoning_effort": text("reasoning effort"),
            "temperature": 1 if number == 0 else junk("temperature"),
            "top_p": 1 if number == 0 else junk("top_p"),
        }  # fmt: skip

    def _thread_of(self, assistant: str, file: str) -> None:
        thread, text = self.add_thread(), self._hostile.text
        self.add_message(thread, "user", text("first message"))
        run = self.add_run(thread, assistant, "failed")
        run |= {
            "last_error": {"code": text("run error code"), "message": text("run error")},
            "completed_at": 1_700_000_009,
        }
        more = {"run_id": run["id"], "attachments": [{"file_id": file, "tools": [{"type": text("attached for")}]}]}
        message = self.add_message(thread, "assistant", "", **more)
        message["content"] = self._content(file)
        message["status"], message["incomplete_details"] = "incomplete", {"reason": text("incomplete reason")}
        self.add_message(thread, text("role"), text("message of a role"), metadata={text("message key"): "x"})
        self.steps.append(self._step(run["id"], file))

    def _content(self, file: str) -> list[dict[str, Any]]:
        text = self._hostile.text
        value = text("message", pieces=40)
        notes = [
            {"type": "file_citation", "text": value[3:9], "start_index": 3, "end_index": 9,
             "file_citation": {"file_id": file}},
            {"type": "file_path", "text": "sandbox:/" + text("path in a text"), "start_index": -5, "end_index": 10**9,
             "file_path": {"file_id": file}},
            {"type": text("note type"), "text": None},
        ]  # fmt: skip
        return [
            {"type": "text", "text": {"value": value, "annotations": notes}},
            {"type": "image_file", "image_file": {"file_id": file}},
            {"type": "image_url", "image_url": {"url": "http://evil/" + text("image url")}},
            {"type": "refusal", "refusal": text("refusal")},
            {"type": text("part type"), text("part key"): {"url": text("part url")}},
        ]

    def _step(self, run_id: str, file: str) -> dict[str, Any]:
        text = self._hostile.text
        found = {"file_id": file, "file_name": text("found file"), "score": 0.5, "content": [{"text": text("passage")}]}
        outputs = [
            {"type": "logs", "logs": text("code output", pieces=20)},
            {"type": "image", "image": {"file_id": file}},
        ]
        calls = [
            {"id": "c1", "type": "function", "function": self._function("called", output=text("function output"))},
            {"id": "c2", "type": "code_interpreter", "code_interpreter": {"input": text("code"), "outputs": outputs}},
            {"id": "c3", "type": "file_search", "file_search": {"results": [found]}},
            {"id": "c4", "type": text("call type")},
        ]
        details = {"type": "tool_calls", "tool_calls": calls}
        step = self._object("step", run_id=run_id, type="tool_calls", status=text("step status"), step_details=details)
        return {**step, "created_at": self.now}

    def _function(self, what: str, **more: Any) -> dict[str, Any]:
        arguments = json.dumps({self._hostile.text("argument"): self._hostile.text("argument value")})
        if self._random.random() < 0.5:
            arguments = self._hostile.text("arguments that are no JSON")
        return {"name": self._hostile.text(f"{what} function"), "arguments": arguments, **more}

    def _events(self, run: dict[str, Any]) -> Iterable[bytes]:
        scene = self.scenes.pop(0) if self.scenes else "completed"
        text = self._hostile.text
        yield event("thread.run.created", {**run, "model": text("run's model")})
        yield event("thread.run.in_progress", {**run, "status": "in_progress"})
        if scene == "action":
            run["status"] = "requires_action"
            calls = [{"id": "c1", "type": "function", "function": self._function("awaited")}]
            run["required_action"] = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
            yield event("thread.run.requires_action", run)
            yield DONE
            return
        yield event("thread.run.step.created", self._step(run["id"], next(iter(self.files))))
        yield from self._spoken(run)
        yield event(
            text("event name", lines=False, pieces=2).encode("ascii", "ignore").decode(), {"a": text("event data")}
        )
        if scene == "error":
            yield event("error", {"error": {"message": text("stream error"), "code": text("stream error code")}})
        run["status"] = {"odd": text("run status"), "error": "failed", "action": ""}.get(scene, scene)
        if scene in ("failed", "error"):
            run["last_error"] = {"code": text("run error code"), "message": text("run error")}
        run["incomplete_details"] = {"reason": text("run incomplete reason")}
        run["usage"] = {"total_tokens": 66}
        yield event(f"thread.run.{'completed' if scene == 'odd' else run['status']}", run)
        yield DONE

    def _spoken(self, run: dict[str, Any]) -> Iterable[bytes]:
        message = self.add_message(run["thread_id"], "assistant", "", run_id=run["id"])
        yield event("thread.message.created", {**message, "status": "in_progress"})
        value = self._hostile.text("streamed text", pieces=40)
        for piece in self._hostile.cut(value):
            yield event("thread.message.delta", delta(message["id"], piece))
        message["content"] = [{"type": "text", "text": {"value": value, "annotations": []}}]
        yield event("thread.message.completed", message)

    def refuse_next(self, method: str, ending: str) -> None:
        """The next such request is refused with hostile words."""
        self.instead(method, ending, refusal(self._hostile, self._random))

    def _act(self, request: Received) -> Reply:
        """Ids come quoted in paths; files and vector stores are here too."""
        request = replace(request, path=unquote(request.path, errors="surrogatepass"))
        parts = request.path.removeprefix("/v1/").split("/")
        match [request.method, *parts]:
            case ["GET", "files"]:
                return answered({"object": "list", "data": list(self.files.values()), "has_more": False})
            case ["GET", "files", file, "content"] if file in self.files:
                return raw(200, b"\x1b]0;6677\x07", "application/octet-stream")
            case ["GET", "files", file] if file in self.files:
                return answered(self.files[file])
            case ["POST", "files"]:
                return answered(self.files[self._file()])
            case ["GET", "vector_stores", _]:
                return answered({"id": "vs_1", "file_counts": {"total": 2, "failed": 1, "in_progress": 0}})
            case ["GET", "vector_stores", _, "files"]:
                return answered({"object": "list", "data": self.stored, "has_more": False})
            case _:
                return super()._act(request)


def hostile_provider(hostile: Hostile, random: Random) -> ProviderServer:
    """A model provider; its models, answers, calls and errors are hostile."""
    server = ProviderServer(models=[hostile.text("provider's model", lines=False) for _ in range(4)])
    server.fallback = answer(*hostile.cut(hostile.text("provider's text", pieces=30)))
    return server


def provider_replies(hostile: Hostile, random: Random) -> list[Reply]:
    """Replies of each kind a provider can give."""
    told = hostile.text("provider's stream error")
    return [
        refusal(hostile, random),
        error(401, hostile.text("provider's refusal"), code=hostile.text("provider's code")),
        error(429, "slow", headers={"retry-after": "6677"}),
        stream(b"data: " + json.dumps({"error": {"message": told, "code": "x"}}).encode() + b"\n\n"),
        raw(200, hostile.text("provider's page").encode("utf-8", "replace")),
        stream(hostile.text("no event").encode("utf-8", "replace") + b"\n\n"),
    ]
