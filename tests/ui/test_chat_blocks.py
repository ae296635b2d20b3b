"""Markdown is cut into blocks, the same in any chunking, and what is finished stays."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from playground_tui.ui.chat.block import Block, Kind
from playground_tui.ui.chat.blocks import CODE_LINES, LINE_LIMIT, PARAGRAPH_LIMIT, Cutter, cells, code_of, cut
from tests.ui.chat_support import MARKDOWN

LINES = st.sampled_from(
    [
        "",
        "text with **bold** and `code`",
        "# heading",
        "===",
        "---",
        "- item",
        "  - nested",
        "   indented",
        "1. one",
        "7) seven",
        "   ```python",
        "```",
        "~~~",
        "x = 1",
        "> quote",
        "| a | b |",
        "|---|:-:|",
        "| 1 | 2",
        "    code",
        "\tcode",
        "日本語 👩‍👩‍👧",
        "\x1b[31m[/foo]\r",
    ]
)
DOCUMENTS = st.lists(LINES, max_size=30).map("\n".join)


def shape(text: str, **options: bool) -> list[tuple[str, str, str, int]]:
    return [(block.kind.name, block.marker, block.text, block.margin) for block in cut(text, **options)]


@given(DOCUMENTS, st.lists(st.integers(1, 12), min_size=1), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_chunking_gives_the_blocks_of_the_whole(text: str, sizes: list[int], markdown: bool) -> None:
    cutter = Cutter(markdown=markdown)
    at = step = 0
    finished: list[Block] = []
    while at < len(text):
        size = sizes[step % len(sizes)]
        cutter.feed(text[at : at + size])
        assert list(cutter.finished[: len(finished)]) == finished, "a finished block changed"
        finished = list(cutter.finished)
        cutter.tail()
        at, step = at + size, step + 1
    assert [*cutter.finished, *cutter.tail()] == cut(text, markdown=markdown)


def test_a_rich_document_is_cut_into_its_blocks() -> None:
    kinds = [block.kind for block in cut(MARKDOWN)]
    assert kinds.count(Kind.CODE) == 2
    assert kinds.count(Kind.TABLE) == 1
    assert kinds.count(Kind.QUOTE) == 1
    assert kinds[0] is Kind.HEADING


def test_list_items_keep_their_place_and_number() -> None:
    text = "1. one\n1. two\n   - inner\n\n   more of two\n1. three\n\nafter\n\n5. five"
    assert shape(text) == [
        ("PARAGRAPH", "1.", "one", 0),
        ("PARAGRAPH", "2.", "two", 0),
        ("PARAGRAPH", "•", "inner", 3),
        ("PARAGRAPH", "", "more of two", 3),
        ("PARAGRAPH", "3.", "three", 0),
        ("PARAGRAPH", "", "after", 0),
        ("PARAGRAPH", "5.", "five", 0),
    ]


def test_code_in_a_list_stands_under_its_item_without_the_indentation() -> None:
    assert shape("- item\n  ```py\n  x = 1\n    y = 2\n  ```\n- ```\n  z\n  ```") == [
        ("PARAGRAPH", "•", "item", 0),
        ("CODE", "", "x = 1\n  y = 2", 2),
        ("PARAGRAPH", "•", "", 0),
        ("CODE", "", "z", 2),
    ]


def test_a_blank_line_inside_a_fence_ends_nothing() -> None:
    assert shape("```\na\n\nb\n```\nafter") == [("CODE", "", "a\n\nb", 0), ("PARAGRAPH", "", "after", 0)]


def test_a_fence_without_an_end_is_code_to_the_end_and_a_half_typed_end_is_not_shown() -> None:
    assert shape("```\na\n``") == [("CODE", "", "a", 0)]


def test_underlines_make_headings_and_rows_of_dashes_make_tables() -> None:
    assert shape("Title\n===\nSub\n---") == [("HEADING", "", "Title", 0), ("HEADING", "", "Sub", 0)]
    assert shape("before\n| a | b |\n|---|---|\n| 1 | 2 |\nafter") == [
        ("PARAGRAPH", "", "before", 0),
        ("TABLE", "", "| a | b |\n|---|---|\n| 1 | 2 |", 0),
        ("PARAGRAPH", "", "after", 0),
    ]


def test_numbers_in_running_text_are_no_list() -> None:
    assert shape("in\n1984. it was") == [("PARAGRAPH", "", "in\n1984. it was", 0)]


def test_a_quote_goes_on_without_its_mark() -> None:
    assert shape("> a\nb") == [("QUOTE", "", "> a\n> b", 0)]


def test_only_fences_are_markup_in_what_a_person_typed() -> None:
    assert shape("# no heading\n  * kept *\n```py\nx\n```", markdown=False) == [
        ("TEXT", "", "# no heading\n  * kept *", 0),
        ("CODE", "", "x", 0),
    ]


def test_an_enormous_fence_is_cut_into_parts_of_bounded_size() -> None:
    code = "\n".join(f"line {number}" for number in range(5_000))
    blocks = cut(f"```python\n{code}\n```")
    assert "\n".join(block.text for block in blocks) == code
    assert all(block.info == "python" for block in blocks)
    assert max(block.text.count("\n") + 1 for block in blocks) <= CODE_LINES


def test_an_enormous_paragraph_is_cut_while_it_streams() -> None:
    words = "word " * 20_000
    cutter = Cutter()
    for at in range(0, len(words), 40):
        cutter.feed(words[at : at + 40])
        assert sum(len(block.text) for block in cutter.tail()) <= PARAGRAPH_LIMIT + LINE_LIMIT
    assert "".join(block.text for block in cut(words)).replace(" ", "") == words.replace(" ", "")


def test_a_long_table_keeps_its_columns_in_every_part() -> None:
    blocks = cut("| a | b |\n|---|---|\n" + "".join(f"| {n} | {n} |\n" for n in range(200)))
    assert len(blocks) > 2
    assert {block.context for block in blocks[1:]} == {blocks[0].text}


def test_cells_know_escapes_and_code() -> None:
    assert cells(r"| a \| b | `c|d` | e") == ["a | b", "`c|d`", "e"]
    assert cells("a ` b | c") == ["a ` b", "c"]


def test_code_is_given_out_unchanged() -> None:
    text = "x\n```python\na = 1\n\n\tb\n```\n- y\n  ~~~\n  c\n  ~~~\n"
    assert code_of(text) == ["a = 1\n\n\tb", "c"]
