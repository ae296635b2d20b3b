"""The command line: argv to settings to the command. The one place that knows both the screen and the engine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from playground_tui import __version__

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path
    from typing import Any, NoReturn

    from playground_tui.address import EngineAddress
    from playground_tui.assistants.client import AssistantsClient
    from playground_tui.commands.serve import Serving
    from playground_tui.config import Settings
    from playground_tui.paths import Paths

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130

ESCAPE_DELAY_OVER_SSH = "250"
"""Milliseconds in which the bytes of one key may arrive: a line tears them apart."""

_COMMANDS = ("ask", "assistants", "threads", "files", "models", "serve", "engine", "doctor")
"""Modules of `commands`: each has `add_parser(subparsers)` for the command of its name, and `run`."""

_DESCRIPTION = """\
A playground in the terminal to build, edit and test AI assistants.

Without a command it opens the playground: the thread on the left, the assistant's form on the right. f1 shows the keys,
ctrl+q quits, and everything is there again at the next start. No key and no configuration is needed to begin: without
a model the built-in stand-in `rehearsal` answers."""

_EPILOG = """\
models:
  set OPENAI_API_KEY (and OPENAI_BASE_URL for another server of the Responses API), or start Ollama, LM Studio,
  llama.cpp or vLLM on this machine: they are found. Others, such as servers of Chat Completions, go into
  {config}.

the options above stand before the command:
  playground-tui --server URL ask "What is new?"

environment:
  OPENAI_API_KEY, OPENAI_BASE_URL                   the provider `openai`
  PLAYGROUND_TUI_SERVER, PLAYGROUND_TUI_SERVER_KEY  another Assistants v2 server in place of the engine, and its key
  PLAYGROUND_TUI_SERVE_KEY                          the key that `serve` asks of its visitors
  PLAYGROUND_TUI_PLAIN                              1: lines in place of a screen, as with --plain
  NO_COLOR, EDITOR, VISUAL                          as everywhere

exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code. A failure is a sentence on stderr, never a traceback."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _version_or_command(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return FAILED
    except OSError as error:
        _forget_stdout()
        return _say(f"{error.filename or 'the output cannot be written'}: {error.strerror or error}.", FAILED)
    return code


def _version_or_command(given: Sequence[str]) -> int:
    if given == ["--version"]:
        print(f"playground-tui {__version__}")
        return 0
    _write_anything()
    _keep_private()
    return _command(given)


def _keep_private() -> None:
    """Files are this user's alone, whatever umask the program was started with."""
    import os  # noqa: PLC0415

    os.umask(0o077)


def _write_anything() -> None:
    """A terminal or pipe that is not Unicode gets escapes in place of an error."""
    import io  # noqa: PLC0415

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_stdout() -> None:
    """Who read the output has gone: the interpreter's own flush at the end is not to complain either."""
    import os  # noqa: PLC0415

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _command(given: Sequence[str]) -> int:
    import os  # noqa: PLC0415

    from playground_tui.assistants.errors import AssistantsError  # noqa: PLC0415
    from playground_tui.config import ConfigError  # noqa: PLC0415
    from playground_tui.launch import LaunchError  # noqa: PLC0415
    from playground_tui.paths import PathError, Paths  # noqa: PLC0415

    paths = Paths.from_environment()
    try:
        arguments = _screen_options(given) or build_parser(paths).parse_args(given)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        settings = _settings(arguments, paths, os.environ)
        if settings.server is not None:
            from playground_tui.cache.former import bring_over  # noqa: PLC0415

            bring_over((paths.cache, paths.versions), settings.server)
        if arguments.command is None:
            return open_playground(settings, paths, os.environ)
        return _run_headless(arguments, settings, paths, os.environ)
    except ConfigError as error:
        return _say(str(error), WRONG_USAGE)
    except (AssistantsError, LaunchError, PathError) as error:
        return _say(str(error), FAILED)


