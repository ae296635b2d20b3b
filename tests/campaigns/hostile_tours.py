"""Ways through the whole program, with something hostile wherever text is shown."""

from __future__ import annotations

from contextlib import suppress

from tests.campaigns.hostile_home import QUIET, HostileHome, JudgedTerminal
from tests.campaigns.hostile_servers import HostileAssistants, hostile_provider, provider_replies, served
from tests.campaigns.hostile_text import argument

CTRL = {letter: chr(ord(letter) - 96) for letter in "fglnopqrtyj"}
F = {1: "\x1bOP", 2: "\x1bOQ", 3: "\x1bOR", 4: "\x1bOS", 5: "\x1b[15~", 6: "\x1b[17~", 8: "\x1b[19~", 9: "\x1b[20~"}
DOWN, UP, PAGE_UP, ESCAPE, TAB, SHIFT_TAB, ENTER = "\x1b[B", "\x1b[A", "\x1b[5~", "\x1b", "\t", "\x1b[Z", "\r"
TO_END = "\x1b[1;5F"
AFTER_ESCAPE = 0.3
"""Seconds after which an escape is known to be one and not the beginning of a key."""
SCENES = ("completed", "action", "failed", "error", "incomplete", "odd", "cancelled", "expired")
REFUSABLE = (
    *(("GET", ending) for ending in ("/messages", "/assistants", "/models", "/runs", "/steps", "/files", "")),
    *(("POST", ending) for ending in ("/messages", "/runs", "/threads", "")),
)


def press(terminal: JudgedTerminal, *keys: str) -> None:
    """Type keys, each when the screen has shown what the one before did."""
    for key in keys:
        terminal.type(key)
        terminal.rest(AFTER_ESCAPE if key == ESCAPE else QUIET)


def pasted(text: str) -> str:
    """What a terminal sends when text is pasted; no terminal lets the end of a paste be in it."""
    whole = text.replace("\x1b[201~", "").encode("utf-8", "replace").decode()
    return f"\x1b[200~{whole}\x1b[201~"


def quit_screen(terminal: JudgedTerminal) -> None:
    terminal.judge.settled = False
    for _ in range(3):
        terminal.type(CTRL["q"])
        with suppress(AssertionError):
            terminal.ended(within=5)
            return
        terminal.type(ESCAPE)
        terminal.rest()
    raise AssertionError(f"the program does not end; the screen:\n{terminal.screen}")


def foreign_screen(home: HostileHome, *, whole: bool = True) -> None:
    """The playground on a hostile server: lists, form, thread, runs, dialogs, refusals, pastes, editor, copying."""
    random, hostile = home.random, home.hostile
    chosen = list(SCENES) if whole else ["completed", "action", "failed"]
    with served(server := HostileAssistants(hostile, random, chosen)):
        home.environ |= {"PLAYGROUND_TUI_SERVER": server.base_url, "PLAYGROUND_TUI_SERVER_KEY": "key"}
        home.configure()
        thread = next(iter(server.threads))
        with home.screen("--assistant", server.main, "--thread", thread) as terminal:
            terminal.wait(hostile.name("assistant name"), hostile.name("model"), timeout=60)
            terminal.rest(0.5)
            terminal.judge.settled = True
            _form(terminal, home, whole)
            _dialogs(terminal, home, whole)
            _runs(terminal, home, server.scenes)
            if whole:
                _refusals(terminal, home, server)
                _copies(terminal)
            terminal.judge.settled = False
            press(terminal, CTRL["l"], F[4])
            quit_screen(terminal)
        if whole:
            with home.screen() as terminal:  # what was typed comes back
                terminal.wait("zq", timeout=60)
                terminal.rest(0.5)
                quit_screen(terminal)


def _form(terminal: JudgedTerminal, home: HostileHome, whole: bool) -> None:
    press(terminal, CTRL["f"])
    for _ in range(16 if whole else 6):
        press(terminal, TAB)
    if whole:
        press(terminal, CTRL["f"], TAB, TAB, TAB, DOWN, DOWN, ESCAPE, ENTER, ESCAPE)
        press(terminal, *[TAB] * 9, ENTER, *[TAB] * 8)  # the configuration, opened
        press(
            terminal, CTRL["f"], pasted(home.hostile.text("pasted name")), TAB, pasted(home.hostile.text("pasted text"))
        )


def _dialogs(terminal: JudgedTerminal, home: HostileHome, whole: bool) -> None:
    press(terminal, CTRL["o"], DOWN, DOWN, pasted(home.hostile.text("search")), ESCAPE)
    press(terminal, F[1], DOWN, "\x1b[6~", ESCAPE)
    press(terminal, F[3], "~/", DOWN, TAB, ENTER, ESCAPE)
    if whole:
        press(terminal, "\x07", ESCAPE, F[9], DOWN, ESCAPE, CTRL["p"], pasted(home.hostile.text("command")), ESCAPE)
        press(terminal, CTRL["p"], "another thread", ENTER, DOWN, ENTER, ESCAPE, CTRL["l"])
        press(terminal, *[PAGE_UP] * 6)


def _runs(terminal: JudgedTerminal, home: HostileHome, scenes: list[str]) -> None:
    press(terminal, ESCAPE, ESCAPE)
    while scenes:
        before = len(scenes)
        press(terminal, CTRL["l"], TO_END, pasted(home.hostile.text("typed message")), ENTER)
        terminal.until(lambda: len(scenes) < before, timeout=60)  # noqa: B023
        terminal.rest(0.4)
        if "Output of" in terminal.screen:
            press(terminal, SHIFT_TAB, pasted(home.hostile.text("typed output")), ENTER)
            terminal.rest(0.4)
        press(terminal, UP, UP)
    press(terminal, CTRL["r"], PAGE_UP, PAGE_UP, PAGE_UP)


