"""/v1/files as programs use it: the official SDK on TCP, and plain requests on the socket."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from playground_tui.engine import contents
from playground_tui.engine.store import files
from playground_tui.engine.store.tables import vector_store_files, vector_stores
from tests.support.engine import RunningEngine
from tests.support.scripted import Clock, ScriptedEngine, scripted_engine
from tests.support.wait import until


@pytest.fixture
async def sdk(engine: RunningEngine) -> AsyncIterator[AsyncOpenAI]:
    address = await engine.tcp()
    async with AsyncOpenAI(base_url=address.base_url, api_key=address.key, max_retries=0) as client:
        yield client


@pytest.fixture
async def clocked(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path, clock=Clock(1_700_000_000.5)) as engine:
        yield engine


BINARY = "application/octet-stream"
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


def names(engine: RunningEngine) -> list[str]:
    """What is in the directory of contents."""
    return sorted(entry.name for entry in (engine.paths.data / "files").iterdir())


def refused(response: httpx2.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


async def half_sent(engine: RunningEngine) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request with a file that is on disk in part."""
    reader, writer = await asyncio.open_unix_connection(engine.socket)
    head = b"POST /v1/files HTTP/1.1\r\nHost: e\r\nContent-Length: 9000000\r\n"
    writer.write(head + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + FILE + bytes(3_000_000))
    directory = engine.paths.data / "files"
    await until(lambda: directory.is_dir() and any(entry.stat().st_size for entry in directory.iterdir()))
    return reader, writer


async def test_the_life_of_a_file(sdk: AsyncOpenAI, engine: RunningEngine) -> None:
    text = bytes(range(256)) * 20_000
    made = await sdk.files.create(file=('Über "uns".pdf', text), purpose="assistants")
    assert (made.object, made.bytes, made.filename) == ("file", len(text), 'Über "uns".pdf')
    assert (made.purpose, made.status, made.expires_at) == ("assistants", "processed", None)
    assert made.id.startswith("file-")
    assert await sdk.files.retrieve(made.id) == made
    assert (await sdk.files.content(made.id)).content == text
    kept = engine.paths.data / "files" / made.id
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    gone = await sdk.files.delete(made.id)
    assert (gone.deleted, gone.id, gone.object) == (True, made.id, "file")
    for call in (sdk.files.retrieve, sdk.files.content, sdk.files.delete):
        with pytest.raises(openai.NotFoundError, match=f"No file found with id '{made.id}'"):
            await call(made.id)
    assert names(engine) == []


async def test_the_object_has_the_keys_of_the_contract_and_no_null(api: httpx2.AsyncClient) -> None:
    response = await api.post("/files", files={"file": ("a", b"")}, data={"purpose": "user_data"})
    assert response.json().keys() == {"id", "object", "bytes", "created_at", "filename", "purpose", "status"}


async def test_contents_come_with_their_type_and_length(api: httpx2.AsyncClient) -> None:
    for name, kind in (
        ("ü a.md", "text/markdown"),
        ("a.png", "image/png"),
        ("a.zzz", BINARY),
        ("a.csv.gz", BINARY),
        ("data:,a", BINARY),
    ):
        file = (await api.post("/files", files={"file": (name, b"1234")}, data={"purpose": "vision"})).json()
        for method, body in (("GET", b"1234"), ("HEAD", b"")):
            response = await api.request(method, f"/files/{file['id']}/content")
            assert (response.headers["content-type"], response.headers["content-length"]) == (kind, "4")
            assert (response.status_code, response.content) == (200, body)
            assert response.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(name, safe='')}"


async def test_a_list_goes_on_also_when_files_are_deleted_on_the_way(sdk: AsyncOpenAI) -> None:
    made = [(await sdk.files.create(file=b"x", purpose=purpose)).id for purpose in ("vision", "batch", "vision")]
    assert [file.id async for file in sdk.files.list(limit=1)] == made[::-1]
    assert [file.id async for file in sdk.files.list(order="asc", after=made[0])] == made[1:]
    assert [file.id async for file in sdk.files.list(purpose="vision", order="asc", limit=1)] == [made[0], made[2]]
    assert [file.id async for file in sdk.files.list(purpose="nothing")] == []
    async for file in sdk.files.list(limit=1):
        await sdk.files.delete(file.id)
    assert [file.id async for file in sdk.files.list()] == []


