"""The plain mode from its start to its end."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from playground_tui.config import Settings
from playground_tui.desk.faults import record
from playground_tui.desk.signals import leave_on_signals
from playground_tui.display import choose
from playground_tui.letters import Letters
from playground_tui.paths import Paths
from playground_tui.plain.console import Console, open_console
from playground_tui.plain.room import Room
from playground_tui.plain.talk import Talk

if TYPE_CHECKING:
    from playground_tui.desk.desk import OpenClient

FAILED = 1
GONE = frozenset({errno.EIO, errno.EPIPE, errno.EBADF})
"""What the system answers where nobody hears any more."""
HUNG_UP = 129
"""Exit code when the terminal has gone, as shells count it."""


def run_plain(settings: Settings, paths: Paths, environ: Mapping[str, str], open_client: OpenClient) -> int:
    """Talk on stdin and stdout until the user leaves; returns the exit code."""
    signs = choose(settings, environ).signs
    console = open_console(sys.stdin, sys.stdout, Letters(signs).spelled if signs else str)
    room = Room(settings, paths, environ)

    def keep() -> None:
        console.look()
        room.keep()

    deadline = leave_on_signals(keep, sys.exit)
    code = FAILED
    try:
        code = talk(room, console, open_client)
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    finally:
        deadline.arm(code)
        room.close()
    return code


def talk(room: Room, console: Console, open_client: OpenClient) -> int:
    """One session; the exit code. A fault of the program is a sentence, and its trace goes to the log."""
    try:
        room.begin(open_client)
        Talk(room, console).run()
        console.write("Goodbye. Everything is kept for the next start.")
    except Exception as error:  # noqa: BLE001 -- whatever it is, what was typed is kept and the terminal is left in order
        if isinstance(error, OSError) and error.errno in GONE:
            return HUNG_UP
        with contextlib.suppress(OSError):
            console.write(record(error, room.desk.paths.log))
        return FAILED
    return 0
