"""Which message or step stands where in the thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playground_tui.assistants.objects import Message, Run, Step
from playground_tui.ui.chat.blocks import code_of
from playground_tui.ui.chat.items import MessageItem, StepItem
from playground_tui.ui.chat.thread import ThreadView


class Entries:
    """The thread's messages, tool steps and runs, by their ids, in a view."""

    def __init__(self, view: ThreadView) -> None:
        self._view = view
        self._messages: dict[str, MessageItem] = {}
        self._steps: dict[str, StepItem] = {}
        self._runs: dict[str, Run] = {}

    def show(self, messages: Sequence[Message], *, more: bool) -> None:
        """Show these messages, oldest first, in place of everything."""
        self._messages = {}
        self._steps = {}
        self._view.show(self._items(messages), more=more)

    def prepend(self, messages: Sequence[Message], *, more: bool) -> None:
        """Put older messages above; those already there are left out."""
        known = self._messages
        items = self._items([message for message in messages if message.id not in known])
        self._messages = {item.key: item for item in items} | known
        self._view.prepend(items, more=more)

    def _items(self, messages: Iterable[Message]) -> list[MessageItem]:
        items = []
        for message in messages:
            item = self._messages[message.id] = MessageItem(message)
            item.run = self._runs.get(message.run_id)
            items.append(item)
        return items

    def message(self, message: Message) -> None:
        """A message is new or changed."""
        item = self._messages.get(message.id)
        if item is None:
            self._view.append(self._items([message])[0])
        else:
            item.become(message)
            item.run = self._runs.get(item.run_id)
            self._view.touch(item)

    def delta(self, message_id: str, text: str) -> None:
        """More text of a message."""
        item = self._messages.get(message_id)
        if item is None:
            self.message(Message(message_id, "assistant", status="in_progress", text=text))
        else:
            item.add(text)
            self._view.touch(item)

    def step(self, step: Step) -> None:
        """A step is new or changed. Steps without tool calls show as their message."""
        item = self._steps.get(step.id)
        if item is not None:
            item.become(step)
            self._view.touch(item)
        elif step.tool_calls:
            self._place(StepItem(step))

    def _place(self, item: StepItem) -> None:
        """Put a step above the message its run wrote after it, if that stands there already."""
        self._steps[item.key] = item
        after = next((m for m in self._messages.values() if m.run_id == item.run_id and m.message.role != "user"), None)
        if after is None or not item.run_id:
            self._view.append(item)
        else:
            self._view.insert_before(after, [item])

    def run(self, run: Run) -> None:
        """A run is new or changed: its messages name its model and tokens."""
        self._runs[run.id] = run
        for item in self._messages.values():
            if item.run_id == run.id and item.run != run:
                item.run = run
                item.touch_header()
                self._view.touch(item)

    def messages(self) -> list[Message]:
        """Every message here, oldest first, with its text so far as raw Markdown."""
        return [item.now_message() for item in self._items_in_order()]

    def _items_in_order(self) -> list[MessageItem]:
        return [item for item in self._view.column.items if isinstance(item, MessageItem)]

    def last_answer(self) -> str | None:
        """The raw Markdown of the newest answer."""
        return next(
            (item.text for item in reversed(self._items_in_order()) if item.message.role != "user" and item.text), None
        )

    def code_blocks(self) -> list[str]:
        """The code of every fenced block, oldest first."""
        return [code for item in self._items_in_order() for code in code_of(item.text)]
