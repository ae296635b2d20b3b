"""Forms that no program sends: each is taken or refused with the contract's error body, and nothing is left of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.test_files_api import names, refused
from tests.support.engine import RunningEngine

TYPE = "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
PURPOSE = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
END = b"--b--\r\n"


async def post(api: httpx2.AsyncClient, body: bytes, kind: str = TYPE, path: str = "/files") -> httpx2.Response:
    return await api.post(path, content=body, headers={"Content-Type": kind})


@pytest.mark.parametrize(
    "body",
    [
        FILE + PURPOSE + END,
        PURPOSE + FILE + END,
        b"\r\n" + PURPOSE + FILE + END + b"epilogue",
        PURPOSE + FILE + b"--b--",
    ],
)
async def test_a_form_is_taken_in_any_order(api: httpx2.AsyncClient, body: bytes) -> None:
    assert (await post(api, body)).json()["bytes"] == 1


async def test_a_form_is_taken_byte_by_byte(api: httpx2.AsyncClient) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        for byte in FILE.replace(b"\r\nx\r\n", b"\r\n\r\n--\r\n--x\r\n") + PURPOSE + END:
            yield bytes([byte])

    response = await api.post("/files", content=dripping(), headers={"Content-Type": TYPE})
    file = response.json()
    assert (await api.get(f"/files/{file['id']}/content")).content == b"\r\n--\r\n--x"


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b"", None, "invalid_form"),
        (b"hello", None, "invalid_form"),
        (b'{"file": "x", "purpose": "batch"}', None, "invalid_form"),
        (FILE + PURPOSE, None, "invalid_form"),
        (FILE[:-2], None, "invalid_form"),
        (END, "file", "missing_required_parameter"),
        (PURPOSE + END, "file", "missing_required_parameter"),
        (FILE + FILE + PURPOSE + END, "file", "duplicate_parameter"),
        (FILE + PURPOSE + PURPOSE + END, "purpose", "duplicate_parameter"),
        (FILE.replace(b'; filename="a"', b"") + PURPOSE + END, "file", "invalid_type"),
        (FILE.replace(b'name="file"', b'name="data"') + PURPOSE + END, "data", "unknown_parameter"),
        (FILE.replace(b'name="file"', b'name="\xff"') + PURPOSE + END, "ÿ", "unknown_parameter"),
        (FILE.replace(b'; name="file"', b"") + PURPOSE + END, "", "unknown_parameter"),
        (b"--b\r\n\r\nx\r\n" + PURPOSE + END, "", "unknown_parameter"),
        (b"--b\r\n" + b"a: b\r\n" * 100 + FILE[5:] + PURPOSE + END, None, "invalid_form"),
        (b"--b\r\na: " + b"b" * 100_000 + b"\r\n" + FILE[5:] + PURPOSE + END, None, "invalid_form"),
        (b"--b\r\n" + b"a" * 100_000 + b": b\r\n" + FILE[5:] + PURPOSE + END, None, "invalid_form"),
    ],
)
async def test_a_broken_form_is_refused(
    api: httpx2.AsyncClient, engine: RunningEngine, body: bytes, param: str | None, code: str
) -> None:
    error = refused(await post(api, body), 400)
    assert (error["param"], error["code"]) == (param, code)
    assert names(engine) == []


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/json",
        "text/plain; boundary=b",
        "multipart/mixed; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=",
    ],
)
async def test_another_content_type_is_refused(api: httpx2.AsyncClient, kind: str) -> None:
    for path in ("/files", "/uploads/upload_x/parts"):
        error = refused(await post(api, FILE + PURPOSE + END, kind, path), 400)
        assert error["code"] == "invalid_content_type"


async def test_a_boundary_has_an_end(api: httpx2.AsyncClient) -> None:
    error = refused(await post(api, b"x", f"multipart/form-data; boundary={'b' * 5000}"), 400)
    assert error["code"] == "invalid_form"


SCRAP = st.sampled_from(
    [FILE, PURPOSE, END, b"--b", b"\r\n", b"--", b'name="file"', b": ", b"\xff", b"\0", b"Content-Disposition"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scraps=st.lists(SCRAP | st.binary(max_size=20), max_size=12))
async def test_whatever_comes_as_a_form_the_answer_is_the_contracts(
    api: httpx2.AsyncClient, engine: RunningEngine, scraps: list[bytes]
) -> None:
    response = await post(api, b"".join(scraps))
    if response.status_code == 200:
        assert names(engine) == [response.json()["id"]]
        assert (await api.delete(f"/files/{response.json()['id']}")).status_code == 200
    else:
        refused(response, 400)
    assert names(engine) == []
