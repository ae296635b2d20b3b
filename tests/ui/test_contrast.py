"""Text can be read: the contrast of every text that the screen shows, in both themes, as the terminal gets it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from rich.color import Color as RichColor
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.widgets import Checkbox

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import Elsewhere
from playground_tui.assistants.objects import Message, Run, Step, ToolCall
from playground_tui.assistants.save_state import SaveState
from playground_tui.cache.state import WaitingMessage
from playground_tui.config import Settings
from playground_tui.desk.history import Moment
from playground_tui.display import Display
from playground_tui.ui.colours import READABLE, contrast, filters
from playground_tui.ui.dialogs.confirm import Confirm
from playground_tui.ui.form.slider import Slider
from playground_tui.ui.versions.dialog import VersionsDialog
from tests.support.engine import RunningEngine
from tests.support.playground import QUICK, Playground, playground
from tests.ui.chat_support import MARKDOWN
from tests.ui.test_versions import is_compared

XTERM = "000000cd000000cd00cdcd000000eecd00cd00cdcde5e5e57f7f7fff000000ff00ffff005c5cffff00ff00ffffffffff"
CONSOLE = "000000aa000000aa00aa55000000aaaa00aa00aaaaaaaaaa555555ff555555ff55ffff555555ffff55ff55ffffffffff"
"""What two common terminals show for the sixteen colours; of most others the pairs differ less."""
LINES = range(0x2500, 0x25A0)


def shade(colour: RichColor, sixteen: str) -> ColorTriplet:
    if colour.triplet is None and colour.number is not None and colour.number < 16:
        return ColorTriplet(*bytes.fromhex(sixteen)[3 * colour.number :][:3])
    return colour.get_truecolor()


def poor(text: str, style: Style, sixteen: str) -> str:
    """What is wrong with the contrast of a text, or "". Lines and blocks are no text."""
    seen = "".join(sign for sign in text if ord(sign) not in LINES).strip()
    if not seen or style.color is None or style.bgcolor is None:
        return ""
    fore, back = shade(style.color, sixteen), shade(style.bgcolor, sixteen)
    if style.reverse:
        fore, back = back, fore
    found = contrast(fore, back)
    return "" if found >= READABLE else f"{found:.2f} {fore.hex} on {back.hex}: {seen}"


def shown(p: Playground) -> set[tuple[str, Style]]:
    """Every text on the screen and its style, as it goes to a terminal with all colours."""
    strips = p.app.screen._compositor.render_strips()
    return {(text, style) for strip in strips for text, style, _ in strip if style is not None}


STATES = [
    SaveState("saved", 1.0),
    SaveState("unsaved"),
    SaveState("saving"),
    SaveState("invalid", detail="name"),
    SaveState("failed", 1.0, "no answer", 3),
]
CALL = ToolCall("call_1", "function", "get_weather", '{"city": "Paris"}')
ELSEWHERE = {"name": Elsewhere("another", 1.0, taken=False)}


MOMENTS = [Moment(f"version-{number}", f"version {number}", "name", "a host", 1.0) for number in (2, 1)]


class Kept:
    """States of an assistant to be compared."""

    more = False

    async def older(self) -> list[Moment]:
        return []

    async def draft(self, key: str) -> AssistantDraft:
        lines = ["One line that is the same.", *(["Another line that was there."] if key == "now" else [])]
        return AssistantDraft({"instructions": "\n".join([*lines, f"This is how it is at {key}."])})


async def scenes(p: Playground) -> AsyncIterator[str]:
    """The screen in every state that has colours of its own."""
    yield "an empty thread"
    answer = Message("msg_1", role="assistant", text=MARKDOWN + "\n```js\nlet a = 1 // one\n```\n", status="incomplete")
    p.chat.show_thread("thread_1", [Message("msg_0", role="user", text="Hello"), answer], more=False)
    await p.press("ctrl+home", "pageup", "pageup")
    await p.pilot.pause()
    yield "a thread"
    p.chat.show_steps([Step("step_1", "run_1", "tool_calls", "completed", (CALL,))])
    p.chat.show_run(Run("run_1", "thread_1", status="failed", error_message="It broke."))
    p.chat.show_problem("The server did not answer.")
    p.chat.show_waiting([WaitingMessage("1", "next question", "not sent"), WaitingMessage("2", "another")])
    p.screen.notice.say("Copied.")
    p.screen.show_trouble("The disk is full.")
    yield "everything that is said"
    p.chat.show_run(Run("run_2", "thread_1", status="requires_action", waiting_for=(CALL,)))
    await p.pilot.pause()
    yield "a function's output"
    p.form.configuration_open = True
    p.form.show_elsewhere(ELSEWHERE)
    p.form.show_notes({"temperature": "not used by this model"})
    for state in STATES:
        p.form.show_state(state)
        await p.pilot.pause()
        yield f"saving: {state.kind}"
    await p.press("ctrl+f")
    for _ in range(18):
        yield f"focus on {p.screen.focused}"
        await p.press("down" if isinstance(p.screen.focused, Slider | Checkbox) else "tab", "space", "tab")
    for key in ("ctrl+o", "ctrl+g", "f1", "ctrl+p"):
        await p.press(key)
        await p.until(lambda: p.app.screen is not p.screen)
        await p.press("a", "down")
        yield f"the list of {key}"
        await p.press("escape")
        await p.until(lambda: p.app.screen is p.screen)
    p.app.push_screen(VersionsDialog("Versions", [Moment("now", "now", "unsaved", ""), *MOMENTS], Kept()))
    await p.until(lambda: is_compared(p))
    yield "versions"
    await p.press("escape")
    await p.until(lambda: p.app.screen is p.screen)
    p.app.push_screen(Confirm("Delete it?", detail="It is gone then."))
    await p.until(lambda: p.app.screen is not p.screen)
    yield "a question"


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_every_text_can_be_read(engine: RunningEngine, theme: str) -> None:
    settings = Settings(autosave_delay=QUICK, theme=theme, colours="truecolor")
    seen: dict[tuple[str, Style], str] = {}
    async with playground(engine, settings=settings) as p:
        async for scene in scenes(p):
            await p.pilot.pause()
            seen = dict.fromkeys(shown(p), scene) | seen
        ground = Color.parse(p.app.current_theme.background or "")
    assert len(set(seen.values())) > 20
    found = []
    terminals = (("truecolor", XTERM, True), ("256", XTERM, True), ("16", XTERM, True), ("16", CONSOLE, False))
    for colours, sixteen, modern in terminals:
        display = Display(colours=colours, queries=modern)
        for (text, style), scene in seen.items():
            segments = [Segment(text, style)]
            for line_filter in filters(display, ground, dark=theme == "dark"):
                segments = line_filter.apply(segments, ground)
            wrong = poor(segments[0].text, segments[0].style or style, sixteen)
            if wrong:
                found.append(f"{colours}, {scene}: {wrong}")
    assert not found, "\n".join(found)
