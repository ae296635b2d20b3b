"""What was kept of a server at a bare host, under the key that it had before that meant its `/v1`."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from playground_tui.cache.names import former_key, server_key


def bring_over(directories: tuple[Path, ...], url: str) -> None:
    """Rename what lies there under the former key; what has the new name already stays as it is.

    A disk that refuses leaves it for the next start.
    """
    former, key = former_key(url), server_key(url)
    if former == key:
        return
    for directory in directories:
        with suppress(OSError):
            for kept in list(directory.iterdir()):
                target = kept.with_name(key + kept.name.removeprefix(former))
                if kept.name.startswith(former) and not os.path.lexists(target):
                    kept.rename(target)
