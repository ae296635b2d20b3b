"""What is made at a server once and only once: assistants and messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from openai import omit
from openai.resources.beta.assistants import AsyncAssistants
from openai.resources.beta.threads.threads import AsyncThreads

from playground_tui.assistants.objects import Assistant, Json, Message, text_of
from playground_tui.assistants.outcome import Outcomes
from playground_tui.assistants.sent import SentFile, attachments_of, content_of, message_text
from playground_tui.assistants.transport import Transport

NEWEST = 20
"""Objects among which one is looked for that may have been made."""


class Creating:
    """Where it is unknown whether something was made, it is looked for before it is made again.

    The keys make a repetition harmless; the engine gets them too.
    """

    def __init__(
        self, transport: Transport, outcomes: Outcomes, assistants: AsyncAssistants, threads: AsyncThreads
    ) -> None:
        self._transport = transport
        self._outcomes = outcomes
        self._assistants = assistants
        self._threads = threads

    async def assistant(self, fields: Mapping[str, Any], key: str) -> Assistant:
        """An assistant of exactly these API fields."""
        send = partial(
            self._transport.ask_new,
            "assistant",
            self._assistants.create,
            model=text_of(fields, "model"),
            extra_body=dict(fields),
            extra_headers=self.headers(key),
        )

        async def look(since: float) -> Json | None:
            if self._transport.is_engine:  # which knows the key
                return None
            newest = await self._transport.ask_list("assistants", self._assistants.list, order="desc", limit=NEWEST)
            found = self._outcomes.new_assistant(map(Assistant.from_json, newest), fields, since)
            return found.raw if found else None

        made = Assistant.from_json(await self._outcomes.once(key, send, look))
        self._outcomes.saw([made])
        return made

    async def message(self, thread_id: str, text: str, key: str, files: Sequence[SentFile]) -> Message:
        """A message of the user."""
        content, shown = content_of(text, files), message_text(text, files)

        async def send() -> Message:
            body = await self._transport.ask_new(
                "message",
                self._threads.messages.create,
                thread_id,
                role="user",
                content=content,
                attachments=attachments_of(files) or omit,
                extra_headers=self.headers(key),
            )
            return Message.from_json(body)

        async def look(since: float) -> Message | None:
            messages = self._threads.messages.list
            newest = await self._transport.ask_list("messages", messages, thread_id, order="desc", limit=NEWEST)
            return self._outcomes.new_message(map(Message.from_json, newest), shown, since)

        message = await self._outcomes.once(key, send, look)
        self._outcomes.saw([message])
        return message

    def headers(self, key: str) -> dict[str, str]:
        """The request's own headers."""
        return {"Idempotency-Key": key} if self._transport.is_engine else {}
