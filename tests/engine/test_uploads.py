"""/v1/uploads: files in parts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest

from playground_tui.engine.store import uploads
from tests.support.scripted import Clock, ScriptedEngine, scripted_engine

TEXT = bytes(range(256)) * 10_000
NEW: dict[str, Any] = {"bytes": 6, "filename": "a.txt", "mime_type": "text/plain", "purpose": "assistants"}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path, clock=Clock(1_700_000_000.5)) as running:
        yield running


def names(engine: ScriptedEngine) -> list[str]:
    return sorted(entry.name for entry in engine.engine.files.path("x").parent.iterdir())


async def begun(engine: ScriptedEngine, *parts: bytes, **fields: Any) -> tuple[str, list[str]]:
    """An upload of six bytes with these parts: their ids."""
    upload = await engine.post("/uploads", **{**NEW, **fields})
    made = [await engine.sdk.uploads.parts.create(upload["id"], data=part) for part in parts]
    return upload["id"], [part.id for part in made]


async def test_the_sdk_uploads_a_file_in_parts(engine: ScriptedEngine, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(TEXT)
    md5 = hashlib.md5(TEXT).hexdigest()
    done = await engine.sdk.uploads.upload_file_chunked(
        file=path, mime_type="application/octet-stream", purpose="user_data", part_size=1_000_001, md5=md5
    )
    assert (done.status, done.object, done.bytes, done.filename) == ("completed", "upload", len(TEXT), "big.bin")
    assert done.file is not None
    assert (done.file.bytes, done.file.filename, done.file.purpose) == (len(TEXT), "big.bin", "user_data")
    assert (await engine.sdk.files.content(done.file.id)).content == TEXT
    assert names(engine) == [done.file.id]


async def test_an_upload_and_its_parts_have_the_keys_of_the_contract(engine: ScriptedEngine) -> None:
    upload = await engine.post("/uploads", **NEW, expires_after={"anchor": "created_at", "seconds": 3600})
    now = int(engine.clock())
    assert upload.pop("id").startswith("upload_")
    assert upload == {
        "object": "upload",
        "bytes": 6,
        "created_at": now,
        "filename": "a.txt",
        "purpose": "assistants",
        "status": "pending",
        "expires_at": now + 3600,
        "file": None,
    }
    upload_id, [part_id] = await begun(engine, b"abc")
    response = await engine.http.post(f"/uploads/{upload_id}/parts", files={"data": b"def"})
    part = response.json()
    assert part.pop("id") != part_id
    assert part == {"object": "upload.part", "created_at": now, "upload_id": upload_id}


async def test_parts_are_joined_in_the_order_asked_for(engine: ScriptedEngine) -> None:
    policy = {"anchor": "created_at", "seconds": 7200}
    upload_id, [last, unused, first] = await begun(engine, b"def", b"???", b"abc", expires_after=policy)
    engine.clock.time += 60
    done = await engine.post(f"/uploads/{upload_id}/complete", part_ids=[first, last])
    assert done["file"]["expires_at"] == int(engine.clock()) + 7200
    assert (await engine.http.get(f"/files/{done['file']['id']}/content")).content == b"abcdef"
    assert names(engine) == [done["file"]["id"]]
    assert unused not in str(done)


async def test_an_empty_file_has_no_parts(engine: ScriptedEngine) -> None:
    upload_id, _ = await begun(engine, bytes=0)
    done = await engine.post(f"/uploads/{upload_id}/complete", part_ids=[])
    assert done["file"]["bytes"] == 0


async def test_what_does_not_fit_is_said_and_can_be_mended(engine: ScriptedEngine) -> None:
    upload_id, [one, two] = await begun(engine, b"abc", b"def")
    _, [foreign] = await begun(engine, b"def")
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"part_ids": [one]}, "part_ids", "The parts have 3 bytes, the upload was to have 6."),
        ({"part_ids": [one, one]}, "part_ids.1", f"Part '{one}' is given twice."),
        ({"part_ids": [one, foreign]}, "part_ids.1", f"Part '{foreign}' is not of this upload."),
        ({"part_ids": [one, two], "md5": "0" * 32}, "md5", "not the one given."),
        ({"part_ids": [one, two], "md5": "x"}, "md5", "Invalid 'md5'"),
        ({}, "part_ids", "Missing required parameter: 'part_ids'."),
        ({"part_ids": "x"}, "part_ids", "Invalid 'part_ids'"),
    ]
    for body, param, sentence in wrong:
        refusal = await engine.post(f"/uploads/{upload_id}/complete", status=400, **body)
        assert refusal["error"]["param"] == param
        assert sentence in refusal["error"]["message"]
    assert names(engine) == sorted([one, two, foreign])
    md5 = hashlib.md5(b"abcdef").hexdigest().upper()
    assert (await engine.post(f"/uploads/{upload_id}/complete", part_ids=[one, two], md5=md5))["status"] == "completed"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bytes", -1),
        ("bytes", 8 * 1024**3 + 1),
        ("bytes", "6"),
        ("filename", ""),
        ("filename", "x" * 256),
        ("mime_type", ""),
        ("purpose", "x"),
        ("expires_after", {"anchor": "created_at", "seconds": 1}),
        ("other", 1),
    ],
)
async def test_a_wrong_field_is_named(engine: ScriptedEngine, field: str, value: Any) -> None:
    refusal = await engine.post("/uploads", status=400, **{**NEW, field: value})
    assert refusal["error"]["param"].startswith(field)


async def test_an_upload_that_ended_takes_nothing_more(engine: ScriptedEngine) -> None:
    cancelled, _ = await begun(engine, b"abc")
    assert (await engine.sdk.uploads.cancel(cancelled)).status == "cancelled"
    assert names(engine) == []
    completed, parts = await begun(engine, b"abcdef")
    await engine.post(f"/uploads/{completed}/complete", part_ids=parts)
    expired, _ = await begun(engine, b"abc")
    engine.clock.time += 3600
    for upload_id, status in ((cancelled, "cancelled"), (completed, "completed"), (expired, "expired")):
        for call in (
            engine.sdk.uploads.parts.create(upload_id, data=b"x"),
            engine.sdk.uploads.complete(upload_id, part_ids=parts),
            engine.sdk.uploads.cancel(upload_id),
        ):
            with pytest.raises(openai.BadRequestError, match=f"Upload {upload_id} is {status}"):
                await call


async def test_an_unknown_upload_is_said(engine: ScriptedEngine) -> None:
    parts = engine.sdk.uploads
    for call in (parts.parts.create("u", data=b"x"), parts.complete("u", part_ids=[]), parts.cancel("u")):
        with pytest.raises(openai.NotFoundError, match="No upload found with id 'u'"):
            await call


async def test_parts_of_an_upload_that_is_late_are_removed(engine: ScriptedEngine) -> None:
    upload_id, _ = await begun(engine, b"abc")
    engine.clock.time += 3599
    await engine.engine.files.expire()
    assert len(names(engine)) == 1
    engine.clock.time += 1
    await engine.engine.files.expire()
    assert names(engine) == []
    with pytest.raises(openai.BadRequestError, match="is expired"):
        await engine.sdk.uploads.cancel(upload_id)


async def test_a_part_needs_its_data_and_a_size(engine: ScriptedEngine) -> None:
    upload_id, _ = await begun(engine)
    path = f"/uploads/{upload_id}/parts"
    empty = await engine.http.post(path, content=b"--b--", headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (empty.status_code, empty.json()["error"]["param"]) == (400, "data")
    large = await engine.http.post(path, files={"data": bytes(64 * 1024**2 + 1)})
    assert (large.status_code, large.json()["error"]["code"]) == (413, "file_too_large")
    assert names(engine) == []


async def test_all_parts_together_have_a_limit(engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOAD", 5)
    upload_id, parts = await begun(engine, b"abc")
    with pytest.raises(openai.BadRequestError, match="at most 5 bytes together"):
        await engine.sdk.uploads.parts.create(upload_id, data=b"def")
    assert names(engine) == parts


async def test_of_two_who_complete_at_once_one_does(engine: ScriptedEngine) -> None:
    upload_id, parts = await begun(engine, b"abcdef")
    path, body = f"/uploads/{upload_id}/complete", {"part_ids": parts}
    answers = await asyncio.gather(*(engine.http.post(path, json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert len(names(engine)) == 1
    assert len((await engine.get("/files"))["data"]) == 1


async def test_a_request_sent_twice_under_its_key_acts_once(engine: ScriptedEngine) -> None:
    async def send(path: str, key: str, **rest: Any) -> dict[str, Any]:
        response = await engine.http.post(path, headers={"Idempotency-Key": key}, **rest)
        assert response.status_code == 200, response.text
        reply: dict[str, Any] = response.json()
        return reply

    upload = await send("/uploads", "a", json=NEW)
    assert await send("/uploads", "a", json=NEW) == upload
    place = f"/uploads/{upload['id']}"
    part = await send(f"{place}/parts", "b", files={"data": b"abcdef"})
    assert await send(f"{place}/parts", "b", files={"data": b"abcdef"}) == part
    assert names(engine) == [part["id"]]
    done = await send(f"{place}/complete", "c", json={"part_ids": [part["id"]]})
    assert await send(f"{place}/complete", "c", json={"part_ids": [part["id"]]}) == done
    assert names(engine) == [done["file"]["id"]]


async def test_a_part_that_somebody_removed_is_said(engine: ScriptedEngine) -> None:
    upload_id, parts = await begun(engine, b"abcdef")
    engine.engine.files.path(parts[0]).unlink()
    refusal = await engine.post(f"/uploads/{upload_id}/complete", status=507, part_ids=parts)
    assert refusal["error"]["message"] == "The engine cannot keep the file: No such file or directory."
