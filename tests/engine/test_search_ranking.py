"""Search by words: what is found, in which order, with which scores, and what filters leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground_tui.engine.tools.file_search.filters import passes
from playground_tui.engine.tools.file_search.fusion import fused, scored
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.searching import PATIENCE, files_of, found, names, store_of, uploaded

TIDES = {
    "moon_md": "# Tides\n\nThe moon pulls the sea. Spring tide comes with the full moon.",
    "wind_md": "# Surge\n\nWind raises the sea above the tide of the table.",
    "lunch_txt": "The canteen is open from noon. Soup is served daily.",
}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as running:
        yield running


async def test_the_best_comes_first_and_what_does_not_match_not_at_all(engine):
    store_id = await store_of(engine, **TIDES)
    results = await found(engine, store_id, "the moon and the spring tide")
    assert [one.filename for one in results] == ["moon.md", "wind.md"]
    assert results[0].text.startswith("# Tides")
    assert results[0].file_id == (await files_of(engine, store_id))[0]["id"]
    assert results[0].attributes == {}


async def test_scores_tell_how_much_of_the_query_is_there(engine):
    store_id = await store_of(engine, **TIDES)
    assert (await found(engine, store_id, "moon spring tide"))[0].score == 1.0
    (weak,) = await found(engine, store_id, "canteen prices in Antarctica penguins")
    assert weak.score == pytest.approx(0.25)


async def test_a_threshold_leaves_out_what_is_below_it(engine):
    store_id = await store_of(engine, **TIDES)
    assert await names(engine, store_id, "moon spring tide", score_threshold=0.9) == ["moon.md"]
    assert await names(engine, store_id, "canteen prices in Antarctica penguins", score_threshold=0.5) == []


async def test_no_more_is_found_than_is_wanted(engine):
    store_id = await store_of(engine, **TIDES)
    assert await names(engine, store_id, "sea") == ["wind.md", "moon.md"], "the shorter one first"
    assert await names(engine, store_id, "sea", limit=1) == ["wind.md"]


async def test_several_queries_are_joined(engine):
    store_id = await store_of(engine, **TIDES)
    assert set(await names(engine, store_id, "soup", "wind")) == {"lunch.txt", "wind.md"}


async def test_a_file_is_found_by_its_name_and_a_part_by_its_heading(engine):
    part = "Words that say nothing. " * 250
    text = f"# Gauges\n\n{part}\n\n# Warranty\n\n{part}"
    store_id = await store_of(engine, invoice_md="Amount due: 20.", manual_md=text)
    assert await names(engine, store_id, "invoice") == ["invoice.md"]
    results = await found(engine, store_id, "warranty")
    assert len(results) > 1
    assert any("Warranty" not in one.text for one in results)


@pytest.mark.parametrize("query", ["", "???", '" OR *', "\ud800", "NEAR(", "x" * 100_000])
async def test_whatever_is_asked_for_is_answered(engine, query):
    store_id = await store_of(engine, a_md="text")
    assert await found(engine, store_id, query) == []


async def test_a_file_in_two_stores_is_found_once(engine):
    file_id = await uploaded(engine, "a.md", "Tides rise.")
    stores = [(await engine.post("/vector_stores", file_ids=[file_id]))["id"] for _ in range(2)]
    assert await engine.engine.search.settled(stores, PATIENCE)
    assert await names(engine, stores, "tides") == ["a.md"]


async def test_only_the_stores_that_are_named_are_searched(engine):
    first = await store_of(engine, a_md="Tides rise.")
    second = await store_of(engine, b_md="Tides fall.")
    assert await names(engine, first, "tides") == ["a.md"]
    assert set(await names(engine, [first, second], "tides")) == {"a.md", "b.md"}
    assert await names(engine, [], "tides") == []
    assert await names(engine, "vs_unknown", "tides") == []


async def test_a_store_that_has_expired_or_is_gone_has_nothing_to_find(engine):
    store_id = await store_of(engine, a_md="Tides rise.")
    await engine.post(f"/vector_stores/{store_id}", expires_after={"anchor": "last_active_at", "days": 1})
    engine.clock.time += 3600
    assert await names(engine, store_id, "tides") == ["a.md"]
    engine.clock.time += 24 * 3600 - 1
    assert await names(engine, store_id, "tides") == ["a.md"], "a search is activity"
    engine.clock.time += 24 * 3600
    assert await names(engine, store_id, "tides") == []
    other = await store_of(engine, b_md="Tides fall.")
    await engine.http.delete(f"/vector_stores/{other}")
    assert await names(engine, other, "tides") == []


async def test_attributes_come_with_the_results_and_filter_them(engine):
    store_id = await store_of(engine, a_md="Tides rise.", b_md="Tides fall.")
    first, second = await files_of(engine, store_id)
    await engine.post(f"/vector_stores/{store_id}/files/{first['id']}", attributes={"year": 2024, "draft": False})
    await engine.post(f"/vector_stores/{store_id}/files/{second['id']}", attributes={"year": 2025, "draft": True})
    newer = {"type": "gte", "key": "year", "value": 2025}
    (result,) = await found(engine, store_id, "tides", filters=newer)
    assert (result.filename, result.attributes) == ("b.md", {"year": 2025, "draft": True})
    nothing = {"type": "and", "filters": [newer, {"type": "eq", "key": "draft", "value": False}]}
    assert await found(engine, store_id, "tides", filters=nothing) == []


FILE = {"city": "Graz", "year": 2024, "size": 1.5, "draft": True}


@pytest.mark.parametrize(
    ("kind", "key", "value", "expected"),
    [
        ("eq", "city", "Graz", True),
        ("eq", "city", "graz", False),
        ("eq", "year", 2024.0, True),
        ("eq", "draft", True, True),
        ("eq", "draft", 1, False),
        ("eq", "missing", "x", False),
        ("ne", "city", "Linz", True),
        ("ne", "missing", "x", True),
        ("gt", "year", 2023, True),
        ("gt", "year", 2024, False),
        ("gte", "year", 2024, True),
        ("lt", "size", 2, True),
        ("lte", "city", "Graz", True),
        ("lt", "city", 5, False),
        ("lt", "year", "5", False),
        ("gt", "draft", 0, False),
        ("gt", "missing", 0, False),
        ("in", "city", ["Linz", "Graz"], True),
        ("in", "missing", ["Linz"], False),
        ("nin", "city", ["Linz"], True),
        ("nin", "city", ["Graz"], False),
        ("nin", "missing", ["Graz"], True),
    ],
)
def test_a_comparison_is_what_it_says(kind, key, value, expected):
    comparison = {"type": kind, "key": key, "value": value}
    assert passes(FILE, comparison) is expected
    assert passes(FILE, {"type": "or", "filters": [comparison, {"type": "eq", "key": "city", "value": ""}]}) is expected
    assert passes(FILE, {"type": "and", "filters": [comparison]}) is expected


def test_no_filter_leaves_everything():
    assert passes({}, None)


def test_rankings_are_joined_by_reciprocal_ranks():
    one, other = dict.fromkeys([1, 2, 3], 1.0), dict.fromkeys([3, 2], 1.0)
    assert fused([one, other]) == pytest.approx({3: 1 / 63 + 1 / 61, 2: 2 / 62, 1: 1 / 61})
    assert list(fused([one, other])) == [3, 2, 1]
    assert list(fused([{5: 1.0}, {4: 1.0}])) == [4, 5], "the same order every time"
    assert list(fused([{1: 0.1, 2: 0.1}, {3: 1.0}])) == [3, 1, 2], "the best of a bad lot is no match"
    assert fused([]) == {}


@settings(deadline=None)
@given(st.lists(st.permutations(range(8)), min_size=1, max_size=4), st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_scores_are_from_0_to_1_and_never_rise(rankings, evidence):
    known = dict(enumerate(evidence))
    sums = fused({item: known[item] for item in ranking} for ranking in rankings)
    scores = scored(sums, known)
    assert list(scores) == list(sums)
    values = list(scores.values())
    assert values == sorted(values, reverse=True)
    assert all(0 <= value <= 1 for value in values)


def test_an_item_without_evidence_scores_nothing():
    assert scored([1, 2], {1: 0.8}) == {1: 0.8, 2: 0.0}
