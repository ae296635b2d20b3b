"""Copying asks the terminal by OSC 52, wrapped for what is in between, and says what was really done."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest

from playground_tui.ui import clipboard
from playground_tui.ui.clipboard import LONGEST, SCREEN_PIECE, copy, multiplexer

PLAIN = {"TERM": "xterm-256color"}
TMUX = {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}
SCREEN = {"TERM": "screen", "STY": "1.pts-0.host"}


def copied(text: str, environ: dict[str, str], directory: Path) -> tuple[str, str]:
    """What was written to the terminal, and said."""
    written: list[str] = []

    def write(codes: str) -> bool:
        written.append(codes)
        return True

    said = copy(text, write=write, environ=environ, fallback_dir=directory)
    return "".join(written), said


def clipboards(sequences: str) -> list[str]:
    """What terminals would put into their clipboard."""
    found = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", sequences)
    return [base64.b64decode(one).decode() for one in found]


@pytest.mark.parametrize("text", ["hello", "[b]ä\n\x1b]0;evil\x07\U0001f600", "x" * 1000])
def test_the_terminal_gets_the_text_and_no_code_of_it(text: str, tmp_path: Path) -> None:
    written, said = copied(text, PLAIN, tmp_path)
    assert clipboards(written) == [text]
    assert re.fullmatch(r"\x1b\]52;c;[A-Za-z0-9+/=]+\x07", written)
    assert f"{len(text):,} characters sent to the terminal (OSC 52)" in said


def test_tmux_gets_it_for_itself_and_to_hand_on(tmp_path: Path) -> None:
    written, said = copied("hello", TMUX, tmp_path)
    wrapped = re.search(r"\x1bPtmux;(.*)\x1b\\", written)
    assert wrapped and clipboards(wrapped[1].replace("\x1b\x1b", "\x1b")) == ["hello"]
    assert clipboards(written[: wrapped.start()]) == ["hello"]
    assert "set-clipboard on" in said and "allow-passthrough on" in said


def test_screen_gets_pieces_it_can_hold(tmp_path: Path) -> None:
    text = "x" * 5000
    written, said = copied(text, SCREEN, tmp_path)
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", written)
    assert clipboards("".join(pieces)) == [text]
    assert max(map(len, pieces)) == SCREEN_PIECE
    assert "screen" in said


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (PLAIN, ""),
        (TMUX, "tmux"),
        (SCREEN, "screen"),
        ({"TERM": "screen-256color", "TMUX": "x"}, "tmux"),
        ({"TERM": "tmux-256color"}, "tmux"),
        ({"TERM": "screen.xterm"}, "screen"),
        ({}, ""),
    ],
)
def test_what_is_in_between_is_known_also_behind_ssh(environ: dict[str, str], expected: str) -> None:
    assert multiplexer(environ) == expected


def test_the_longest_text_still_goes_to_the_terminal(tmp_path: Path) -> None:
    written, _ = copied("x" * LONGEST, PLAIN, tmp_path)
    assert len(clipboards(written)[0]) == LONGEST
    assert list(tmp_path.iterdir()) == []


def test_a_longer_text_is_saved_for_this_user_alone_and_named(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    for text in ("ä" * LONGEST, "y" * (LONGEST + 1)):
        written, said = copied(text, PLAIN, directory)
        path = directory / clipboard.FILE_NAME
        assert written == ""
        assert str(path) in said
        assert path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in directory.iterdir()] == [clipboard.FILE_NAME]


def test_a_link_in_the_files_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / clipboard.FILE_NAME).symlink_to(precious)
    copied("x" * (LONGEST + 1), PLAIN, tmp_path)
    assert precious.read_text() == "precious"


def test_a_disk_that_takes_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(number: int, mode: str) -> None:
        os.close(number)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    written, said = copied("x" * (LONGEST + 1), PLAIN, tmp_path)
    assert written == ""
    assert "No space left on device" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("environ", [PLAIN, TMUX, SCREEN])
def test_what_the_terminal_did_not_get_is_not_said_to_be_sent(environ: dict[str, str], tmp_path: Path) -> None:
    said = copy("hello", write=lambda codes: False, environ=environ, fallback_dir=tmp_path)
    assert said.startswith("not sent: ")


def test_nothing_is_not_copied(tmp_path: Path) -> None:
    assert copied("", PLAIN, tmp_path) == ("", "There is nothing to copy.")


def test_one_character_is_counted_as_one(tmp_path: Path) -> None:
    assert copied("x", PLAIN, tmp_path)[1].startswith("1 character sent")