def _settings(arguments: argparse.Namespace, paths: Paths, environ: Mapping[str, str]) -> Settings:
    from playground_tui.config import ConfigError, Settings, load_settings, settings_of_a_screen  # noqa: PLC0415

    if arguments.command is None:
        return settings_of_a_screen(paths, environ, vars(arguments))
    try:
        return load_settings(paths, environ, vars(arguments))
    except ConfigError:
        if arguments.command == "doctor":
            return Settings()  # What is wrong with the configuration is for the doctor to say.
        raise


def _say(sentence: str, code: int) -> int:
    from playground_tui.text import clean  # noqa: PLC0415

    print(f"playground-tui: {clean(sentence)}", file=sys.stderr)
    return code


def _screen_options(given: Sequence[str]) -> argparse.Namespace | None:
    """The options of a start of the screen. None for anything else, also what is wrong, which the whole parser says.

    The commands take twenty milliseconds to import, which the first paint would wait for.
    """
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    _add_screen_options(parser)
    try:
        arguments, others = parser.parse_known_args(given, argparse.Namespace(command=None))
    except argparse.ArgumentError:
        return None
    return None if others else arguments


def build_parser(paths: Paths) -> argparse.ArgumentParser:
    """The whole command line with its help."""
    import argparse  # noqa: PLC0415

    from playground_tui.text import clean  # noqa: PLC0415

    class Parser(argparse.ArgumentParser):
        """Repeats no argument as it is: a script may have taken it from anywhere."""

        def error(self, message: str) -> NoReturn:
            super().error(clean(message, newlines=False))

    parser = Parser(
        "playground-tui",
        description=_DESCRIPTION,
        epilog=_EPILOG.format(config=clean(str(paths.config_file), newlines=False)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"playground-tui {__version__}")
    _add_screen_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands without a screen")
    for name in _COMMANDS:
        _module(name).add_parser(commands)
    return parser


def _add_screen_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", metavar="URL", help="use this Assistants v2 server in place of the engine")
    parser.add_argument("--provider", metavar="NAME", help="the provider of models that are named without one")
    parser.add_argument("--assistant", metavar="ID|NAME", help="open this assistant")
    parser.add_argument("--thread", metavar="ID", help="open this thread")
    parser.add_argument("--plain", action="store_true", help="lines in place of a screen, for screen readers")


def _module(command: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    return import_module(f"playground_tui.commands.{command}")


def _run_headless(arguments: argparse.Namespace, settings: Settings, paths: Paths, environ: Mapping[str, str]) -> int:
    from functools import partial  # noqa: PLC0415

    from playground_tui import lookups  # noqa: PLC0415
    from playground_tui.desk.faults import stray  # noqa: PLC0415

    opener = Opener(settings, paths, environ, on_notice=lambda notice: _say(notice, 0))
    run = _module(arguments.command).run
    if arguments.command == "serve":
        run = partial(run, become_engine=become_engine)
    job = run(arguments, opener, settings, paths, sys.stdout, sys.stderr)
    code: int = lookups.run(job, partial(stray, paths.log))
    return code


async def become_engine(paths: Paths, serving: Serving) -> int | None:
    """Be the engine in the foreground; the exit code, or None because another engine lives. Raises LaunchError."""
    import logging  # noqa: PLC0415

    from playground_tui.engine.process import CannotBegin, in_front  # noqa: PLC0415

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        interrupted = await in_front(paths, serving)
    except CannotBegin as error:
        from playground_tui.launch import LaunchError  # noqa: PLC0415

        raise LaunchError(str(error)) from error
    return None if interrupted is None else INTERRUPTED * interrupted


class Opener:
    """Finds or starts the server of this start, as often as it is called, and hands the settings over to it."""

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        environ: Mapping[str, str],
        *,
        on_notice: Callable[[str], object] | None = None,
    ):
        """`on_notice` is told what was wrong when the engine started; without it whoever watches the engine asks."""
        self._on_notice = on_notice
        self._settings = settings
        self._paths = paths
        self._environ = environ
        self._starting: Future[EngineAddress] | None = None
        self._socket: Path | None = None

    def begin(self) -> None:
        """Start the engine now, so that it is there when the first call wants it."""
        if self._settings.server is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

            from playground_tui.launch import ensure_engine  # noqa: PLC0415

            starter = ThreadPoolExecutor(1, thread_name_prefix="engine-start")
            self._starting = starter.submit(ensure_engine, self._paths)
            starter.shutdown(wait=False)

    async def __call__(self, previous: AssistantsClient | None = None) -> AssistantsClient:
        """A client of the server: `previous` again when it still leads there. Raises AssistantsError."""
        import asyncio  # noqa: PLC0415

        client_class = await asyncio.to_thread(_client_class)
        settings = self._settings
        if settings.server is not None:
            key = None if previous else await asyncio.to_thread(self._server_key)
            versions = self._paths.versions
            return previous or client_class.for_server(settings.server, key, label=label(), versions=versions)
        address, handover = await asyncio.gather(self._engine(), asyncio.to_thread(self._handover))
        if previous is None or address.socket != self._socket:
            previous = client_class.for_engine(address.socket, label=label(), provider=settings.provider)
            self._socket = address.socket
        status = await previous.engine_settings(handover)
        if self._on_notice is not None:
            for notice in status.notices:
                self._on_notice(notice)
        return previous

    async def _engine(self) -> EngineAddress:
        """The living engine. What keeps it from living is said as a server that cannot be reached."""
        import asyncio  # noqa: PLC0415

        from playground_tui.assistants.errors import NotReachable  # noqa: PLC0415
        from playground_tui.launch import EngineSilent, LaunchError, ensure_engine  # noqa: PLC0415

        starting, self._starting = self._starting, None
        try:
            if starting is not None:
                return await asyncio.wrap_future(starting)
            return await asyncio.to_thread(ensure_engine, self._paths)
        except (EngineSilent, LaunchError) as error:
            raise NotReachable(str(error)) from error

    def _server_key(self) -> str | None:
        """Raises AssistantsError when its source has none: no server is asked without the key that was meant for it."""
        from playground_tui.assistants.errors import AssistantsError  # noqa: PLC0415
        from playground_tui.config import server_credentials  # noqa: PLC0415

        found = server_credentials(self._settings, self._environ)
        if found.problem:
            raise AssistantsError(f"There is no key for {self._settings.server}. {found.problem}")
        return found.key

    def _handover(self) -> dict[str, Any]:
        from playground_tui.config import provider_handover  # noqa: PLC0415

        return provider_handover(self._settings, self._environ)


def _client_class() -> type[AssistantsClient]:
    """The SDK takes a third of a second to import: called in a thread."""
    from playground_tui.assistants.light_sdk import load_types_when_asked  # noqa: PLC0415

    load_types_when_asked()
    from playground_tui.assistants.client import AssistantsClient  # noqa: PLC0415
    from playground_tui.redaction import keep_requests_out_of_logs  # noqa: PLC0415

    keep_requests_out_of_logs()
    return AssistantsClient


def label() -> str:
    """Where this visitor sits, in words for the versions of an assistant: host and terminal."""
    import os  # noqa: PLC0415
    import socket  # noqa: PLC0415

    try:
        terminal = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        terminal = "no terminal"
    return f"{socket.gethostname()}, {terminal}"


def open_playground(settings: Settings, paths: Paths, environ: Mapping[str, str]) -> int:
    """The screen, or lines in its place, until it is left; the exit code."""
    import os  # noqa: PLC0415

    opener = Opener(settings, paths, environ)
    opener.begin()
    if settings.plain:
        from playground_tui.plain.program import run_plain  # noqa: PLC0415

        return run_plain(settings, paths, dict(environ), opener)
    as_started = dict(environ)  # Textual takes NO_COLOR out of the process's own
    if "SSH_CONNECTION" in environ:
        os.environ.setdefault("ESCDELAY", ESCAPE_DELAY_OVER_SSH)  # read when Textual is imported
    from playground_tui.ui.app import run_playground  # noqa: PLC0415

    return run_playground(settings, paths, as_started, opener)
