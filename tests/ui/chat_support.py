"""A bare app around the left pane, and what its tests look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from unittest.mock import patch

from rich.style import Style
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from playground_tui.assistants.objects import Message
from playground_tui.display import Scroll
from playground_tui.ui.chat import messages
from playground_tui.ui.chat.palette import Palette
from playground_tui.ui.chat.pane import ChatPane
from playground_tui.ui.chat.thread import ThreadView
from tests.support.wait import until

NOW = 1_790_000_000
"""The time of day in these tests, Unix seconds."""

MARKDOWN = """# Sorting

Python sorts with **Timsort**, a *stable* sort; see [the docs](https://example.org/howto).

1. Read
2. Sort:
   - by name

   More about it.

```python
def by_age(people: list[Person]) -> list[Person]:
    return sorted(people, key=lambda p: p.age)
```

| Method | Time |
|:-------|-----:|
| Timsort | n log n |
| 你好 | 1 |

> A quote
> of two lines

    indented code

Done. [/foo] [TODO] 👩‍👩‍👧 日本語
"""

PLAIN = Palette.load(lambda _: Style())
"""A palette without colours."""


class ChatApp(App[None]):
    """Shows the left pane and keeps what it posts."""

    def __init__(self, scroll: Scroll = "calm") -> None:
        super().__init__()
        self.pane = ChatPane(scroll=scroll, now=lambda: self.clock)
        self.clock: float = NOW
        self.posted: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_submitted(self, event: messages.Submitted) -> None:
        self.posted.append(("send", event.text))

    def on_composer_changed(self, event: messages.ComposerChanged) -> None:
        self.posted.append(("typed", event.text))

    def on_older_wanted(self) -> None:
        self.posted.append("older")

    def on_outputs_submitted(self, event: messages.OutputsSubmitted) -> None:
        self.posted.append(("outputs", event.outputs))

    def on_send_waiting(self, event: messages.SendWaiting) -> None:
        self.posted.append(("send waiting", event.key))

    def on_edit_waiting(self, event: messages.EditWaiting) -> None:
        self.posted.append(("edit waiting", event.key))

    def on_names_wanted(self) -> None:
        self.posted.append("names")

    def on_attachment_action(self, event: messages.AttachmentAction) -> None:
        self.posted.append((event.action, event.key))

    @property
    def thread(self) -> ThreadView:
        return self.pane.thread

    @property
    def status(self) -> str:
        return str(self.pane.run_status.render())

    def sent(self) -> list[str]:
        return [text for kind, text in (p for p in self.posted if isinstance(p, tuple)) if kind == "send"]


@asynccontextmanager
async def chat_app(
    size: tuple[int, int] = (72, 24), scroll: Scroll = "calm"
) -> AsyncIterator[tuple[ChatApp, Pilot[None]]]:
    """The app with frames as fast as they come."""
    app = ChatApp(scroll)
    with patch("playground_tui.ui.chat.thread.FRAMES", 1_000_000):
        async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
            await pilot.pause()
            yield app, pilot


def thread_lines(app: ChatApp) -> list[str]:
    """The lines of the thread's window as they are drawn."""
    view = app.thread
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


def on_screen(app: ChatApp) -> str:
    """Everything drawn, as text."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


def top_line(app: ChatApp) -> str:
    return thread_lines(app)[0]


async def until_shown(app: ChatApp, text: str) -> None:
    await until(lambda: any(text in line for line in thread_lines(app)))


def conversation(count: int, *, start: int = 0, lines: int = 3) -> list[Message]:
    """Messages of both sides, oldest first, each with its number in every line."""
    return [
        Message(
            id=f"msg_{number}",
            role="user" if number % 2 == 0 else "assistant",
            text="\n\n".join(f"message {number} line {line}" for line in range(lines)),
            created_at=NOW - 60,
        )
        for number in range(start, start + count)
    ]


def texts(strips: Sequence[Strip]) -> list[str]:
    return [strip.text.rstrip() for strip in strips]