async def test_a_page_has_up_to_10000_files(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    def fill(c: Any) -> None:
        for number in range(10_001):
            files.add(c, {"id": f"file-{number}", "created_at": 1, "purpose": "batch"})

    await engine.engine.database.write(fill)
    for query in ("", "?limit=10000", "?before=file-1"):
        page = (await api.get(f"/files{query}")).json()
        assert (len(page["data"]), page["first_id"], page["has_more"]) == (10_000, "file-10000", True)
    for query in ("limit=10001", "limit=0", "limit=x", "order=up", "after=file-x"):
        error = refused(await api.get(f"/files?{query}"), 400)
        assert error["param"] == query.partition("=")[0]


WRONG: list[tuple[dict[str, str], tuple[str, str]]] = [
    ({}, ("purpose", "missing_required_parameter")),
    ({"purpose": "assistants_output"}, ("purpose", "invalid_value")),
    ({"purpose": ""}, ("purpose", "invalid_value")),
    ({"purpose": "batch", "purpose2": "x"}, ("purpose2", "unknown_parameter")),
    ({"purpose": "batch", "expires_after": "3600"}, ("expires_after", "unknown_parameter")),
    ({"purpose": "x" * 70_000}, ("purpose", "invalid_value")),
    (
        {"purpose": "batch", "expires_after[anchor]": "created_at"},
        ("expires_after.seconds", "missing_required_parameter"),
    ),
    (
        {"purpose": "batch", "expires_after[anchor]": "now", "expires_after[seconds]": "3600"},
        ("expires_after.anchor", "invalid_value"),
    ),
    *(
        ({"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": text}, problem)
        for text, problem in [
            ("3599", ("expires_after.seconds", "invalid_value")),
            ("2592001", ("expires_after.seconds", "invalid_value")),
            ("9" * 5000, ("expires_after.seconds", "invalid_type")),
            ("1e4", ("expires_after.seconds", "invalid_type")),
            ("٣٦٠٠", ("expires_after.seconds", "invalid_type")),
        ]
    ),
]


@pytest.mark.parametrize(("fields", "problem"), WRONG)
async def test_a_wrong_field_is_named(
    api: httpx2.AsyncClient, engine: RunningEngine, fields: dict[str, str], problem: tuple[str, str]
) -> None:
    error = refused(await api.post("/files", files={"file": ("a", b"x" * 2_000_000)}, data=fields), 400)
    assert (error["param"], error["code"]) == problem
    assert names(engine) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\a b.md", "a b.md"),
        ("a\u202e\x7f.md", "a.md"),
        ("/x/", "x"),
        ("", "upload"),
    ],
)
async def test_a_name_is_kept_without_directories(api: httpx2.AsyncClient, given: str, kept: str) -> None:
    form = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{given}"\r\n\r\n\r\n--b\r\n'
    rest = 'Content-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = await api.post("/files", content=(form + rest).encode(), headers=headers)
    assert response.json()["filename"] == kept


@pytest.mark.parametrize("given", ["..", ".", " ", "ä" * 128])
async def test_what_is_no_name_is_refused(api: httpx2.AsyncClient, given: str) -> None:
    response = await api.post("/files", files={"file": (given, b"x")}, data={"purpose": "batch"})
    assert refused(response, 400)["param"] == "file"


async def test_a_file_expires_by_its_policy_or_its_purpose(clocked: ScriptedEngine) -> None:
    now, batch = int(clocked.clock()), 30 * 24 * 3600
    policy: Any = {"anchor": "created_at", "seconds": 3600}
    create = clocked.sdk.files.create
    made = [
        await create(file=b"1", purpose="batch"),
        await create(file=b"2", purpose="batch", expires_after=policy),
        await create(file=b"3", purpose="assistants", expires_after=policy),
        await create(file=b"4", purpose="assistants"),
    ]
    assert [file.expires_at for file in made] == [now + batch, now + 3600, now + 3600, None]
    clocked.clock.time += 3599
    assert len((await clocked.get("/files"))["data"]) == 4
    clocked.clock.time += 1
    for file in made[1:3]:
        await clocked.get(f"/files/{file.id}", status=404)
        assert not clocked.engine.files.path(file.id).exists()
    clocked.clock.time += batch
    assert [file["id"] for file in (await clocked.get("/files"))["data"]] == [made[3].id]


