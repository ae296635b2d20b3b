"""Files, and uploads in parts."""

from __future__ import annotations

import asyncio
import hashlib

from tests.campaigns.user import User, check_answer, status

UNREADABLE = (b"", bytes(range(256)))
CONTENTS = (*UNREADABLE, b"The sea is blue.", b"# Tides\n\nTwice a day.\n" * 40)
HOUR = 3600


async def add_file(user: User) -> None:
    content, soon = user.random.choice(CONTENTS), user.chance(0.3)
    fields = {"purpose": user.random.choice(["assistants", "user_data", "vision"])}
    if soon:
        fields |= {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(HOUR)}
    file = (await user.send("POST", "/files", 200, form=(fields, ("file", "a.md", content)))).json()
    assert (file["bytes"], file.get("expires_at")) == (len(content), user.stage.now + HOUR if soon else None), file
    have_file(user, file["id"], content, file.get("expires_at"))
    wrong = ({"purpose": "none"}, ("file", "a.md", content)), (fields, None), ({**fields, "more": "x"}, None)
    await user.send("POST", "/files", 400, form=user.random.choice(wrong))


def have_file(user: User, file: str, content: bytes, expires_at: int | None = None) -> None:
    user.known.files.there.append(file)
    user.known.contents[file] = content
    if expires_at is not None:
        user.known.over_at[file] = expires_at


async def read_file(user: User) -> None:
    file = user.known.files.pick(user.random)
    there = status(file in user.known.contents)
    await user.send("GET", f"/files/{file}", there)
    answer = await user.send("GET", f"/files/{file}/content", there)
    assert there == 404 or answer.content == user.known.contents[file]


async def delete_file(user: User) -> None:
    """Of deletions at once one succeeds."""
    file, times = user.known.files.pick(user.random), user.random.choice([1, 1, 2])
    there = file in user.known.contents
    answers = await asyncio.gather(*(user.send("DELETE", f"/files/{file}", 200, 404) for _ in range(times)))
    assert [answer.status for answer in answers].count(200) == there, answers
    if there:
        user.known.delete_file(file)


async def upload(user: User) -> None:
    head = {"filename": "u.txt", "mime_type": "text/plain", "purpose": "assistants"}
    size = user.random.choice([0, 6])
    made = await user.post("/uploads", 200, **head, bytes=size)
    name = made["id"]
    user.known.uploads.there.append(name)
    user.known.parts[name], user.known.over_at[name] = [], made["expires_at"]
    for content in [b"abc", b"def"] if size else []:
        part = await user.send("POST", f"/uploads/{name}/parts", 200, form=({}, ("data", "p", content)))
        user.known.parts[name].append((part.json()["id"], content))


async def add_part(user: User) -> None:
    """A part that is too much: the upload takes it, and is not complete with it."""
    name = user.known.uploads.pick(user.random)
    answer = await user.send("POST", f"/uploads/{name}/parts", open_upload(user, name), form=({}, ("data", "p", b"!")))
    if answer.status == 200:
        wrong = [part for part, _ in user.known.parts[name]] + [answer.json()["id"]]
        await user.post(f"/uploads/{name}/complete", 400, part_ids=wrong)


def open_upload(user: User, name: str) -> int:
    """How a request about an upload is answered."""
    if name in user.known.parts:
        return 200
    return 400 if name in user.known.uploads.gone else 404


async def cancel_upload(user: User) -> None:
    name = user.known.uploads.pick(user.random)
    allowed = open_upload(user, name)
    await user.send("POST", f"/uploads/{name}/cancel", allowed)
    if allowed == 200:
        user.known.end_upload(name)


async def complete_upload(user: User) -> None:
    """Of completions at once one succeeds; the parts are put together in the order that is asked for."""
    name = user.known.uploads.pick(user.random)
    allowed, parts = open_upload(user, name), user.known.parts.get(name, [])[:: user.random.choice([1, -1])]
    ids, content = [part for part, _ in parts], b"".join(piece for _, piece in parts)
    path = f"/uploads/{name}/complete"
    await user.post(path, 400 if allowed == 200 else allowed, part_ids=[*ids, "part_none"])
    await user.post(path, 400 if allowed == 200 else allowed, part_ids=ids, md5="0" * 32)
    body = {"part_ids": ids, "md5": hashlib.md5(content, usedforsecurity=False).hexdigest()}
    times = user.random.choice([1, 1, 2])
    user.seen["calls"] += times
    answers = await asyncio.gather(*(user.stage.wire.call("POST", path, body=body) for _ in range(times)))
    for answer in answers:
        check_answer(answer, *((200, 400) if allowed == 200 else (allowed,)))
    made = [answer.json()["file"]["id"] for answer in answers if answer.status == 200]
    assert len(made) == (allowed == 200), answers
    for file in made:
        user.known.end_upload(name)
        have_file(user, file, content)


DEEDS = (add_file, add_file, read_file, delete_file, upload, add_part, cancel_upload, complete_upload, complete_upload)
