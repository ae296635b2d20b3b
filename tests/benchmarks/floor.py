"""The floor: a small Textual app with a Markdown stream, an input line, and nothing else.

`python -m tests.benchmarks.floor REPORT PACE` streams the answer that a message asks for and appends the moment of the
last token to REPORT.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown

from tests.benchmarks.answer import Wanted, answer, wanted

REPORT, PACE = Path(sys.argv[1]), float(sys.argv[2])


class Floor(App[None]):
    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Markdown()
        yield Input(placeholder="Message")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).anchor()
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.input.clear()
        self.run_worker(self.answer(wanted(event.value, PACE)), exclusive=True)

    async def answer(self, what: Wanted) -> None:
        stream = Markdown.get_stream(self.query_one(Markdown))
        begun = time.monotonic()
        for place, fragment in enumerate(answer(what.tokens)):
            if what.pace:
                await asyncio.sleep(max(0.0, begun + place / what.pace - time.monotonic()))
            await stream.write(fragment)
        with REPORT.open("a") as report:
            report.write(f"{time.monotonic()}\n")
        await stream.stop()


if __name__ == "__main__":
    Floor().run()
