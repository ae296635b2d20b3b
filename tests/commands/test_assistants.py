"""`playground-tui assistants`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.run import Shell


async def made(shell: Shell, *options: str) -> str:
    ran = await shell("assistants", "create", "--model", "rehearsal/echo", *options)
    assert ran.code == 0, ran.err
    return ran.out.strip()


async def shown(shell: Shell, wanted: str) -> dict[str, object]:
    return (await shell("assistants", "show", wanted, "--json")).data


async def test_create_prints_the_id_and_sets_what_was_given(shell: Shell, tmp_path: Path) -> None:
    instructions, schema = tmp_path / "instructions.md", tmp_path / "schema.json"
    instructions.write_text("Be brief.\n")
    schema.write_text('{"name": "answer", "schema": {"type": "object"}}')
    assistant_id = await made(
        shell,
        *("--name", "Helper", "--description", "Helps", "--instructions", f"@{instructions}"),
        *("--tool", "file_search", "--temperature", "0.5", "--top-p", "1", "--reasoning-effort", "low"),
        *("--response-format", f"@{schema}", "--metadata", "category=work", "--metadata", "a=b=c"),
    )
    assistant = await shown(shell, assistant_id)
    assert assistant["name"] == "Helper"
    assert assistant["instructions"] == "Be brief.\n"
    assert [tool["type"] for tool in assistant["tools"]] == ["file_search"]  # type: ignore[attr-defined]
    assert (assistant["temperature"], assistant["top_p"], assistant["reasoning_effort"]) == (0.5, 1, "low")
    assert assistant["response_format"]["json_schema"]["name"] == "answer"  # type: ignore[index]
    assert assistant["metadata"] == {"category": "work", "a": "b=c"}


async def test_create_without_a_model_takes_the_engines_default(shell: Shell) -> None:
    ran = await shell("assistants", "create", "--name", "Plain", "--json")
    assert (ran.code, ran.data["model"]) == (0, "rehearsal/echo")


async def test_list_shows_every_assistant_in_a_table(shell: Shell) -> None:
    assert (await shell("assistants", "list")).out.split() == ["id", "name", "model", "tools"]
    assistant_id = await made(shell, "--name", "One\nline", "--tool", "code_interpreter")
    header, row = (await shell("assistants", "list")).out.splitlines()
    assert header.startswith("id")
    assert row.split("  ") == [assistant_id, "One line", "rehearsal/echo", "code_interpreter"]
    assert [one["id"] for one in (await shell("assistants", "list", "--json")).data] == [assistant_id]


async def test_show_prints_what_is_set_and_the_instructions_last(shell: Shell) -> None:
    await made(shell, "--name", "Helper", "--instructions", "Be brief.", "--metadata", "category=work")
    text = (await shell("assistants", "show", "helper")).out
    assert "name: Helper\n" in text
    assert "metadata: category = work\n" in text
    assert text.endswith("\n\nBe brief.\n")
    assert "temperature" not in text


async def test_nothing_printed_can_control_the_terminal(shell: Shell) -> None:
    assistant_id = await made(shell, "--name", "a\x1b]0;title\x07b", "--instructions", "x\x9b2Jy\u202ez")
    for command in (("list",), ("show", assistant_id)):
        text = (await shell("assistants", *command)).out
        assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}


async def test_update_changes_what_is_given_and_nothing_else(shell: Shell) -> None:
    assistant_id = await made(shell, "--name", "Old", "--metadata", "keep=1", "--metadata", "drop=1", "--top-p", "0.5")
    ran = await shell(
        *("assistants", "update", "Old", "--name", "New", "--metadata", "drop=", "--metadata", "new=2"),
        *("--top-p", "default", "--response-format", "json_object"),
    )
    assert (ran.code, ran.out.strip()) == (0, assistant_id)
    assistant = await shown(shell, assistant_id)
    assert (assistant["name"], assistant["metadata"]) == ("New", {"keep": "1", "new": "2"})
    assert assistant["response_format"] == {"type": "json_object"}
    assert assistant["model"] == "rehearsal/echo"


async def test_tools_become_those_given_and_keep_their_definitions(shell: Shell, tmp_path: Path) -> None:
    functions = tmp_path / "functions.json"
    functions.write_text(json.dumps([{"name": "weather", "parameters": {"type": "object", "properties": {}}}]))
    assistant_id = await made(shell, "--tool", f"@{functions}")

    async def after(*tools: str) -> list[str]:
        options = [word for tool in tools for word in ("--tool", tool)]
        assert (await shell("assistants", "update", assistant_id, *options)).code == 0
        kept = (await shown(shell, assistant_id))["tools"]
        return [tool.get("function", tool).get("name", tool["type"]) for tool in kept]  # type: ignore[attr-defined]

    assert await after("file_search", "function") == ["file_search", "weather"]
    assert await after("code_interpreter") == ["code_interpreter"]
    assert await after("none") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Nothing to change"),
        (("--temperature", "hot"), "--temperature: hot is neither a number nor default."),
        (("--temperature", "3"), "temperature is 3, it goes from 0 to 2"),
        (("--top-p", "nan"), "--top-p:"),
        (("--name", "n" * 257), "at most 256"),
        (("--instructions", "@/does/not/exist"), "/does/not/exist cannot be read"),
        (("--tool", "Function!"), "is not a type"),
        (("--tool", "function"), "--tool @FILE"),
        (("--tool", "@/does/not/exist"), "cannot be read"),
        (("--response-format", "JSON!"), "is not a type"),
        (("--metadata", "pair"), "write KEY=VALUE"),
        (("--metadata", "k=" + "v" * 513), "at most 512"),
    ],
)
async def test_options_that_cannot_work_are_wrong_usage(shell: Shell, options: tuple[str, ...], said: str) -> None:
    assistant_id = await made(shell, "--name", "Same")
    ran = await shell("assistants", "update", assistant_id, *options)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert (await shown(shell, assistant_id))["name"] == "Same"


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--tool", b'{"parameters": {}}', "needs a name"),
        ("--response-format", b"[]", "not a JSON object"),
        ("--instructions", b"\xff\xfe", "is not UTF-8 text"),
    ],
)
async def test_a_file_that_cannot_be_used_is_wrong_usage(
    shell: Shell, tmp_path: Path, option: str, content: bytes, said: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    ran = await shell("assistants", "create", "--model", "rehearsal/echo", option, f"@{file}")
    assert ran.code == 2
    assert said in ran.err


async def test_a_name_that_several_have_is_refused_with_the_ids(shell: Shell) -> None:
    ids = {await made(shell, "--name", "Twin"), await made(shell, "--name", "Twin")}
    ran = await shell("assistants", "show", "Twin")
    assert ran.code == 2
    assert all(assistant_id in ran.err for assistant_id in ids)


async def test_an_exact_name_wins_over_one_in_other_case(shell: Shell) -> None:
    exact = await made(shell, "--name", "twin")
    await made(shell, "--name", "TWIN")
    assert (await shown(shell, "twin"))["id"] == exact


async def test_a_name_may_look_like_an_id(shell: Shell) -> None:
    assistant_id = await made(shell, "--name", "asst_looks-like-one")
    assert (await shown(shell, "asst_looks-like-one"))["id"] == assistant_id


async def test_an_unknown_assistant_is_said(shell: Shell) -> None:
    ran = await shell("assistants", "show", "nobody\x1b")
    assert (ran.code, ran.out) == (1, "")
    assert "No assistant has the id or name nobody␛." in ran.err


async def test_delete_prints_what_is_gone(shell: Shell) -> None:
    first, second = await made(shell, "--name", "First"), await made(shell)
    ran = await shell("assistants", "delete", "First", second)
    assert (ran.code, ran.out.split()) == (0, [first, second])
    assert "30 days" in ran.err
    assert (await shell("assistants", "list", "--json")).data == []


async def test_delete_deletes_nothing_when_one_is_unknown(shell: Shell) -> None:
    first = await made(shell, "--name", "First")
    assert (await shell("assistants", "delete", first, "nobody", "--json")).code == 1
    assert (await shell("assistants", "delete", first, "--json")).data == {"deleted": [first]}
