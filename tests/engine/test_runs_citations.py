"""Citations and links are found in an answer however it is cut into pieces, and arguments are read while they come."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playground_tui.engine.runs.tools.citations import LONGEST, Annotation, Annotator, Sources
from playground_tui.engine.runs.tools.code_text import CodeText, code_of, queries_of

SOURCES = Sources(
    found={(0, 0): "file-a", (1, 12): "file-b"},
    named={"a.md": "file-a", "b c.md": "file-b"},
    made={"x.csv": "file-x", "x.csv.gz": "file-z", "out/my y.png": "file-y"},
)


def annotated(pieces: Sequence[str], sources: Sources = SOURCES) -> tuple[list[str], list[Annotation]]:
    """What is sent, and all annotations."""
    annotator = Annotator(sources)
    sent = [said for piece in pieces for said in annotator.add(piece)]
    sent += annotator.add("", last=True)
    return [text for text, _ in sent], [note for _, notes in sent for note in notes]


def ids(notes: list[Annotation]) -> list[str]:
    return [note[note["type"]]["file_id"] for note in notes]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("plain 【 text", []),
        ("a【0:0†a.md】b", ["file-a"]),
        ("【1:12†】【0:0†whatever】", ["file-b", "file-a"]),
        ("by name【7:7†b c.md】 and by none【7:7†none】", ["file-b"]),
        ("【【0:0†a.md】", ["file-a"]),
        ("【0:0†a.md", []),
        ("【no marker】【0:0†a\n】", []),
        (f"【0:0†{'a' * LONGEST}】【0:0】", ["file-a"]),
        ("[x](sandbox:/mnt/data/x.csv)", ["file-x"]),
        ("at sandbox:/mnt/data/x.csv. And sandbox:/mnt/data/x.csv.gz!", ["file-x", "file-z"]),
        ("sandbox:/mnt/data/out/my y.png and sandbox:/mnt/data/out/my%20y.png", ["file-y", "file-y"]),
        ("sandbox:/mnt/data/x.csvs sandbox:/mnt/data/none sandbox:/tmp/x.csv sandbox", []),
        ("sandbox:/mnt/data/x.csv", ["file-x"]),
        ("sandbox:/mnt/data/", []),
        (f"sandbox:/mnt/data/{'n' * LONGEST} sandbox:/mnt/data/x.csv", ["file-x"]),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_an_answer_refers_to_is_found(text: str, meant: list[str], size: int) -> None:
    sent, notes = annotated([text[at : at + size] for at in range(0, len(text), size)])
    assert "".join(sent) == text
    assert ids(notes) == meant
    for place, note in enumerate(notes):
        assert (note["index"], text[note["start_index"] : note["end_index"]]) == (place, note["text"])


def test_a_reference_is_whole_in_the_piece_that_brings_it() -> None:
    assert annotated(["so【0", ":0†", "a.md】", ". S", "and", "box"])[0] == ["so", "【0:0†a.md】", ". S", "and", "box"]
    assert annotated(["(s", "andbox:/mnt/data/x.c", "sv", ")"])[0] == ["(", "sandbox:/mnt/data/x.csv", ")"]


PARTS = st.sampled_from(
    ["【0:0†a.md】", "sandbox:/mnt/data/x.csv", "sandbox:", "【", "】", "†", " ", "\n", "s", ".", "x"]
)


@given(st.lists(PARTS, max_size=12), st.data())
def test_however_it_is_cut_the_text_stays_and_the_references_are_the_same(
    parts: list[str], data: st.DataObject
) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    sent, notes = annotated(pieces)
    assert "".join(sent) == text
    assert notes == annotated([text])[1]


@given(st.text(), st.booleans(), st.data())
@example("\\ud83d \U0001f600", True, None)
def test_code_is_read_while_it_comes(code: str, escaped: bool, data: st.DataObject | None) -> None:
    code = code.encode("utf-8", "replace").decode()
    arguments = json.dumps({"code": code, "more": 1}, ensure_ascii=escaped)
    cuts = range(len(arguments)) if data is None else sorted(data.draw(st.lists(st.integers(0, len(arguments)))))
    text = CodeText()
    pieces = [text.add(arguments[start:end]) for start, end in zip([0, *cuts], [*cuts, len(arguments)], strict=True)]
    assert "".join(pieces) == code
    assert text.finish() == ""
    assert text.code == code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("", ""),
        ("print(1)", "print(1)"),
        ('"print(1)"', "print(1)"),
        ('{"language": "python", "code": "1"}', "1"),
        ('{"input": "1"}', "1"),
        ('{"code": "a\nb"}', "a\nb"),
        ('{"code": "\\ud83d!"}', "?!"),
        ("[1]", ""),
    ],
)
def test_code_in_whatever_form_is_understood(arguments: str, code: str) -> None:
    text = CodeText()
    first = text.add(arguments)
    assert first + text.finish() == text.code == code


def test_arguments_that_break_off_keep_the_code_so_far() -> None:
    text = CodeText()
    assert text.add('{"code": "print(') == "print("
    assert (text.finish(), text.code) == ("", "print(")
    assert code_of('{"code": "print(') == '{"code": "print('
    assert code_of("[" * 100_000) == "[" * 100_000


@pytest.mark.parametrize(
    ("arguments", "queries"),
    [
        ('{"queries": ["a", " b ", "", 1]}', ["a", "b"]),
        ('{"query": "a"}', ["a"]),
        ('{"q": "a"}', ["a"]),
        ('{"queries": null}', []),
        ('"a"', ["a"]),
        ("[" * 100_000, ["[" * 100_000]),
        ("how long", ["how long"]),
        ("", []),
    ],
)
def test_queries_in_whatever_form_are_understood(arguments: str, queries: list[str]) -> None:
    assert queries_of(arguments) == queries
