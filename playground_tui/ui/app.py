"""The application: themes, keys, signals, and the one screen. What it shows is the screen's business."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import cached_property, partial
from io import TextIOWrapper
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.content import Content
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome, NoColor
from textual.widgets import Static

from playground_tui import lookups
from playground_tui.config import Settings
from playground_tui.desk.faults import record, stray
from playground_tui.desk.signals import Deadline, leave_on_signals
from playground_tui.desk.trouble import Trouble
from playground_tui.display import Display, choose
from playground_tui.letters import Letters
from playground_tui.paths import Paths
from playground_tui.text import clean, shorten
from playground_tui.ui.colours import SYSTEMS, filters
from playground_tui.ui.driver import PatientDriver
from playground_tui.ui.orderly import OrderlyApp
from playground_tui.ui.pace import Pace
from playground_tui.ui.painting import PaintingApp
from playground_tui.ui.palette import PlaygroundCommands
from playground_tui.ui.split_keys import SplitKeys
from playground_tui.ui.themes import DARK, LIGHT

if TYPE_CHECKING:
    from playground_tui.desk.desk import Desk, OpenClient
    from playground_tui.ui.screen import SplitScreen

FLUSH_BEFORE_QUIT = 2.0
"""Seconds a save may take when quitting; the draft is on disk already."""


class PlaygroundApp(PaintingApp, OrderlyApp):
    """The playground. `open_client` finds or starts the server, after the first paint."""

    TITLE = "playground-tui"
    CSS_PATH = ["app.tcss", "form/form.tcss"]  # noqa: RUF012
    COMMANDS: ClassVar[set[Any]] = {PlaygroundCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "command_palette", "palette", show=False, priority=True, id="palette"),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True, id="quit"),  # Textual's own has no id
    ]

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        environ: Mapping[str, str],
        open_client: OpenClient,
        *,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.animation_level = "none"
        self.display_choice = choose(settings, environ)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self._notices: list[str] = []
        self._show_as_chosen(self.display_choice)
        self.pace = Pace(self.display_choice.frame_rate, ask=self._ask_terminal, written=self._written)
        self._open_client = open_client
        self._split: SplitScreen | None = None
        self.takes_keys = False  # not before all fields are there
        self._split_keys = SplitKeys(monotonic)
        self._leaving = False
        self.deadline: Deadline | None = None
        """Armed when the program is left, so that nothing keeps it from ending."""
        self._settings = settings
        self._paths = paths
        self._environ = environ
        self._trouble = Trouble(self._trouble_changed)
        self._trouble.tell("settings", settings.problem)

    @cached_property
    def desk(self) -> Desk:
        """What is edited and sent, with its cache. Opened after the first paint, which it would hold up."""
        from playground_tui.cache.cache import Cache, server_key  # noqa: PLC0415
        from playground_tui.desk.desk import Desk  # noqa: PLC0415
        from playground_tui.ui.ways import ways_of  # noqa: PLC0415

        key, on_problem = server_key(self._settings.server), partial(self._trouble.tell, "cache")
        cache = Cache.open(self._paths.cache, key, on_problem=on_problem, on_notice=self._notice)
        known = self._settings, self._paths, self._environ, cache
        ways = ways_of(self._settings.keys)
        return Desk(*known, work=self._work, say=self.say, stop=self._stop_workers, trouble=self._trouble, ways=ways)

    def _show_as_chosen(self, display: Display) -> None:
        """Take theme, colours and letters as chosen for this terminal."""
        known = display.theme in self.available_themes
        self.theme = display.theme if known else DARK.name
        if not known:
            names = ", ".join(sorted(self.available_themes))
            self._notices.append(f"There is no theme {shorten(display.theme, 40)}. Known: {names}.")
        self.console._color_system = SYSTEMS[display.colours]
        self._own_filters: list[LineFilter] = []
        self._fit_lines()

    def _fit_lines(self) -> None:
        """Have lines go through what this terminal needs, in the theme's colours."""
        base = Color.parse(self.current_theme.to_color_system().generate()["background"])
        others = [kept for kept in self._filters if kept not in self._own_filters and not _greys(kept)]
        self._own_filters = filters(self.display_choice, base, dark=self.current_theme.dark)
        self._filters = [*others, *self._own_filters]

    def watch_theme(self) -> None:
        if self.is_running:
            self._fit_lines()

    def _build_driver(self, *given: Any, **named: Any) -> Driver:
        driver = super()._build_driver(*given, **named)
        if isinstance(driver, PatientDriver):
            driver.pace = self.pace
            driver.encoding, driver.modern = self.display_choice.encoding, self.display_choice.queries
            if self.deadline is not None:
                self.deadline.give_back = driver.give_back
        return driver

    def _ask_terminal(self) -> None:
        if isinstance(self._driver, PatientDriver):
            self._driver.ask()

    def _written(self) -> int:
        return self._driver.written if isinstance(self._driver, PatientDriver) else 0

    def compose(self) -> ComposeResult:
        yield Static(Content("playground-tui …"), id="where")

    def on_mount(self) -> None:
        asyncio.get_running_loop().set_exception_handler(partial(stray, self._paths.log))
        self.set_keymap(dict(self._settings.keys))
        self.call_after_refresh(self._show_screen)

    async def _show_screen(self) -> None:
        """Show the split screen: after the first paint, because importing it takes as long as that."""
        from playground_tui.ui.screen import SplitScreen  # noqa: PLC0415

        signs = self.display_choice.signs
        letters = Letters(signs) if signs else None
        split = SplitScreen(self.desk, self._open_client, pace=self.pace, letters=letters)
        with self.batch_update():  # one paint, not one for each step of the layout
            await self.push_screen(split)
        self._split = split
        self.call_after_refresh(self._painted, split)

    def _painted(self, split: SplitScreen) -> None:
        """The screen is painted: say what could not be said before, look for the server."""
        for sentence in self._notices:
            self.say(sentence)
        self._show_trouble()
        split.connect()

    async def on_form_complete(self) -> None:
        """Take the keys typed so far, and all others: what has no place on the screen yet cannot get the focus."""
        self.takes_keys = True
        await self.handle_waiting()

    def is_swallowed(self, key: events.Key) -> bool:
        """The rest of an arrow key that the line tore apart is not typed."""
        if key.key == "escape":
            self._split_keys.escaped()
        elif self._split_keys.swallows(key.character):
            if self._split is not None:
                self._split.keep_running()
            return True
        return False

    def say(self, sentence: str) -> None:
        """Show a sentence for a few seconds. It never takes the focus."""
        if self._split is not None:
            self._split.notice.say(sentence)
        else:
            self._notices.append(sentence)

    def _trouble_changed(self) -> None:
        """Something cannot be saved, or can again. Called from any thread."""
        if self._split is not None:
            self._soon(self._show_trouble)

    def _show_trouble(self) -> None:
        if self._split is not None:
            self._split.show_trouble(self._trouble.sentence)

    def _notice(self, sentence: str) -> None:
        """A cache file was set aside or left alone. Called from any thread, also before there is a screen."""
        if self._split is not None:
            self._soon(partial(self.say, sentence))
        else:
            self._notices.append(sentence)

    def _soon(self, act: Callable[[], object]) -> None:
        """Do this on the event loop, from any thread or signal handler; once the screen was left there is none."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(act)

    def _work(self, job: Coroutine[Any, Any, object], *, group: str, exclusive: bool = False) -> None:
        if self._leaving:
            job.close()
        else:
            worker = self.run_worker(job, group=group, exclusive=exclusive, exit_on_error=True)
            if worker._task is not None:  # one that is stopped before it begins never looks at its job
                worker._task.add_done_callback(lambda _: job.close())

    def _stop_workers(self, group: str) -> None:
        self.workers.cancel_group(self, group)

    async def action_quit(self) -> None:
        """Save what is unsaved, for a moment at most, and leave."""
        if self._split is not None:
            await self._split.leave(FLUSH_BEFORE_QUIT)
        self._leave(0)

    def _leave(self, code: int) -> None:
        self._leaving = True
        self.keep_now()
        if self.deadline is not None:
            self.deadline.arm(code)
        self.exit(code, return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        """A fault of the program: keep what was typed, and end with a sentence in place of Textual's trace."""
        if self._leaving:  # an end in the middle of the start cuts mounting in two: no fault of anything
            self._close_messages_no_wait()
            return
        self._return_code = 1
        if self._exception is None:
            self._exception = error  # tests raise it again
            self._exception_event.set()
            self._exit_renderables.append(Text(clean(record(error, self._paths.log))))
        try:
            self.keep_now()
        finally:
            self._close_messages_no_wait()

    def keep_now(self) -> None:
        """Write everything typed, from a signal handler too. The disk is waited for once the terminal is given back."""
        if self._split is None:
            return  # nothing can have been typed
        self.desk.cache.flush()
        self._split.keep()
        self.desk.cache.flush()

    def leave_now(self, code: int) -> None:
        """Schedule the exit, from a signal handler too. A handler may have cut a change in two: it is kept again."""
        if self._loop is None:
            sys.exit(code)
        self._soon(partial(self._leave, code))


def _greys(kept: LineFilter) -> bool:
    """Whether this is what Textual makes of NO_COLOR: greys, which are colours."""
    return isinstance(kept, Monochrome | NoColor)


def run_playground(settings: Settings, paths: Paths, environ: Mapping[str, str], open_client: OpenClient) -> int:
    """Show the playground until it is left; returns the exit code."""
    app = PlaygroundApp(settings, paths, environ, open_client, driver_class=PatientDriver)
    if app.display_choice.encoding != "utf-8" and isinstance(sys.__stderr__, TextIOWrapper):
        sys.__stderr__.reconfigure(encoding=app.display_choice.encoding, errors="replace")  # the screen's way out
    app.deadline = leave_on_signals(app.keep_now, app.leave_now)
    try:
        lookups.run(app.run_async())
    finally:
        app.desk.cache.close()
    code = app.return_code or 0
    if isinstance(app._driver, PatientDriver) and app._driver.stuck:
        os._exit(code)
    return code
