"""Indexing in the background: what was put into a vector store is read, cut, kept and, where possible, embedded.

The store says what is to be done, oldest first: an engine that is stopped or killed leaves it to the next one. A file
counts as indexed when all of its chunks can be found by their words. Its embeddings are made at once while nobody waits
for that; else they follow when all files are indexed, a part at a time, so that a new file need not wait for them.
Embeddings that cannot be had are tried for again when there is something else to do, or other providers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing, suppress
from functools import partial

from playground_tui.engine.files import Files
from playground_tui.engine.store import chunks, store_files
from playground_tui.engine.store import files as file_objects
from playground_tui.engine.store.chunks import NewChunk
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.failures import StoreFailed
from playground_tui.engine.store.store_files import Waiting
from playground_tui.engine.store.unknown import Unknown
from playground_tui.engine.tools.file_search.chunking import Chunk
from playground_tui.engine.tools.file_search.embeddings import Embedder, NoEmbeddings
from playground_tui.engine.tools.file_search.reading.process import Limits, read_chunks
from playground_tui.engine.tools.file_search.reading.refusal import Code, Unreadable
from playground_tui.engine.tools.file_search.words import searchable

WORKERS = 2
"""Files that are indexed at a time: one that takes long does not hold up all others."""
PART = 50
"""Chunks that are stored in one transaction, and embedded between two."""
LOOK_AGAIN = 0.5
"""Seconds after which somebody who waits looks by himself."""
SOON = 30.0
"""Seconds that a file is embedded for, at most, before it counts as indexed; the rest of it follows."""
UNFORESEEN = "The engine failed on this file ({}). Its log says more."
REST = 60.0
"""Seconds after which embeddings are tried for again that could not be had."""
_log = logging.getLogger(__name__)


class Indexer:
    """The work of indexing, done by a few tasks that end when nothing is left to do."""

    def __init__(self, database: Database, files: Files, embedder: Embedder, *, limits: Limits | None = None):
        self._database = database
        self._files = files
        self._embedder = embedder
        self._limits = limits or Limits()
        self._workers: set[asyncio.Task[None]] = set()
        self._taken: set[int] = set()
        self._without: set[int] = set()
        """The files whose embeddings could not be had, until somebody wakes us again."""
        self._reached: dict[int, tuple[str, int]] = {}
        """The model by which a file is being embedded, and the position from which on it is not yet."""
        self._rest: asyncio.TimerHandle | None = None
        """Set while no embeddings are asked for."""
        self._calls = 0
        self._changed = asyncio.Event()
        self._stopped = False

    def wake(self) -> None:
        """There may be something to do."""
        self._calls += 1
        self._without.clear()
        self._end_rest()
        # One that is done has looked for the last time, though it may still be among them.
        for _ in range(WORKERS - sum(not worker.done() for worker in self._workers)):
            if self._stopped:
                return
            worker = asyncio.create_task(self._work(), name="indexing")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def stop(self) -> None:
        """End the work under way. It is begun anew by the next engine."""
        self._stopped = True
        self._end_rest()
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _end_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    async def settled(self, store_ids: Sequence[str], seconds: float) -> bool:
        """Wait until no file of these vector stores is to be indexed; whether that came true."""
        if not await self._busy(store_ids):
            return True
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._busy(store_ids):
                    await self._change()
                return True
        return False

    async def _busy(self, store_ids: Sequence[str]) -> bool:
        return await self._database.read(lambda c: chunks.busy(c, store_ids))

    async def _change(self) -> None:
        # Not wait_for: up to Python 3.11 it swallows a cancel that comes in the same moment as what it waits for.
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN):
                await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _work(self) -> None:
        calls = -1
        try:
            while calls != self._calls:
                calls = self._calls
                while await self._index_next() or await self._forget_next() or await self._embed_next():
                    pass
        except StoreFailed as error:
            _log.error("indexing has to wait: %s", error)
        except Exception:  # noqa: BLE001 - what nobody foresaw is caught here
            _log.exception("indexing has to wait for a reason nobody foresaw")

    async def _index_next(self) -> bool:
        """Index the oldest file that nobody has taken; whether there was one."""
        file = await self._next()
        if file is None:
            return False
        self._taken.add(file.seq)
        try:
            await self._index(file)
        finally:
            self._taken.discard(file.seq)
        self._tell()
        return True

    async def _next(self) -> Waiting | None:
        waiting = await self._database.read(store_files.in_progress)
        return next((file for file in waiting if file.seq not in self._taken), None)

    async def _index(self, file: Waiting) -> None:
        # Another worker may have done it since it was looked up.
        if not await self._database.write(lambda c: chunks.begin(c, file.seq)):
            return
        self._reached.pop(file.seq, None)
        try:
            used = await self._keep_chunks(file)
            await self._embed_soon(file.seq)
        except Unreadable as refusal:
            await self._fail(file, refusal.code, str(refusal))
        except OSError as error:
            await self._fail(file, "server_error", f"The file could not be read: {error.strerror}.")
        except Unknown as unknown:
            await self._fail(file, "server_error", str(unknown))
        except StoreFailed:
            raise
        except Exception as error:  # noqa: BLE001 - one file is not to stop the indexing of all others
            _log.exception("file %s cannot be indexed for a reason nobody foresaw", file.file_id)
            await self._fail(file, "server_error", UNFORESEEN.format(type(error).__name__))
        else:
            await self._database.write(lambda c: store_files.finish(c, file.seq, "completed", usage_bytes=used))

    async def _fail(self, file: Waiting, code: Code, message: str) -> None:
        _log.warning("file %s cannot be indexed: %s", file.file_id, message)
        error = {"code": code, "message": message}
        await self._database.write(lambda c: store_files.finish(c, file.seq, "failed", last_error=error))

    async def _keep_chunks(self, file: Waiting) -> int:
        """Store the file's chunks and return the bytes of their texts."""
        stored = await self._database.read(lambda c: file_objects.require(c, file.file_id))
        path, name = self._files.path(file.file_id), str(stored["filename"])
        used, first, part = 0, 0, list[Chunk]()
        reading = read_chunks(path, name, file.chunk_tokens, file.overlap_tokens, self._limits)
        async with aclosing(reading):
            async for chunk in reading:
                used += len(chunk.text.encode())
                part.append(chunk)
                if len(part) == PART:
                    if not await self._keep(file.seq, first, name, part):
                        return used
                    first, part = first + PART, []
        if part:
            await self._keep(file.seq, first, name, part)
        return used

    async def _keep(self, seq: int, first: int, name: str, part: Sequence[Chunk]) -> bool:
        # The words are made in the writer's thread, too: the event loop has runs to stream.
        return await self._database.write(lambda c: chunks.add(c, seq, first, [_new(name, chunk) for chunk in part]))

    async def _forget_next(self) -> bool:
        """Take out some of the words of chunks that are gone; whether there were any."""
        if not await self._database.read(chunks.words_left):
            return False
        await self._database.write(lambda c: chunks.forget_words(c, PART))
        return True

    async def _embed_next(self) -> bool:
        """Embed more of the oldest file that has no embeddings; whether there was one."""
        if await self._model() is None:
            return False
        seq = await self._database.read(lambda c: chunks.unembedded(c, self._taken | self._without))
        if seq is None:
            return False
        if seq in self._taken:
            return True  # another worker took it while it was looked up
        self._taken.add(seq)
        try:
            await self._embed_more(seq)
        finally:
            self._taken.discard(seq)
        return True

    async def _model(self) -> str | None:
        return None if self._rest is not None else await self._embedder.model()

    async def _embed_soon(self, seq: int) -> None:
        """Embed a file before it counts as indexed, unless that takes long or holds up another one."""
        end = asyncio.get_running_loop().time() + SOON
        while await self._embed_more(seq) and await self._next() is None:
            if asyncio.get_running_loop().time() > end:
                return

    async def _embed_more(self, seq: int) -> bool:
        """Embed a part of a file's chunks, if embeddings can be had; whether there is more to embed now."""
        if (model := await self._model()) is None:
            return False
        try:
            return await self._embed_part(model, seq)
        except NoEmbeddings as failure:
            self._without.add(seq)
            if failure.passing and self._rest is None:
                self._rest = asyncio.get_running_loop().call_later(REST, self.wake)
        except StoreFailed:
            raise
        except Exception:  # noqa: BLE001 - without embeddings a file is found by its words
            _log.exception("no embeddings by %s for a reason nobody foresaw", model)
            self._without.add(seq)
        return False

    async def _embed_part(self, model: str, seq: int) -> bool:
        """Embed the chunks from where this model has reached; whether there are more of them."""
        by, first = self._reached.get(seq, (model, 0))
        first = first if by == model else 0
        name, stored = await self._database.read(partial(chunks.of_file, store_file=seq, first=first, limit=PART))
        made = await self._embedder.documents(model, [about(name, chunk.heading, chunk.text) for chunk in stored])
        by_seq = {chunk.seq: packed for chunk, packed in zip(stored, made, strict=True)}
        await self._database.write(partial(chunks.embed, embeddings=by_seq))
        if len(stored) == PART:
            self._reached[seq] = model, first + PART
            return True
        self._reached.pop(seq, None)
        await self._database.write(lambda c: chunks.embedded(c, seq, model))
        return False


def _new(name: str, chunk: Chunk) -> NewChunk:
    return NewChunk(chunk.text, chunk.heading, searchable(about(name, chunk.heading, chunk.text)))


def about(name: str, heading: str, text: str) -> str:
    """A chunk with what it belongs to: the words "remote work" may stand in its file's name alone."""
    return "\n".join(filter(None, (name, heading, text)))
