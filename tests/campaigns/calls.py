"""Calls in random order, each held against what is known: none is answered wrongly, nothing goes astray."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import httpx2

from tests.campaigns.known import Kind, Known, check_answer

QUERIES = ("sea", '"', "a AND (b", "NEAR(x", "*", "-- ;", "col:x", "日本 🦊", "it's", "x" * 3000)
JUNK: tuple[Any, ...] = (None, [], {}, "x", 5, -1, 10**30, True, "\0", {"a": {"b": []}}, ["x"] * 30)
PARAMETERS = ("limit", "order", "after", "before", "purpose", "filter", "run_id")


class Sequence:
    """One user of the engine. `random` decides what it does."""

    def __init__(self, http: httpx2.AsyncClient, random: Random):
        self._http = http
        self._random = random
        self._known = Known()
        self.calls = 0

    async def play(self, steps: int) -> None:
        """So many things, then a look at all there is. AssertionError when an answer is wrong."""
        deeds: list[Callable[[], Awaitable[None]]] = [
            self.add_file,
            self.add_file,
            self.read_file,
            self.delete_file,
            self.upload,
            self.end_upload,
            self.new_store,
            self.put_file,
            self.put_batch,
            self.take_file,
            self.search,
            self.delete_store,
            self.new_assistant,
            self.new_thread,
            self.new_thread,
            self.add_message,
            self.delete_message,
            self.run,
            self.run,
            self.delete_thread,
            self.nonsense,
            self.page,
        ]
        for _ in range(steps):
            await self._random.choice(deeds)()
        await self.look()

    async def _send(self, method: str, path: str, *allowed: int, **options: Any) -> httpx2.Response:
        self.calls += 1
        response = await self._http.request(method, path, **options)
        check_answer(response, *allowed)
        return response

    async def _post(self, path: str, status: int, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await self._send("POST", path, status, json=body)).json()
        return answer

    def _status(self, *there: bool) -> int:
        return 200 if all(there) else 404

    def _some_files(self, most: int = 3) -> list[str]:
        return [self._known.files.pick(self._random) for _ in range(self._random.randint(1, most))]

    async def add_file(self) -> None:
        content = self._random.choice([b"", b"The sea is blue.", b"# Tides\n\nTwice a day.\n" * 40, b"\xff\0\xfe"])
        form = {"purpose": self._random.choice(["assistants", "user_data", "vision"])}
        response = await self._send("POST", "/files", 200, files={"file": ("a.md", content)}, data=form)
        self._have_file(response.json()["id"], content)
        await self._send("POST", "/files", 400, files={"file": ("a.md", content)}, data={"purpose": "none"})

    def _have_file(self, file: str, content: bytes) -> None:
        self._known.files.there.append(file)
        self._known.contents[file] = content

    async def read_file(self) -> None:
        file = self._known.files.pick(self._random)
        status = self._status(file in self._known.contents)
        await self._send("GET", f"/files/{file}", status)
        response = await self._send("GET", f"/files/{file}/content", status)
        assert status == 404 or response.content == self._known.contents[file]

    async def delete_file(self) -> None:
        file = self._known.files.pick(self._random)
        there = file in self._known.contents
        await self._send("DELETE", f"/files/{file}", self._status(there))
        if there:
            self._known.delete_file(file)

    async def upload(self) -> None:
        head = {"filename": "u.txt", "mime_type": "text/plain", "purpose": "assistants"}
        size = self._random.choice([0, 6])
        upload = (await self._post("/uploads", 200, **head, bytes=size))["id"]
        self._known.uploads.there.append(upload)
        self._known.parts[upload] = []
        for content in [b"abc", b"def"] if size else []:
            part = await self._send("POST", f"/uploads/{upload}/parts", 200, files={"data": ("p", content)})
            self._known.parts[upload].append((part.json()["id"], content))

    async def end_upload(self) -> None:
        upload = self._known.uploads.pick(self._random)
        parts = self._known.parts.get(upload)
        ended = 400 if upload in self._known.uploads.gone else 404
        if self._random.random() < 0.3:
            await self._send("POST", f"/uploads/{upload}/cancel", ended if parts is None else 200)
        else:
            ids = [part for part, _ in parts or ()]
            wrong = [*ids, "part_none"]
            await self._post(f"/uploads/{upload}/complete", ended if parts is None else 400, part_ids=wrong)
            answer = await self._post(f"/uploads/{upload}/complete", ended if parts is None else 200, part_ids=ids)
            if parts is not None:
                self._have_file(answer["file"]["id"], b"".join(content for _, content in parts))
        if parts is not None:
            self._known.uploads.remove(upload)
            del self._known.parts[upload]

    async def new_store(self) -> None:
        files = self._random.choice([[], self._some_files()])
        status = self._status(self._known.has_files(files))
        answer = await self._post("/vector_stores", status, name="n", file_ids=files)
        if status == 200:
            self._have_store(answer["id"], files)

    def _have_store(self, store: str, files: list[str]) -> None:
        self._known.stores.there.append(store)
        self._known.members[store] = set(files)

    async def put_file(self) -> None:
        store, (file,) = self._known.stores.pick(self._random), self._some_files(1)
        members = self._known.members.get(store)
        status = self._status(members is not None, self._known.has_files([file]))
        await self._post(f"/vector_stores/{store}/files", status, file_id=file, attributes={"n": 1})
        if status == 200 and members is not None:
            members.add(file)

    async def put_batch(self) -> None:
        store, files = self._known.stores.pick(self._random), self._some_files()
        members = self._known.members.get(store)
        status = self._status(members is not None, self._known.has_files(files))
        path = f"/vector_stores/{store}/file_batches"
        answer = await self._post(path, status, file_ids=files)
        if status == 200 and members is not None:
            members |= set(files)
            if self._random.random() < 0.5:
                await self._send("POST", f"{path}/{answer['id']}/cancel", 200)
            listed = (await self._send("GET", f"{path}/{answer['id']}/files", 200)).json()["data"]
            assert {one["id"] for one in listed} == set(files), (listed, files)

    async def take_file(self) -> None:
        store, (file,) = self._known.stores.pick(self._random), self._some_files(1)
        members = self._known.members.get(store, set())
        await self._send("DELETE", f"/vector_stores/{store}/files/{file}", self._status(file in members))
        members.discard(file)

    async def search(self) -> None:
        store = self._known.stores.pick(self._random)
        status = self._status(store in self._known.members)
        found = await self._post(f"/vector_stores/{store}/search", status, query=self._random.choice(QUERIES))
        assert status == 404 or {one["file_id"] for one in found["data"]} <= self._known.members[store]

    async def delete_store(self) -> None:
        store = self._known.stores.pick(self._random)
        there = store in self._known.members
        await self._send("DELETE", f"/vector_stores/{store}", self._status(there))
        if there:
            self._known.delete_store(store)

    async def new_assistant(self) -> None:
        store, files = self._known.stores.pick(self._random), self._some_files(2)
        tools = [{"type": "file_search"}, {"type": "code_interpreter"}]
        resources = {"file_search": {"vector_store_ids": [store]}, "code_interpreter": {"file_ids": files}}
        status = self._status(store in self._known.members, self._known.has_files(files))
        answer = await self._post("/assistants", status, model="scripted", tools=tools, tool_resources=resources)
        if status == 200:
            self._known.assistants.there.append(answer["id"])

    async def new_thread(self) -> None:
        count = self._random.randint(0, 2)
        thread = await self._post("/threads", 200, messages=[{"role": "user", "content": "hello"}] * count)
        self._known.threads.there.append(thread["id"])
        listed = await self._send("GET", f"/threads/{thread['id']}/messages?order=asc", 200)
        self._known.messages[thread["id"]] = [one["id"] for one in listed.json()["data"]]
        assert len(listed.json()["data"]) == count

    async def add_message(self) -> None:
        thread, files = self._known.threads.pick(self._random), self._some_files(2)
        messages = self._known.messages.get(thread)
        attachments = [{"file_id": file, "tools": [{"type": "file_search"}]} for file in files]
        status = self._status(messages is not None, self._known.has_files(files))
        body = {"role": "user", "content": "look", "attachments": attachments}
        answer = await self._post(f"/threads/{thread}/messages", status, **body)
        if status == 200 and messages is not None:
            messages.append(answer["id"])
            await self._note_store(thread, files)

    async def _note_store(self, thread: str, files: list[str]) -> None:
        """The thread's own vector store has the files; one that was deleted is made anew."""
        read = (await self._send("GET", f"/threads/{thread}", 200)).json()
        (store,) = read["tool_resources"]["file_search"]["vector_store_ids"]
        if store not in self._known.members:
            assert store not in self._known.stores.gone, store
            self._have_store(store, [])
        self._known.members[store] |= set(files)

    async def delete_message(self) -> None:
        thread = self._known.threads.pick(self._random)
        messages = self._known.messages.get(thread, [])
        message = self._random.choice([*messages, "msg_none"])
        await self._send("DELETE", f"/threads/{thread}/messages/{message}", self._status(message in messages))
        if message in messages:
            messages.remove(message)

    async def run(self) -> None:
        """Up to three runs asked for at once: one is made, and it ends."""
        thread, assistant = self._known.threads.pick(self._random), self._known.assistants.pick(self._random)
        messages = self._known.messages.get(thread)
        there = messages is not None and assistant in self._known.assistants.there
        count = self._random.randint(1, 3)
        self.calls += count
        body = {"assistant_id": assistant}
        answers = await asyncio.gather(*(self._http.post(f"/threads/{thread}/runs", json=body) for _ in range(count)))
        for answer in answers:
            check_answer(answer, *((200, 400) if there else (404,)))
        made = [answer.json()["id"] for answer in answers if answer.status_code == 200]
        if messages is not None and there:
            assert made
            messages += [message for run in made for message in await self._ended(thread, run)]

    async def _ended(self, thread: str, run: str) -> list[str]:
        """The messages of the run once it has ended."""
        path = f"/threads/{thread}/runs/{run}"
        async with asyncio.timeout(60):
            while (found := (await self._send("GET", path, 200)).json())["status"] in {"queued", "in_progress"}:
                await asyncio.sleep(0.002)
        assert found["status"] == "completed", found
        await self._send("POST", f"{path}/cancel", 400)
        listed = await self._send("GET", f"/threads/{thread}/messages?run_id={run}&order=asc", 200)
        return [one["id"] for one in listed.json()["data"]]

    async def delete_thread(self) -> None:
        thread = self._known.threads.pick(self._random)
        there = thread in self._known.messages
        await self._send("DELETE", f"/threads/{thread}", self._status(there))
        if there:
            self._known.threads.remove(thread)
            del self._known.messages[thread]

    async def nonsense(self) -> None:
        """Any path with a body that has one key nobody knows, or none that is an object."""
        known = self._known
        kinds = {"files": known.files, "vector_stores": known.stores, "threads": known.threads}
        kind, ids = self._random.choice([*kinds.items(), ("assistants", known.assistants), ("uploads", known.uploads)])
        tail = self._random.choice(["", "/files", "/messages", "/runs", "/search", "/complete", "/file_batches"])
        path = self._random.choice([f"/{kind}", "/threads/runs", f"/{kind}/{ids.pick(self._random)}{tail}"])
        fields = ("name", "file_ids", "messages", "metadata", "query", "model", "tools", "bytes", "tool_resources")
        body = {name: self._random.choice(JUNK) for name in self._random.sample(fields, 2)}
        sent = self._random.choice([{**body, "nonsense": 1}, [], "x", 5])
        await self._send("POST", path, 400, 404, 405, json=sent)

    async def page(self) -> None:
        known = self._known
        store, thread = known.stores.pick(self._random), known.threads.pick(self._random)
        paths = ("/files", "/vector_stores", f"/vector_stores/{store}/files", f"/threads/{thread}/messages")
        values = ("1", "0", "101", "x", "asc", "desc", "completed", known.files.pick(self._random), "", "٣")
        query = {self._random.choice(PARAMETERS): self._random.choice(values) for _ in range(2)}
        response = await self._send("GET", self._random.choice(paths), 200, 400, 404, params=query)
        keys = ["object", "data", "first_id", "last_id", "has_more"]
        assert response.status_code != 200 or list(response.json()) == keys, response.text

    async def look(self) -> None:
        """All there is, and nothing else."""
        known = self._known
        for thread, messages in known.messages.items():
            listed = await self._send("GET", f"/threads/{thread}/messages?order=asc&limit=100", 200)
            assert [one["id"] for one in listed.json()["data"]] == messages, thread
        for store, members in known.members.items():
            listed = await self._send("GET", f"/vector_stores/{store}/files?limit=100", 200)
            assert {one["id"] for one in listed.json()["data"]} == members, (store, members)
            found = (await self._send("GET", f"/vector_stores/{store}", 200)).json()
            counts = found["file_counts"]
            assert counts["total"] == len(members) == sum(counts.values()) - counts["total"], found
        for kind, name in self._kinds():
            for one in kind.gone:
                await self._send("GET", f"/{name}/{one}", 404)

    def _kinds(self) -> tuple[tuple[Kind, str], ...]:
        return (self._known.files, "files"), (self._known.stores, "vector_stores"), (self._known.threads, "threads")