def _refusals(terminal: JudgedTerminal, home: HostileHome, server: HostileAssistants) -> None:
    for method, ending in REFUSABLE:
        server.refuse_next(method, ending)
        press(terminal, CTRL["l"], "x", ENTER)
        press(terminal, home.random.choice((CTRL["o"], CTRL["r"], CTRL["n"], CTRL["t"], F[5], F[9])), ESCAPE)


def _copies(terminal: JudgedTerminal) -> None:
    for command in ("copy a message", "copy what a tool", "copy a code", "copy the whole"):
        press(terminal, CTRL["p"], command)
        terminal.judge.allow_clipboard()
        press(terminal, ENTER, ENTER, ESCAPE)
    terminal.judge.allow_clipboard()
    press(terminal, CTRL["y"])


def engine_screen(home: HostileHome) -> None:
    """The playground on the engine, with a hostile provider behind it."""
    hostile, random = home.hostile, home.random
    with served(server := hostile_provider(hostile, random)):
        home.environ.pop("PLAYGROUND_TUI_SERVER", None)
        provider = f'default_provider = "odd"\n[providers.odd]\nkind = "chat"\nbase_url = "{server.base_url}"\n'
        no_key = random.random() < 0.3
        home.configure(provider + ("api_key_command = 'echo \"$LC_MESSAGES\" >&2; exit 1'" if no_key else ""))
        with home.screen() as terminal:
            terminal.wait("api_key_command" if no_key else "odd (", "Model", timeout=120)
            terminal.rest(1.0)
            terminal.judge.settled = True
            press(
                terminal, CTRL["f"], pasted(hostile.text("new name")), TAB, TAB, TAB, DOWN, DOWN, ESCAPE, "odd/x", F[5]
            )
            terminal.rest(0.5)
            for reply in (None, *provider_replies(hostile, random)):
                if reply is not None:
                    server.script(reply)
                press(terminal, CTRL["l"], pasted(hostile.text("typed message")), ENTER)
                terminal.rest(0.5)
                press(terminal, ESCAPE)
            press(terminal, CTRL["o"], DOWN, ENTER, ESCAPE, CTRL["p"], "another thread", ENTER, ESCAPE)
            quit_screen(terminal)


def plain_mode(home: HostileHome) -> None:
    """The lines in place of the screen, on a hostile server."""
    scenes = ["completed", "action", "failed", "odd"]
    with served(server := HostileAssistants(home.hostile, home.random, scenes)):
        home.environ |= {"PLAYGROUND_TUI_SERVER": server.base_url, "PLAYGROUND_TUI_SERVER_KEY": "key"}
        home.configure()
        thread = next(iter(server.threads))
        with home.lines("--plain", "--assistant", server.main, "--thread", thread) as terminal:
            terminal.wait("you:", timeout=120)
            terminal.rest(0.5)
            asked = (
                "/assistants",
                "1",
                "/threads",
                "1",
                "/read",
                "/status",
                "/help",
                "/attach",
                "zq",
                "",
                "hello",
                "hello",
                "out",
            )
            for line in (
                *asked,
                "hello",
                "hello",
                "/again",
                "/edit",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "/quit",
            ):
                press(terminal, line + "\r")
                terminal.rest(0.3)
                if terminal.is_over:
                    return
            terminal.type("\x04\x04")
            with suppress(AssertionError):
                terminal.ended(within=5)


def headless(home: HostileHome, *, whole: bool = True) -> None:
    """Each command without a screen, its words and its data on a terminal; then on a server that refuses."""
    hostile = home.hostile
    with served(server := HostileAssistants(hostile, home.random)):
        home.environ |= {"PLAYGROUND_TUI_SERVER": server.base_url, "PLAYGROUND_TUI_SERVER_KEY": "key"}
        home.configure()
        text, work = hostile.text, str(home.directory)
        thread, file = next(iter(server.threads)), next(iter(server.files))
        commands = [
            ("threads", "show", thread), ("ask", "-a", server.main, text("asked")), ("assistants", "list"),
            ("assistants", "show", server.main), ("models",), ("files", "list"), ("files", "show", file),
            ("threads", "list"), ("assistants", "list", "--json"), ("files", "download", file, "-o", work),
            ("assistants", "update", server.main, "--name", text("new name")), ("doctor",), ("doctor", "--json"),
            ("assistants", "show", text("no such name")), ("files", "upload", f"{work}/zq\x1b[6677J"),
            ("ask", "-a", server.main, "--file", f"{work}/zq\x1b[6677J", "x"), ("engine", "status"),
            (text("no command"),), ("models", text("no argument")), ("--provider", text("provider"), "models"),
            ("--server", text("no URL"), "models"), ("--help",), ("ask", "-m", text("model"), "x"),
        ]  # fmt: skip
        for command in commands if whole else commands[:2]:
            _command(home, *command)
        for method, ending in REFUSABLE if whole else ():
            server.refuse_next(method, ending)
            _command(home, *home.random.choice(commands[:6]))
        if whole:
            for keys in ({"threads": f"ctrl+g,{text('key')}"}, {text("binding", lines=False): "f12"}):
                home.configure(**keys)
                _command(home, "models")
            home.configure(f"{hostile.name('setting')} = 1")
            _command(home, "models")
            home.configure('x = "' + hostile.pieces(3, lines=False).replace('"', ""))
            _command(home, "models")
            _command(home, "doctor", TERM=hostile.variable("TERM"), LANG=hostile.variable("LANG"))


def _command(home: HostileHome, *arguments: str, **environ: str) -> None:
    with home.lines(*map(argument, arguments), **environ) as terminal:
        terminal.ended(within=60)
