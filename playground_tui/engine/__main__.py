"""`python -m playground_tui.engine --data DIR --state DIR --runtime DIR`: be the engine of these directories."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from playground_tui import lookups
from playground_tui.engine.lock import DataLock, LockHeld
from playground_tui.paths import PathError, Paths, reason_of

ANOTHER_RUNS = 3
"""Exit status when another engine lives in the data directory."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until stopped. Failures are a sentence on stderr, which is the log of a detached engine."""
    parser = argparse.ArgumentParser(
        prog="python -m playground_tui.engine", description="The engine of a data directory."
    )
    for name, holds in (("data", "the store"), ("state", "the log"), ("runtime", "the socket")):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="DIR", help=f"directory of {holds}")
    arguments = parser.parse_args(argv)
    # The engine reads no configuration: its visitors do.
    paths = Paths(config=arguments.data, data=arguments.data, state=arguments.state, runtime=arguments.runtime)
    os.umask(0o077)
    try:
        return _locked(paths)
    except LockHeld:
        sys.stderr.write("Another engine lives in this data directory.\n")
        return ANOTHER_RUNS
    except PathError as error:
        sys.stderr.write(f"ERROR {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"ERROR The engine cannot begin: {reason_of(error)} ({error.filename or paths.data}).\n")
        return 1


def _locked(paths: Paths) -> int:
    """Take the lock, and only then load what an engine needs: the second of two starts ends at once."""
    lock = DataLock.of(paths)
    from playground_tui.engine.process import detached  # noqa: PLC0415

    try:
        return lookups.run(detached(paths, lock))
    finally:
        lock.release()


if __name__ == "__main__":
    sys.exit(main())
