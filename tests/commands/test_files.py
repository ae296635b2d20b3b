"""Files by commands: sent, listed, brought back and deleted, with the failures in words."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from playground_tui.assistants.local_files import LARGEST_FILE, free_name, shown_size
from playground_tui.commands import files
from tests.commands.run import Shell, parsed

TEXT = b"Leave is 30 days a year.\n" * 5_000


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    path = tmp_path / "handbook.md"
    path.write_bytes(TEXT)
    return path


async def uploaded(shell: Shell, path: Path) -> str:
    ran = await shell("files", "upload", str(path))
    assert ran.code == 0, ran.err
    return ran.out.strip()


async def test_a_file_is_sent_and_listed_and_shown(shell: Shell, handbook: Path) -> None:
    file_id = await uploaded(shell, handbook)
    listed = await shell("files", "list")
    assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [[file_id, "handbook.md"]]
    shown = await shell("files", "show", file_id)
    assert "name: handbook.md" in shown.out and "purpose: assistants" in shown.out
    assert (await shell("files", "show", file_id, "--json")).data["bytes"] == len(TEXT)


async def test_pictures_are_sent_to_be_seen_unless_told_otherwise(shell: Shell, tmp_path: Path) -> None:
    picture = tmp_path / "a.PNG"
    picture.write_bytes(b"\x89PNG")
    by_name = (await shell("files", "upload", str(picture), "--json")).data[0]
    told = (await shell("files", "upload", str(picture), "--purpose", "user_data", "--json")).data[0]
    assert (by_name["purpose"], told["purpose"]) == ("vision", "user_data")
    ran = await shell("files", "list", "--purpose", "vision", "--json")
    assert [file["id"] for file in ran.data] == [by_name["id"]]


async def test_a_file_comes_back_byte_for_byte_and_replaces_nothing_by_itself(
    shell: Shell, handbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = await uploaded(shell, handbook)
    monkeypatch.chdir(tmp_path)
    ran = await shell("files", "download", file_id)
    assert ran.out.strip() == "handbook-2.md"
    assert (tmp_path / "handbook-2.md").read_bytes() == TEXT
    there = tmp_path / "there"
    there.write_bytes(b"old")
    ran = await shell("files", "download", file_id, "-o", str(there), "--json")
    assert ran.data == {"id": file_id, "path": str(there), "bytes": len(TEXT)}
    assert there.read_bytes() == TEXT
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


async def test_bytes_go_to_a_pipe_and_never_to_a_terminal(shell: Shell, handbook: Path) -> None:
    file_id = await uploaded(shell, handbook)
    arguments = parsed("files", "download", file_id, "-o", "-")

    async def written(out: io.TextIOWrapper) -> int:
        async def connect() -> object:
            return shell.engine.client()

        return await files.run(arguments, connect, None, None, out, err)  # type: ignore[arg-type]

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    err, pipe = io.StringIO(), io.TextIOWrapper(io.BytesIO())
    assert await written(pipe) == 0
    assert pipe.buffer.getvalue() == TEXT  # type: ignore[attr-defined]
    assert await written(Terminal(io.BytesIO())) == 2
    assert "not written to a terminal" in err.getvalue()


async def test_files_are_deleted_one_after_the_other(shell: Shell, handbook: Path) -> None:
    first, second = await uploaded(shell, handbook), await uploaded(shell, handbook)
    ran = await shell("files", "delete", first, "file-none", second, "--json")
    assert ran.code == 1 and "file-none" in ran.err
    assert ran.data == {"deleted": [first]}
    assert (await shell("files", "delete", second)).out.strip() == second
    assert (await shell("files", "list", "--json")).data == []


async def test_what_cannot_be_sent_is_said_before_anything_is(shell: Shell, tmp_path: Path) -> None:
    empty, big = tmp_path / "empty.txt", tmp_path / "big.bin"
    empty.touch()
    with big.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    for path, words in (
        (tmp_path / "none.txt", "is not there"),
        (tmp_path, "is a directory"),
        (Path("/dev/null"), "no plain file"),
        (empty, "is empty"),
        (big, "larger than 512 MB"),
    ):
        ran = await shell("files", "upload", str(path))
        assert ran.code == 1 and words in ran.err, path
    assert (await shell("files", "list", "--json")).data == []


async def test_a_download_that_fails_leaves_nothing_behind(shell: Shell, handbook: Path, tmp_path: Path) -> None:
    file_id = await uploaded(shell, handbook)
    ran = await shell("files", "download", file_id, "-o", str(tmp_path / "none" / "x"))
    assert ran.code == 1 and "cannot be written" in ran.err
    ran = await shell("files", "download", file_id, "-o", str(tmp_path / ("x" * 300)))
    assert ran.code == 1 and "cannot be written: File name too long" in ran.err
    target = tmp_path / "target"
    target.mkdir()
    assert (await shell("files", "download", "file-none", "-o", str(target / "x"))).code == 1
    assert list(target.iterdir()) == []


def test_names_of_a_server_stay_in_their_directory(tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "..", ".bashrc", "a/b", "\x1b]0;x\x07", "", "x" * 500, "字" * 120 + ".png"):
        path = free_name(tmp_path, name)
        assert path.parent == tmp_path and not path.name.startswith(".") and path.name.isprintable()
        path.touch()
        assert free_name(tmp_path, name) != path
    assert path.name.endswith("字.png")


def test_sizes_in_words() -> None:
    assert [shown_size(size) for size in (0, 999, 1400, 3_000_000, 2_500_000_000)] == [
        *("0 bytes", "999 bytes", "1.4 KB", "3.0 MB", "2.5 GB")
    ]
