"""Memory comes back: after what many runs took, and when they are forgotten."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from playground_tui.engine import memory

WASTE = """
from pathlib import Path
from playground_tui.engine.memory import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

pieces = [bytearray(2000) for _ in range(50_000)]
del pieces[::2], pieces[:-1]  # holes, with something behind them
held = resident()
print(give_back(), held - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_is_free_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", WASTE], check=True, capture_output=True, text=True)
    could, given_back = done.stdout.split()
    assert (could, int(given_back) > 50_000_000) == ("True", True), done.stdout


def test_a_c_library_that_cannot_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert memory.give_back() is False
