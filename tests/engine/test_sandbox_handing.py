"""What comes out of a sandbox is not trusted: garbage in its pipe, pictures, and files that are none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sandbox import SMALL, Bench, bench, shown


@pytest.fixture
async def tried(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


WRITE = "import os, struct\nfor pipe in range(3, 20):\n    try: os.write(pipe, {})\n    except OSError: pass\n"


@pytest.mark.parametrize(
    "garbage",
    [
        "os.urandom(20000)",
        "struct.pack('>BHQ', 3, 3, 2 ** 62) + b'abc'",
        "struct.pack('>BHQ', 3, 65535, 0) + bytes(65535)",
        "struct.pack('>BHQ', 3, 2, 0) + b'\\xff\\xfe'",
        "struct.pack('>BHQ', 3, 7, 1) + b'../../x' + b'x'",
        "struct.pack('>BHQ', 3, 6, 1) + b'/etc/x' + b'x'",
        "struct.pack('>BHQ', 4, 0, 2 ** 40)",
        "struct.pack('>BHQ', 200, 0, 0)",
        "struct.pack('>BHQ', 4, 0, 0) * 1500",
        "struct.pack('>BHQ', 6, 0, 5) + b'hello'",
        "b''.join(struct.pack('>BHQ', 3, 1, 0) + b'x' for _ in range(200))",
    ],
)
async def test_garbage_in_the_pipe_ends_the_sandbox(tried: Bench, garbage: str) -> None:
    result = await tried.run(WRITE.format(garbage) + "while True: pass")
    assert "it disturbed the pipe to the engine" in shown(result)
    assert "2\n" in await tried.text("print(1 + 1)")


async def test_a_frame_that_never_ends_costs_no_more_than_other_code(tmp_path: Path) -> None:
    async with bench(tmp_path, replace(SMALL, wall_seconds=0.5)) as tried:
        printed = await tried.text(WRITE.format("struct.pack('>BHQ', 3, 1, 10 ** 6) + b'x'"))
        assert "it ran longer than 0.5 seconds" in printed


async def test_pictures_are_counted_and_must_be_pictures(tmp_path: Path) -> None:
    limits = replace(SMALL, pictures=2)
    code = """
class Shown:
    def __init__(self, data): self.data = data
    def _repr_png_(self): return self.data
import sys
for _ in range(4): sys.displayhook(Shown(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(10)))
Shown(b"GIF89a")
"""
    async with bench(tmp_path, limits) as tried:
        printed = await tried.text(code)
    assert printed.count("[picture]") == 2
    assert printed.count("(Further pictures are left out.)") == 2
    assert "not in the format PNG" in printed


async def test_only_plain_files_come_back(tried: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    code = f"""
import os
os.symlink({str(secret)!r}, "link")
os.symlink("/usr/bin/env", "program")
os.symlink("/", "root")
os.mkfifo("fifo")
open(".hidden", "w").write("x")
open("new\\nline", "w").write("x")
open("plain", "w").write("x")
"""
    result = await tried.run(code)
    assert [file.path for file in result.files] == ["plain"]
    assert "Not handed to the user" in shown(result)


async def test_too_large_and_too_many_files_stay_behind(tmp_path: Path) -> None:
    limits = replace(SMALL, made_file=1000, made_total=1500, made_files=3)
    code = "for name, size in dict(a=900, b=2000, c=500, d=500, e=1, f=1).items(): open(name, 'w').write('x' * size)"
    async with bench(tmp_path, limits) as tried:
        result = await tried.run(code)
    assert [file.path for file in result.files] == ["a", "c"]
    assert "b, d, e, f" in shown(result)
