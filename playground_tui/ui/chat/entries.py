"""Which message or step stands where in the thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playground_tui.assistants.objects import Message, Run, Step
from playground_tui.desk.message_files import Names
from playground_tui.ui.chat.blocks import code_of
from playground_tui.ui.chat.items import Item, MessageItem
from playground_tui.ui.chat.steps import StepItem, texts_of
from playground_tui.ui.chat.thread import ThreadView


class Entries:
    """The thread's messages, tool steps and runs, by their ids, in a view."""

    def __init__(self, view: ThreadView, names: Names) -> None:
        self._view = view
        self._names = names
        self._messages: dict[str, MessageItem] = {}
        self._steps: dict[str, StepItem] = {}
        self._runs: dict[str, Run] = {}
        self._told: set[str] = set()
        """Messages whose place among the steps of their run is known: a further step stands below them."""

    def show(self, messages: Sequence[Message], *, more: bool) -> None:
        """Show these messages, oldest first, in place of everything."""
        self._messages = {}
        self._steps = {}
        self._told.clear()
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
            item = self._messages[message.id] = MessageItem(message, self._names)
            item.run = self._runs.get(message.run_id)
            items.append(item)
        return items

    def message(self, message: Message) -> None:
        """A message is new or changed."""
        self._told.add(message.id)
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
        """A step is new or changed. One that makes a message shows as that message."""
        self._told.add(step.message_id)
        for call in step.tool_calls:
            for result in call.results or ():
                self._names.learn(result.file_id, result.file_name)
        item = self._steps.get(step.id)
        if item is not None:
            item.become(step)
            self._view.touch(item)
        elif step.tool_calls:
            item = self._steps[step.id] = StepItem(step, names=self._names)
            after = self._after(item)
            if after is None:
                self._view.append(item)
            else:
                self._view.insert_before(after, [item])

    def _after(self, step: StepItem) -> Item | None:
        """What a new step stands above; None at the end of the thread.

        It is above the first message of its run that its run made later, else below everything of its run, else where
        its time puts it.
        """
        items = self._view.column.items
        of_run = [place for place, item in enumerate(items) if step.run_id and item.run_id == step.run_id]
        later = (place for place in of_run if self._is_later(items[place]))
        place = next(later, of_run[-1] + 1 if of_run else None)
        if place is None:
            place = next((place for place, item in enumerate(items) if item.at > step.at > 0), len(items))
        return items[place] if place < len(items) else None

    def _is_later(self, item: Item) -> bool:
        return isinstance(item, MessageItem) and item.message.role != "user" and item.key not in self._told

    def named(self, file_id: str, name: str) -> None:
        """A file's name became known: it stands in place of its id."""
        self._names.learn(file_id, name)
        for item in self._view.column.items:
            if item.units and item.names_file(file_id):
                item.touch()
                self._view.touch(item)

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
        """The code of every fenced block, and the code that was run, oldest first."""
        found: list[str] = []
        for item in self._view.column.items:
            if isinstance(item, MessageItem):
                found += code_of(item.text)
            elif isinstance(item, StepItem):
                found += [call.arguments for call in item.step.tool_calls if call.type == "code_interpreter"]
        return found

    def outputs(self) -> list[str]:
        """What the tools put out, oldest first."""
        calls = [call for step in self._steps.values() for call in step.step.tool_calls]
        return [text for call in calls for text in texts_of(call)[bool(call.arguments) :]]

    def made(self) -> list[str]:
        """The ids of the files and pictures that were made in this thread, oldest first."""
        found: dict[str, None] = {}
        for item in self._view.column.items:
            if isinstance(item, MessageItem):
                for file_id, name in item.message.made_files.items():
                    self._names.learn(file_id, name)
                    found[file_id] = None
            elif isinstance(item, StepItem):
                calls = item.step.tool_calls
                found |= dict.fromkeys(output.image for call in calls for output in call.outputs if output.image)
        return list(found)
