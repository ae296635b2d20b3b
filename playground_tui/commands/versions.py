"""`playground-tui assistants versions|diff|restore`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, TextIO

from playground_tui.assistants.differences import differences, lines_of
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.fields import API_FIELDS
from playground_tui.assistants.naming import named
from playground_tui.assistants.objects import Assistant, Json
from playground_tui.assistants.versions import FILES, Restored, Version
from playground_tui.commands.output import (
    WrongUsage,
    add_command,
    only_one,
    print_json,
    print_table,
    print_text,
    shown_time,
)
from playground_tui.text import shorten

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

NOW: Final = "now"
_KNOWN: Final = ("number", "id", "created_at", "action", "client", "changed")


def add_parsers(actions: Any) -> list[argparse.ArgumentParser]:
    """Add the actions; their parsers."""
    versions = add_command(actions, "versions", "what one was before", "Its versions, newest first, also if deleted.")
    versions.add_argument("wanted", metavar="ID|NAME")
    diff = add_command(actions, "diff", "how two versions differ", "How version A became B (now, unless it is given).")
    diff.add_argument("wanted", metavar="ID|NAME")
    diff.add_argument("old", metavar="A", type=_version, help="the number of a version, or now")
    diff.add_argument("new", metavar="B", type=_version, nargs="?", default=NOW, help="another; without it, now")
    restore = add_command(
        actions,
        "restore",
        "bring back a deleted one, or a version",
        "Bring a deleted assistant back. With --version write that version's fields as a new change: nothing is lost.",
    )
    restore.add_argument("wanted", metavar="ID|NAME")
    restore.add_argument("--version", metavar="N", type=_number, help="restore this version; `versions` lists them")
    return [versions, diff, restore]


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _version(text: str) -> int | str:
    return NOW if text == NOW else _number(text)


async def versions(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    """List the versions of one assistant."""
    assistant, _ = await _anywhere(client, arguments.wanted)
    found = await client.versions.all(assistant.id)
    if arguments.json:
        print_json([_as_json(version) for version in found], out)
        return
    rows = [(str(version.number), shown_time(version.at), version.what, version.where) for version in found]
    print_table(("version", "time", "changed", "from"), rows, out)


def _as_json(version: Version) -> dict[str, Any]:
    values = (version.number, version.id, version.at, version.action, version.client, list(version.changed))
    return dict(zip(_KNOWN, values, strict=True))


async def diff(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, err: TextIO) -> None:
    """Show how two versions of one assistant differ."""
    assistant, _ = await _anywhere(client, arguments.wanted)
    old, old_name = await _state(client, assistant, arguments.old)
    new, new_name = await _state(client, assistant, arguments.new)
    if arguments.json:
        changed = {name: {"old": old.get(name), "new": new.get(name)} for name in (*API_FIELDS, FILES)}
        differ = {name: pair for name, pair in changed.items() if pair["old"] != pair["new"]}
        print_json({"id": assistant.id, "old": arguments.old, "new": arguments.new, "differences": differ}, out)
        return
    lines = list(_diff_lines(old, new))
    if not lines:
        print_text(f"{old_name} and {new_name} are the same.", err)
    for line in [f"--- {old_name}", f"+++ {new_name}", *lines] if lines else ():
        print_text(line, out)


def _diff_lines(old: Json, new: Json) -> Iterator[str]:
    for difference in differences(AssistantDraft(old), AssistantDraft(new), "lines"):
        yield f"@@ {difference.name} @@"
        yield from lines_of(difference)


async def _state(client: AssistantsClient, assistant: Assistant, wanted: int | str) -> tuple[Json, str]:
    """The assistant as it was in this version, and what that is called."""
    if isinstance(wanted, str):
        return assistant.raw, NOW
    version = await client.versions.whole(assistant.id, wanted)
    return version.assistant, f"version {version.number}, {shown_time(version.at)}, {version.where}"


async def restore(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, err: TextIO) -> None:
    """Bring an assistant back, or one of its versions."""
    if arguments.version is None:
        restored = await _brought_back(client, arguments.wanted)
    else:
        restored = await _version_restored(client, arguments.wanted, arguments.version)
    if restored.said:
        print_text(restored.said, err)
    if arguments.json:
        print_json(restored.assistant.raw, out)
    else:
        print_text(restored.assistant.id, out)


async def _brought_back(client: AssistantsClient, wanted: str) -> Restored:
    deleted = named([one.what for one in await client.versions.deleted()], wanted)
    if deleted:
        return await client.versions.bring_back(only_one(deleted, wanted).id)
    if named(await client.list_assistants(), wanted):
        raise WrongUsage(f"{shorten(wanted, 80)} is not deleted. Which version of it? Give --version N.")
    raise AssistantsError(f"No deleted assistant has the id or name {shorten(wanted, 80)}.")


async def _version_restored(client: AssistantsClient, wanted: str, number: int) -> Restored:
    assistant, is_deleted = await _anywhere(client, wanted)
    await client.versions.whole(assistant.id, number)
    said = ""
    if is_deleted:
        back = await client.versions.bring_back(assistant.id)
        assistant, said = back.assistant, back.said
    restored = await client.versions.restore(assistant.id, number)
    return Restored(restored.assistant, " ".join(filter(None, (said, restored.said))))


async def _anywhere(client: AssistantsClient, wanted: str) -> tuple[Assistant, bool]:
    """The assistant with this id or name, and whether it is deleted: only where there is no living one.

    Raises WrongUsage with the ids when several have the name, AssistantsError when none has it.
    """
    living = named(await client.list_assistants(), wanted)
    if living:
        return only_one(living, wanted), False
    deleted = named([one.what for one in await client.versions.deleted()], wanted)
    if not deleted:
        raise AssistantsError(f"No assistant has the id or name {shorten(wanted, 80)}.")
    return only_one(deleted, wanted), True
