"""The keys: what can be given others, what the help says of them, and that every hint follows."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from textual.binding import Binding
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key

from playground_tui import ui
from playground_tui.assistants.editor import Elsewhere
from playground_tui.cache.state import WaitingMessage
from playground_tui.config import Settings
from playground_tui.desk.panes import AttachmentLine
from playground_tui.key_names import NAMES, is_key
from playground_tui.ui.dialogs.help import Help
from playground_tui.ui.keys import help_rows
from tests.support.engine import RunningEngine
from tests.support.playground import QUICK, playground

NOT_PRESSED = {"ctrl-at", "return", "ignore", "scroll-up", "scroll-down", "sigint"}
"""What Textual lists beside keys, and other names of keys that it has another one for."""
REMAPPED = {name: f"ctrl+f{number}" for number, name in enumerate(NAMES, 1) if number <= 24} | {
    name: f"alt+f{number}" for number, name in enumerate(NAMES[24:], 1)
}
"""Every binding on a key of its own that nothing else has."""


def bindings() -> Iterator[Binding]:
    """Every key binding of the program's own widgets and screens."""
    for module in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
        import_module(module.name)
    nodes: list[type[DOMNode]] = [DOMNode]
    for node in nodes:
        nodes += node.__subclasses__()
        if node.__module__.startswith("playground_tui."):
            yield from (one for one in node.__dict__.get("BINDINGS", ()) if isinstance(one, Binding))


def test_every_binding_with_a_name_can_be_given_other_keys_and_is_in_the_help() -> None:
    named = {binding.id: binding.key for binding in bindings() if binding.id}
    assert named.keys() == set(NAMES)
    helped = {name: keys for name, keys, _ in help_rows({}) if name}
    assert helped == {name: keys.replace(",", " or ") for name, keys in named.items()}


def test_keys_are_recognised_as_textual_names_them() -> None:
    of_terminals = {key.value for key in Keys if not key.value.startswith("<")} - NOT_PRESSED
    own = {key for binding in bindings() for key in binding.key.split(",")}
    signs = {_character_to_key(chr(code)) for code in range(0x21, 0x7F)}
    assert [key for key in sorted(of_terminals | own | signs) if not is_key(key)] == []


@pytest.mark.parametrize("text", ["", " ", "F4", "ctrl-x", "ctrl+", "ctrl+X", "strg+x", "f0", "f25", "no_such_sign"])
def test_what_is_no_key_is_told(text: str) -> None:
    assert not is_key(text)


async def test_the_help_names_every_key_as_remapped(engine: RunningEngine) -> None:
    settings = Settings(autosave_delay=7, keys={"versions": "ctrl+f7,alt+f7"})
    async with playground(engine, settings=settings) as p:
        await p.press("f1")
        await p.until(lambda: isinstance(p.app.screen, Help))
        shown = "\n".join(str(line.render()) for line in p.app.screen.query("VerticalScroll Static"))
        for _, keys, does in help_rows(settings.keys):
            assert re.search(rf"^{re.escape(keys)} +{re.escape(does)}$", shown, re.MULTILINE), keys
        assert re.search("^ctrl.f7 or alt.f7 +versions of this", shown, re.MULTILINE)
        assert "saves itself 7 s after the last key (15 s after the first" in shown


async def test_hints_name_the_keys_as_remapped(engine: RunningEngine) -> None:
    async with playground(engine, settings=Settings(autosave_delay=QUICK, keys=REMAPPED), size=(200, 40)) as p:
        key = REMAPPED.__getitem__
        seen = " ".join(str(line.text).strip() for line in p.chat.thread.render_lines(p.chat.thread.size.region))
        assert f"press {key('send')} to send" in seen
        assert f"{key('form')} goes to the form: name it, press {key('save')}, and {key('composer')} comes back" in seen
        assert f"{key('open')} opens one that exists, {key('help')} shows every key" in seen
        assert f"{key('new-thread')} new · {key('threads')} threads" in p.text("#thread-id")
        assert p.text("#save-status") == f"Not created yet: {key('save')} creates it"
        assert f"{key('send')} sends, {key('new-line')} new line" in str(p.chat.composer.placeholder)
        assert f"{key('palette')} more" in str(p.screen.foot.render())
        await p.press(key("form"), *"A", key("composer"), *"hi", key("send"))
        await p.until(lambda: f"{key('save')} creates it" in str(p.chat.problem.content))
        waiting = WaitingMessage("k", "not gone", "not sent")
        p.chat.show_waiting([waiting])
        await p.until(lambda: f"({key('run-again')} sends it, {key('previous-field')} goes here)" in p.text("#waiting"))
        p.chat.attachments.show([AttachmentLine("k", "a.png")])
        await p.until(lambda: f"({key('previous-field')} goes here)" in p.text("#attachments"))
        p.chat.run_status.show_retry("not sent yet", 2, 9.0)
        p.chat.run_status.show_below(True)
        assert f"(attempt 2) · {key('back')} stops" in p.status and f"more below ({key('thread-end')})" in p.status
        p.form.show_elsewhere({"name": Elsewhere("B", 1.0, taken=False)})
        assert f"· {key('take-other')} takes: B" in str(p.form._boxes["name"].remarks.content())
        await p.press("f5", "ctrl+q", "ctrl+p")
        assert not p.app._leaving and p.app.screen is p.screen
        await p.press(key("palette"))
        await p.until(lambda: isinstance(p.app.screen, CommandPalette))
