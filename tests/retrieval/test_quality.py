"""The labelled set keeps its promises: every answer can be found, and search does not get worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground_tui.engine.tools.base import Found
from playground_tui.engine.tools.file_search.reading.formats import text_of
from tests.retrieval.__main__ import main
from tests.retrieval.embedding_server import MODEL, embedding, embedding_server
from tests.retrieval.measure import DOCUMENTS, Report, measured
from tests.retrieval.measures import ndcg, recall
from tests.retrieval.questions import QUESTIONS, Answer, Question


def test_every_answer_stands_in_its_document_once():
    for question in QUESTIONS:
        for answer in question.answers:
            path = DOCUMENTS / answer.document
            text = " ".join(text_of(path.read_bytes(), path.name)[0].split())
            assert text.count(answer.phrase) == 1, answer


def test_questions_are_enough_and_of_all_documents():
    assert len(QUESTIONS) >= 40
    assert {answer.document for question in QUESTIONS for answer in question.answers} == {
        path.name for path in DOCUMENTS.iterdir()
    }


async def test_search_by_words_and_joined_finds_what_it_found(tmp_path: Path):
    words = await measured(tmp_path / "words", 800, 400)
    assert words.recall >= 0.84
    assert words.ndcg >= 0.75
    async with embedding_server() as server:
        joined = await measured(tmp_path / "both", 100, 50, server.base_url, MODEL)
    assert joined.recall >= 0.80
    assert joined.ndcg >= 0.70


def found(*texts: str) -> list[Found]:
    return [Found("file-1", "a.md", 1.0, text, {}) for text in texts]


QUESTION = Question("?", [Answer("a.md", "first thing", 2), Answer("a.md", "second", 1)])


@pytest.mark.parametrize(
    ("texts", "recalled", "gained"),
    [
        (["the first\nthing", "the second"], 1.0, 1.0),
        (["first thing and second"], 1.0, 1.0),
        (["no", "first thing", "first thing"], 0.5, 2 / 1.584962500721156 / (2 + 1 / 1.584962500721156)),
        (["no"] * 5 + ["second"], 0.0, 1 / 2.807354922057604 / (2 + 1 / 1.584962500721156)),
        ([], 0.0, 0.0),
    ],
)
def test_recall_and_gain(texts, recalled, gained):
    assert recall(found(*texts), QUESTION) == recalled
    assert ndcg(found(*texts), QUESTION) == pytest.approx(gained)


def test_the_vectors_of_the_tests_are_the_same_every_time_and_near_for_words_of_one_stem():
    def near(one: str, other: str) -> float:
        return sum(a * b for a, b in zip(embedding(one), embedding(other), strict=True))

    assert embedding("Tide gauge") == embedding("tide, GAUGE")
    assert near("recalibrated", "recalibration") > 5 * near("puppy", "dog")


@pytest.mark.parametrize("options", [[], ["--base-url", "http://127.0.0.1:9/v1", "--model", "mine", "--misses"]])
def test_the_command_prints_both_searches(monkeypatch, capsys, options):
    async def known(_: Path, *__: object) -> Report:
        return Report(recall=0.5, ndcg=0.25, missed=["Where?"], chunks=7)

    monkeypatch.setattr("tests.retrieval.__main__.measured", known)
    main(options)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:5] for line in lines if "/" in line][:2] == [
        ["BM25", "0.500", "0.250", "7"],
        ["hybrid", "0.500", "0.250", "7"],
    ]
    assert any("not whole: Where?" in line for line in lines) == bool(options)
