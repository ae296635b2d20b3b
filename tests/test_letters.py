"""Stand-ins for what a terminal cannot show: in the same cells, or written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from playground_tui.letters import Letters
from playground_tui.ui.colours import graphemes

ASCII = Letters(["ascii"])
CONSOLE = Letters(["cp437", "latin-1"])
LATIN = Letters(["latin-1"])

TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40)


@given(TEXT)
def test_a_fitting_text_has_the_same_cells_and_is_ascii(text: str) -> None:
    found = ASCII.fitting(text, graphemes)
    assert found.isascii()
    assert cell_len(found) == cell_len(text)


@given(TEXT)
def test_a_spelled_text_is_ascii_and_asks_nothing(text: str) -> None:
    found = ASCII.spelled(text)
    assert found.isascii()
    assert found.count("?") <= text.count("?") + sum("QUESTION" in _name(sign) for sign in text)


def _name(sign: str) -> str:
    import unicodedata

    return unicodedata.name(sign, "") + " " + unicodedata.normalize("NFKD", sign).replace("?", "QUESTION")


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Größe, café, Ærø", "Grosse, cafe, AEro"),
        ("“quoted” – it’s…", '"quoted" - it\'s...'),
        ("a → b ≤ c", "a -> b <= c"),
        ("Привет, Щука", "Privet, Shchuka"),
        ("αβγ", "avg"),
        ("done ✓ 😀", "done v [grinning face]"),
        ("你好", "\\u4f60\\u597d"),
        ("½ of ﬁve", "1/2 of five"),
        ("👩‍👩‍👧", "[woman][woman][girl]"),
        ("│ ├── x", "| +-- x"),
    ],
)
def test_what_cannot_be_shown_is_written_out(text: str, spelled: str) -> None:
    assert ASCII.spelled(text) == spelled


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("─│┌╭━┃╰╯├┼", "-|++-|++++"),
        ("▎▌▐█▁", "|||# "),
        ("a · b … ‹ ● é", "a - b . < o e"),
        ("→↓←↑", ">v<^"),
        ("你a", "# a"),
    ],
)
def test_lines_and_signs_become_the_ascii_that_looks_like_them(text: str, fitting: str) -> None:
    assert ASCII.fitting(text, graphemes) == fitting


def test_a_console_keeps_the_lines_and_letters_it_has() -> None:
    assert CONSOLE.fitting("╭─╮ ▎é ━ ╳", graphemes) == "┌─┐ ▌é ─ X"
    assert CONSOLE.spelled("Größe → 你") == "Größe -> \\u4f60"
    assert LATIN.fitting("é · ─ …", graphemes) == "é · - ."