async def test_a_deleted_file_leaves_all_vector_stores(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    file = (await api.post("/files", files={"file": ("a", b"x")}, data={"purpose": "assistants"})).json()

    def attach(c: Any) -> None:
        for store in ("vs_1", "vs_2"):
            c.execute(vector_stores.insert().values(id=store, created_at=1, last_active_at=1, body={}))
            row = {"created_at": 1, "status": "completed", "usage_bytes": 1, "body": {}}
            c.execute(vector_store_files.insert().values(id=file["id"], vector_store_id=store, **row))

    await engine.engine.database.write(attach)
    assert (await api.delete(f"/files/{file['id']}")).status_code == 200
    rows = await engine.engine.database.read(lambda c: c.execute(vector_store_files.select()).all())
    assert [row for row in rows if row.status != "deleted"] == []


async def test_contents_that_somebody_removed_are_said_to_be_gone(
    api: httpx2.AsyncClient, engine: RunningEngine
) -> None:
    file = (await api.post("/files", files={"file": ("a", b"x")}, data={"purpose": "assistants"})).json()
    engine.engine.files.path(file["id"]).unlink()
    error = refused(await api.get(f"/files/{file['id']}/content"), 404)
    assert "no longer on the engine's disk" in error["message"]
    assert (await api.delete(f"/files/{file['id']}")).status_code == 200


async def test_a_file_sent_twice_under_one_key_is_kept_once(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    async def send(text: bytes, purpose: str) -> httpx2.Response:
        headers = {"Idempotency-Key": "k"}
        return await api.post("/files", files={"file": ("a", text)}, data={"purpose": purpose}, headers=headers)

    first, second = await asyncio.gather(send(b"x", "batch"), send(b"x", "batch"))
    assert first.json() == second.json()
    assert names(engine) == [first.json()["id"]]
    for text, purpose in ((b"y", "batch"), (b"x", "vision")):
        assert refused(await send(text, purpose), 400)["code"] == "idempotency_key_reused"
    assert names(engine) == [first.json()["id"]]


async def test_files_come_at_once_and_each_is_whole(sdk: AsyncOpenAI) -> None:
    texts = [bytes([number]) * (300_000 + number) for number in range(20)]
    made = await asyncio.gather(*(sdk.files.create(file=text, purpose="vision") for text in texts))
    for file, text in zip(made, texts, strict=True):
        assert (await sdk.files.content(file.id)).content == text


async def test_an_engine_that_ends_says_so_to_who_still_sends(engine: RunningEngine) -> None:
    reader, writer = await half_sent(engine)
    await engine.server.close()
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'{"error":{"message":"The engine is stopping.","type":"server_error"' in answer
    assert names(engine) == []
    writer.close()


async def test_a_client_that_hangs_up_leaves_nothing_behind(engine: RunningEngine) -> None:
    _, writer = await half_sent(engine)
    writer.close()
    await until(lambda: names(engine) == [])


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 20 MB: the disk's own refusal."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
async def test_what_the_disk_refuses_is_said_once(engine: RunningEngine, api: httpx2.AsyncClient) -> None:
    response = await api.post("/files", files={"file": ("a", bytes(30_000_000))}, data={"purpose": "batch"})
    error = refused(response, 507)
    assert (error["message"], error["type"]) == ("The engine cannot keep the file: File too large.", "server_error")
    assert response.headers["x-should-retry"] == "false"
    assert names(engine) == []


async def test_a_disk_that_is_nearly_full_takes_no_file(
    api: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "RESERVE", 2**62)
    response = await api.post("/files", files={"file": ("a", b"x")}, data={"purpose": "batch"})
    assert "bytes are free at" in refused(response, 507)["message"]


async def test_a_directory_that_is_none_is_said(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    (engine.paths.data / "files").touch()
    response = await api.post("/files", files={"file": ("a", b"x")}, data={"purpose": "batch"})
    assert "is not a directory" in refused(response, 507)["message"]
