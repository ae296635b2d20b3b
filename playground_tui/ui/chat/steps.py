"""The tool calls of one step as they stand in the thread: what was asked of the tool, and what it gave."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from playground_tui.assistants.objects import CodeOutput, SearchResult, Step, ToolCall
from playground_tui.assistants.sent import TOOLS
from playground_tui.desk.message_files import Names
from playground_tui.text import clean, shorten
from playground_tui.ui.chat.block import Block, Kind
from playground_tui.ui.chat.blocks import CODE_LINES, LINE_LIMIT
from playground_tui.ui.chat.files import saving
from playground_tui.ui.chat.items import Item, lines_about
from playground_tui.ui.chat.palette import Palette
from playground_tui.ui.chat.wrapping import Span
from playground_tui.ui.times import clock_time

SHORT_JSON: Final = 44
"""Characters of JSON that stand on one line."""
RESULTS: Final = 5
"""Results of a search that are shown."""
PASSAGE: Final = 160
"""Characters of a found passage that are shown."""
HEAD, TAIL = 40, 20
"""Lines shown of a long output: of its beginning, and of its end, where errors stand."""


class StepItem(Item):
    """The tool calls of one step. While they stream in, what has not changed is not rendered again."""

    def __init__(self, step: Step, at: int = 0, names: Names | None = None) -> None:
        super().__init__(step.id, at, step.run_id)
        self._names = names if names is not None else Names()
        self.become(step)

    def become(self, step: Step) -> None:
        """Take the server's state of it."""
        self.step = step
        self.at = step.created_at or self.at
        self.touch()
        self.touch_header()

    def names_file(self, file_id: str) -> bool:
        return any(output.image == file_id for call in self.step.tool_calls for output in call.outputs)

    def estimate(self, width: int) -> int:
        return 2 + sum(lines_about(text, width) for call in self.step.tool_calls for text in texts_of(call))

    def stable_blocks(self) -> Sequence[Block]:
        return ()

    def last_blocks(self) -> Sequence[Block]:
        searching = self.step.status == "in_progress"
        return [block for call in self.step.tool_calls for block in call_blocks(call, self._names, busy=searching)]

    def header(self, palette: Palette, now: float) -> list[Span]:
        name = "Tool call" if len(self.step.tool_calls) == 1 else "Tool calls"
        spans = [(name, palette.tool)]
        if self.at:
            spans.append((f"  {clock_time(self.at, now)}", palette.dim))
        if self.step.status not in ("in_progress", "completed"):
            spans.append((f"  {clean(self.step.status, newlines=False)}", palette.dim))
        return spans


def texts_of(call: ToolCall) -> list[str]:
    """What a call and its results say, for copying and for measuring."""
    outputs = [output.logs for output in call.outputs]
    return [text for text in (call.arguments, call.output or "", *outputs) if text]


def call_name(call: ToolCall) -> str:
    return call.name or TOOLS.get(call.type, call.type)


def call_blocks(call: ToolCall, names: Names, *, busy: bool = False) -> list[Block]:
    """A call's name, what was asked, and what it gave. `busy`: it may be under way."""
    match call.type:
        case "file_search":
            return _search(call, busy=busy)
        case "code_interpreter":
            return [_title(call_name(call)), *_parts(Kind.CODE, call.arguments, info="python"), *_outputs(call, names)]
        case _:
            return _function(call)


def _title(text: str) -> Block:
    return Block(Kind.TEXT, text, marker="→")


def _function(call: ToolCall) -> list[Block]:
    blocks = [_title(call_name(call))]
    if call.arguments.strip() not in ("", "{}"):
        blocks.append(Block(Kind.CODE, pretty(call.arguments), margin=2, info="json"))
    if call.output is not None:
        blocks += _shown(call.output or "(empty output)")
    return blocks


def _search(call: ToolCall, *, busy: bool) -> list[Block]:
    results = call.results
    if not results:
        state = "searching …" if busy else "" if results is None else "nothing found"
        return [_title(" · ".join(filter(None, (call_name(call), state))))]
    count = "1 result" if len(results) == 1 else f"{len(results)} results"
    blocks = [_title(f"{call_name(call)} · {count}")]
    blocks += [block for result in results[:RESULTS] for block in _result(result)]
    if len(results) > RESULTS:
        blocks.append(Block(Kind.ASIDE, f"… and {len(results) - RESULTS} more", margin=2))
    return blocks


def _result(result: SearchResult) -> Iterator[Block]:
    yield Block(Kind.TEXT, result.file_name or result.file_id, margin=2, marker=f"{result.score:.2f}")
    if result.text:
        yield Block(Kind.ASIDE, shorten(" ".join(result.text[: 4 * PASSAGE].split()), PASSAGE), margin=7)


def _outputs(call: ToolCall, names: Names) -> Iterator[Block]:
    for output in call.outputs:
        yield from _output(output, names)


def _output(output: CodeOutput, names: Names) -> Iterator[Block]:
    if output.image:
        yield Block(Kind.TEXT, f"{names.of(output.image)}{saving(names)}", margin=2, marker="▣")
    elif output.logs.strip():
        yield from _shown(output.logs.rstrip())


def _shown(text: str) -> Iterator[Block]:
    """An output, shortened in its middle when it is long."""
    lines = text.split("\n")
    left = len(lines) - HEAD - TAIL
    if left <= 1:
        yield from _parts(Kind.TEXT, text, marker="=")
        return
    yield from _parts(Kind.TEXT, "\n".join(lines[:HEAD]), marker="=")
    yield Block(Kind.ASIDE, f"… {left:,} lines left out; the command palette copies all of it", margin=4)
    yield from _parts(Kind.TEXT, "\n".join(lines[-TAIL:]), margin=4)


def _parts(kind: Kind, text: str, *, margin: int = 2, marker: str = "", info: str = "") -> Iterator[Block]:
    """Blocks of few lines, so that what was rendered stays while more is added at the end."""
    lines = [line[start : start + LINE_LIMIT] for line in text.split("\n") for start in _starts(line)] if text else []
    indent = len(marker) + 1 if marker else 0
    for first in range(0, len(lines), CODE_LINES):
        part = "\n".join(lines[first : first + CODE_LINES])
        if first == 0:
            yield Block(kind, part, margin=margin, marker=marker, info=info)
        else:
            yield Block(kind, part, margin=margin + indent, info=info, part=1)


def _starts(line: str) -> range:
    return range(0, max(1, len(line)), LINE_LIMIT)


def pretty(arguments: str) -> str:
    """Arguments as JSON, indented unless they are short, or as they are when they are not JSON (yet)."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= SHORT_JSON else json.dumps(value, indent=2, ensure_ascii=False)
