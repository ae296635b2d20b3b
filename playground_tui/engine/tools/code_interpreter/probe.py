"""Whether code can be run on this machine, and what stands in the way, in words for who can change it."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playground_tui.engine.tools.base import CannotRun
from playground_tui.engine.tools.code_interpreter.command import Setup, setup_here
from playground_tui.engine.tools.code_interpreter.packages import package_places
from playground_tui.engine.tools.code_interpreter.sandbox import StartFailed
from playground_tui.engine.tools.code_interpreter.seccomp import filter_for

OLDEST = (0, 5)
"""The first bubblewrap that gives directories their permissions."""
SIZED = (0, 7)
"""The first that gives them a size."""

_VERSION_SECONDS = 10.0

_INSTALL = (
    "bubblewrap is not installed. Install it, for example with `apt install bubblewrap` (Debian, Ubuntu), "
    "`dnf install bubblewrap` (Fedora) or `pacman -S bubblewrap` (Arch)."
)
_ELSEWHERE = (
    "there is no bubblewrap for {system}. Run the engine on a Linux machine with `playground-tui serve` and connect "
    "to it with `--server`."
)
_APPARMOR = (
    "AppArmor denies bubblewrap the user namespaces that it needs. An administrator can allow them with an AppArmor "
    "profile for {bwrap} that has the rule `userns,`, or with `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
)
_SYSCTL = (
    "user namespaces, which bubblewrap needs, are switched off here. An administrator can allow them with "
    "`sysctl {name}={value}`."
)
_DENIED = (
    "user namespaces, which bubblewrap needs, are denied here, as they often are in a container: {said}. "
    "Start the container so that it may make them, or run the engine outside of it."
)
_UNSAFE = "the sandbox would not be tight here: {said}. Run the engine as an ordinary user."
_NAMESPACES = re.compile(r"namespace|uid map|gid map|setgroups|Failed to make / slave|Can't mount proc", re.IGNORECASE)


async def find_setup(which: Callable[[str], str | None] = shutil.which, system: str = sys.platform) -> Setup:
    """What sandboxes are made of here. Raises CannotRun."""
    if system != "linux":
        raise cannot(_ELSEWHERE.format(system={"darwin": "macOS"}.get(system, system)))
    bwrap = which("bwrap")
    if bwrap is None:
        raise cannot(_INSTALL)
    machine = platform.machine()
    if filter_for(machine) is None:
        raise cannot(f"no filter of system calls is known for this machine's processor, {machine}.")
    version = await asyncio.to_thread(_version, bwrap)
    if version < OLDEST:
        found = ".".join(map(str, version))
        raise cannot(f"bubblewrap {found} at {bwrap} is too old: 0.5 or newer is needed, and 0.8 is better.")
    return setup_here(bwrap, await asyncio.to_thread(package_places), sized=version >= SIZED)


def cannot(why: str) -> CannotRun:
    """The sentence for a reason."""
    return CannotRun(f"Code cannot be run: {why}")


def _version(bwrap: str) -> tuple[int, int]:
    """Raises CannotRun when it does not say."""
    try:
        done = subprocess.run([bwrap, "--version"], capture_output=True, timeout=_VERSION_SECONDS, env={}, check=False)
    except OSError as error:
        raise cannot(f"{bwrap} does not start: {error.strerror}.") from error
    except subprocess.TimeoutExpired:
        raise cannot(f"{bwrap} does not say its version.") from None
    found = re.search(r"(\d+)\.(\d+)", done.stdout.decode(errors="replace"))
    if found is None:
        raise cannot(f"{bwrap} does not say its version.")
    return int(found[1]), int(found[2])


def why_not(failed: StartFailed, bwrap: str, settings: Path = Path("/proc/sys")) -> CannotRun:
    """What a sandbox that did not come up means."""
    said = str(failed).removeprefix("bwrap: ").rstrip(".")
    if failed.unsafe or said == "root cannot become another user":
        return cannot(_UNSAFE.format(said=said))
    if not _NAMESPACES.search(said):
        return cannot(f"the sandbox does not start: {said}.")
    for name, off, on in _SWITCHES:
        if _value(settings / name) == off:
            return cannot(_SYSCTL.format(name=name.replace("/", "."), value=on))
    if os.geteuid() != 0 and _value(settings / "kernel/apparmor_restrict_unprivileged_userns") == "1":
        return cannot(_APPARMOR.format(bwrap=bwrap))
    return cannot(_DENIED.format(said=said))


_SWITCHES = (("kernel/unprivileged_userns_clone", "0", "1"), ("user/max_user_namespaces", "0", "15000"))


def _value(setting: Path) -> str:
    try:
        return setting.read_text().strip()
    except OSError:
        return ""
