"""Whether this login takes the engine with it when it ends."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_LINGER = Path("/var/lib/systemd/linger")
_CONFIGURATION = (Path("/usr/lib/systemd"), Path("/etc/systemd"), Path("/run/systemd"))
_QUESTION = (
    "busctl",
    "get-property",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "KillUserProcesses",
)


def login_ends_processes(
    environ: Mapping[str, str],
    *,
    question: Sequence[str] = _QUESTION,
    linger: Path = _LINGER,
    configuration: Sequence[Path] = _CONFIGURATION,
) -> bool:
    """Whether systemd-logind kills a user's processes at logout and this user is not allowed to linger.

    logind itself is asked; where it does not answer, its configuration files are read (logind.conf(5)).
    """
    if "XDG_SESSION_ID" not in environ or (linger / pwd.getpwuid(os.getuid()).pw_name).exists():
        return False
    answer = _asked(question)
    return answer == "b true" if answer else _configured(configuration)


def _asked(question: Sequence[str]) -> str:
    try:
        done = subprocess.run(question, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _configured(directories: Sequence[Path]) -> bool:
    files = [directory / "logind.conf" for directory in directories]
    files += sorted(file for directory in directories for file in directory.glob("logind.conf.d/*.conf"))
    value = "no"
    for file in files:
        if file.is_file():
            text = file.read_text(errors="replace")
            value = (re.findall(r"^\s*KillUserProcesses\s*=\s*(\w+)", text, re.MULTILINE) or [value])[-1]
    return value.lower() in {"yes", "true", "on", "1"}
