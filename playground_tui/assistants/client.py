"""The client of the Assistants API v2: one method per operation used, on the official SDK.

Importing this module loads the SDK with all it needs, which takes a second or more: import it in a thread, after the
first paint; a client is then made at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from openai.resources.beta.assistants import AsyncAssistants
from openai.resources.beta.threads.threads import AsyncThreads
from openai.types.beta.threads.runs import RunStepInclude

from playground_tui.assistants.assistant_files import AssistantFiles
from playground_tui.assistants.assistant_versions import AssistantVersions, EngineVersions
from playground_tui.assistants.changes import read_changes
from playground_tui.assistants.creating import Creating
from playground_tui.assistants.engine_objects import Change, EngineStatus
from playground_tui.assistants.errors import NotSupported
from playground_tui.assistants.events import Event
from playground_tui.assistants.files import Files
from playground_tui.assistants.kept_versions import KeptVersions
from playground_tui.assistants.objects import (
    Assistant,
    Json,
    Message,
    Run,
    Step,
    ThreadSummary,
    objects_of,
    text_of,
)
from playground_tui.assistants.outcome import Outcomes
from playground_tui.assistants.pages import LARGEST_PAGE, all_pages, all_pages_at
from playground_tui.assistants.runs import RunStreams
from playground_tui.assistants.sent import SentFile
from playground_tui.assistants.transport import Transport
from playground_tui.assistants.versions import Deleted
from playground_tui.cache.names import server_key
from playground_tui.cache.versions import Versions
from playground_tui.protocol import CLIENT_HEADER, PROVIDER_HEADER

PASSAGES: list[RunStepInclude] = ["step_details.tool_calls[*].file_search.results[*].content"]
"""What steps tell of file searches besides names and scores."""
CONTROL = "http://localhost"
"""Where the engine's control endpoints are, outside of the API's base URL."""


class AssistantsClient:
    """One server of the Assistants API: the engine, or any other.

    Every method raises AssistantsError and nothing else. `where` names the server for people, `server_key` for files.
    """

    def __init__(self, transport: Transport, server_key: str, *, label: str = "", versions: Path | None = None):
        self.transport = transport
        self.is_engine = transport.is_engine
        self.where = "engine" if transport.is_engine else transport.where
        self.server_key = server_key
        # The same as `sdk.beta.assistants` and `sdk.beta.threads`, which would import every other beta resource too.
        self._assistants = AsyncAssistants(transport.sdk)
        self._threads = AsyncThreads(transport.sdk)
        self.files = Files(transport)
        self.assistant_files = AssistantFiles(transport)
        self.versions = _versions_of(self, versions, label)
        self._outcomes = Outcomes()
        self._creating = Creating(transport, self._outcomes, self._assistants, self._threads)
        self._streams = RunStreams(transport, self._outcomes, self)

    @classmethod
    def for_engine(cls, socket: Path, *, label: str, provider: str | None) -> Self:
        """The engine at its Unix socket. `label` says who asks; `provider` is this visitor's default provider."""
        headers = {CLIENT_HEADER: _header_text(label)}
        if provider:
            headers[PROVIDER_HEADER] = _header_text(provider)
        return cls(Transport.to_engine(socket, headers), server_key(None))

    @classmethod
    def for_server(cls, url: str, key: str | None, *, label: str, versions: Path | None = None) -> Self:
        """Another server. Only `key` is sent to it, nothing of the environment; `label` stays here.

        The versions of its assistants are kept in the directory `versions`, with `label` on those saved from here.
        """
        return cls(Transport.to_server(url, key), server_key(url), label=label, versions=versions)

    # The engine itself

    async def engine_settings(self, handover: Mapping[str, Any]) -> EngineStatus:
        """Hand this visitor's providers and keys to the engine."""
        return EngineStatus.from_json(await self._control("put", "/engine/settings", handover))

    async def engine_status(self) -> EngineStatus:
        return EngineStatus.from_json(await self._control("get", "/engine"))

    async def _control(self, method: str, path: str, body: object = None) -> Json:
        self._engine_only("this is asked of the engine alone")
        return await self.transport.request(method, CONTROL + path, body=body, repeat=True)

    # Assistants

    async def list_assistants(self) -> list[Assistant]:
        """All of them, newest first."""
        listed = await all_pages(self.transport, "assistants", self._assistants.list)
        assistants = [Assistant.from_json(raw) for raw in listed]
        self._outcomes.saw(assistants)
        return assistants

    async def retrieve_assistant(self, assistant_id: str) -> Assistant:
        answer = self.transport.ask_for("assistant", self._assistants.retrieve, assistant_id, repeat=True)
        return await self.versions.read(answer, assistant_id)

    async def create_assistant(self, fields: Mapping[str, Any], *, key: str) -> Assistant:
        """Create an assistant of exactly these API fields, once. `key` makes a repetition harmless."""
        return await self.versions.noted(await self._creating.assistant(fields, key), "created")

    async def update_assistant(self, assistant_id: str, fields: Mapping[str, Any]) -> Assistant:
        """Set exactly these API fields."""
        body = await self.transport.ask_for(
            "assistant", self._assistants.update, assistant_id, extra_body=dict(fields), repeat=True
        )
        return await self.versions.noted(Assistant.from_json(body), "modified")

    async def delete_assistant(self, assistant_id: str) -> None:
        """Delete an assistant; `versions.bring_back` brings it back for 30 days."""
        await self.versions.deleting(lambda: self.transport.ask(self._assistants.delete, assistant_id), assistant_id)

    async def list_models(self) -> list[str]:
        """The ids of the models, sorted. A list may name assistants too: they are no models of an assistant."""
        models = await self.transport.ask_list("models", self.transport.sdk.models.list)
        ids = {text_of(raw, "id") for raw in models}
        return sorted(name for name in ids if not name.startswith("asst_"))

    # Threads and messages

    async def create_thread(self, *, key: str) -> str:
        """The id of a new thread."""
        headers = self._creating.headers(key)
        body = await self.transport.ask_new(
            "thread", self._threads.create, extra_headers=headers, repeat=self.is_engine
        )
        return text_of(body, "id")

    async def retrieve_thread(self, thread_id: str) -> Json:
        return await self.transport.ask_for("thread", self._threads.retrieve, thread_id, repeat=True)

    async def delete_thread(self, thread_id: str) -> None:
        await self.transport.ask(self._threads.delete, thread_id)

    async def restore_thread(self, thread_id: str) -> None:
        """Bring a deleted thread back; the engine alone can."""
        self._engine_only("a deleted thread cannot be brought back there")
        await self.transport.request("post", f"/threads/{quote(thread_id, safe='')}/restore", repeat=True)

    async def deleted_threads(self, assistant_id: str | None = None, q: str = "") -> list[Deleted[ThreadSummary]]:
        """As `list_threads`, those that can be brought back, last deleted first."""
        self._engine_only("a deleted thread cannot be brought back there")
        query = {name: value for name, value in (("assistant_id", assistant_id), ("q", q)) if value}
        found = await all_pages_at(self.transport, "threads", "/threads", deleted="true", **query)
        return [Deleted.of(ThreadSummary.from_json(raw), raw) for raw in found]

    async def list_threads(self, assistant_id: str | None = None, q: str = "") -> list[ThreadSummary]:
        """The threads an assistant has run in, or all, latest first; the engine alone lists them."""
        self._engine_only("it does not list threads")
        query = {"assistant_id": assistant_id, "q": q, "limit": LARGEST_PAGE}
        given = {name: value for name, value in query.items() if value}
        body = await self.transport.request("get", "/threads", query=given, repeat=True)
        return [ThreadSummary.from_json(raw) for raw in objects_of(body, "data")]

    async def list_messages(self, thread_id: str, *, before_id: str | None = None, limit: int = 50) -> list[Message]:
        """A page of the thread, oldest first: its newest messages, or those older than `before_id`."""
        newest_first = {"order": "desc", "limit": limit, **({"after": before_id} if before_id else {})}
        listed = await self.transport.ask_list("messages", self._threads.messages.list, thread_id, **newest_first)
        return self._messages(listed)[::-1]

    async def messages_of_run(self, thread_id: str, run_id: str) -> list[Message]:
        """The messages a run has made, oldest first."""
        listed = await self.transport.ask_list(
            "messages", self._threads.messages.list, thread_id, run_id=run_id, limit=LARGEST_PAGE, order="asc"
        )
        return [message for message in self._messages(listed) if message.run_id == run_id]

    async def create_message(self, thread_id: str, text: str, *, key: str, files: Sequence[SentFile] = ()) -> Message:
        """Add a message of the user, once: when it is unknown whether it arrived, it is looked for first."""
        return await self._creating.message(thread_id, text, key, files)

    def _messages(self, listed: Sequence[Json]) -> list[Message]:
        messages = [Message.from_json(raw) for raw in listed]
        self._outcomes.saw(messages)
        return messages

    # Runs

    def run(
        self, thread_id: str, assistant_id: str, *, key: str, overrides: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[Event, None]:
        """Start a run, once, and tell its events until it rests. Raises NotReachable when its stream breaks."""
        start = partial(
            self.transport.open,
            self._threads.runs.create,
            thread_id,
            assistant_id=assistant_id,
            stream=True,
            include=PASSAGES,
            extra_body=dict(overrides or {}),
            extra_headers=self._creating.headers(key),
        )
        return self._streams.start(thread_id, assistant_id, key, start)

    def submit_outputs(self, thread_id: str, run_id: str, outputs: Mapping[str, str]) -> AsyncGenerator[Event, None]:
        """Give the outputs a run awaits, by call id, and tell its further events until it rests."""
        send = partial(
            self.transport.open,
            self._threads.runs.submit_tool_outputs,
            run_id,
            thread_id=thread_id,
            stream=True,
            tool_outputs=[{"tool_call_id": call, "output": output} for call, output in outputs.items()],
        )
        return self._streams.submit(thread_id, run_id, frozenset(outputs), send)

    def follow(self, thread_id: str, run_id: str) -> AsyncGenerator[Event, None]:
        """A run's events from its beginning, its texts so far at once, until it rests.

        Another server than the engine is asked every second. Raises NotReachable on a break.
        """
        return self._streams.follow(thread_id, run_id)

    async def retrieve_run(self, thread_id: str, run_id: str) -> Run:
        return Run.from_json(
            await self.transport.ask_for("run", self._threads.runs.retrieve, run_id, thread_id=thread_id, repeat=True)
        )

    async def list_runs(self, thread_id: str, limit: int = 20) -> list[Run]:
        """The newest runs of a thread, newest first."""
        runs = await self.newest_runs(thread_id, limit)
        self._outcomes.saw(runs)
        return runs

    async def newest_runs(self, thread_id: str, limit: int = 20) -> list[Run]:
        """As `list_runs`, without taking them for known: to find one whose start is in doubt."""
        runs = await self.transport.ask_list("runs", self._threads.runs.list, thread_id, order="desc", limit=limit)
        return [Run.from_json(raw) for raw in runs]

    async def active_run(self, thread_id: str) -> Run | None:
        """The run that holds the thread, if any: it is the newest."""
        return next((run for run in await self.list_runs(thread_id, limit=5) if run.active), None)

    async def cancel_run(self, thread_id: str, run_id: str) -> Run:
        """Ask for the end of a run. A repetition is refused as the run's end is: ask for the run then."""
        return Run.from_json(
            await self.transport.ask_for("run", self._threads.runs.cancel, run_id, thread_id=thread_id, repeat=True)
        )

    async def list_steps(self, thread_id: str, run_id: str) -> list[Step]:
        """The steps of a run, oldest first."""
        steps = await self.transport.ask_list(
            "steps",
            self._threads.runs.steps.list,
            run_id,
            thread_id=thread_id,
            order="asc",
            limit=LARGEST_PAGE,
            include=PASSAGES,
        )
        return [Step.from_json(raw) for raw in steps]

    # The rest

    def changes(self) -> AsyncGenerator[Change, None]:
        """What changes on the engine, until the connection ends with NotReachable; elsewhere nothing."""
        return read_changes(self.transport)

    async def close(self) -> None:
        await self.transport.close()

    def _engine_only(self, what: str) -> None:
        if not self.is_engine:
            raise NotSupported(f"{self.where} is not the engine: {what}.")


def _versions_of(client: AssistantsClient, directory: Path | None, label: str) -> AssistantVersions:
    if client.is_engine:
        return EngineVersions(client, client.transport)
    store = Versions(directory, client.server_key) if directory else None
    return KeptVersions(client, client.where, store, label)


def _header_text(text: str) -> str:
    """The text as a header may carry it."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)
