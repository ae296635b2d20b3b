"""Tools that a provider brings itself, at OpenAI's Responses API: how they are asked for, and what they have done.

They work with files and vector stores that the provider keeps: the ids are the provider's. Source: the description of
`file_search` and `code_interpreter` in the Responses API's reference.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground_tui.engine.providers.base import Cited, HostedCode, HostedSearch, ProviderEvent
from playground_tui.engine.providers.shapes import mapping, mappings, number, whole

Json = Mapping[str, Any]

INCLUDE = ("file_search_call.results", "code_interpreter_call.outputs")
"""What is only told when it is asked for."""


def hosted_tools(tools: Sequence[Json], store_ids: Sequence[str], file_ids: Sequence[str]) -> list[dict[str, Any]]:
    """An assistant's tools but its functions, as the Responses API has them. A search needs a vector store."""
    found: dict[str, dict[str, Any]] = {}
    for tool in tools:
        if tool["type"] == "file_search" and store_ids:
            given = {name: value for name, value in (tool.get("file_search") or {}).items() if value is not None}
            found["file_search"] = {"type": "file_search", "vector_store_ids": list(store_ids), **given}
        elif tool["type"] == "code_interpreter":
            container = {"type": "auto"} | ({"file_ids": list(file_ids)} if file_ids else {})
            found["code_interpreter"] = {"type": "code_interpreter", "container": container}
    return list(found.values())


def done(item: Json) -> Iterator[ProviderEvent]:
    """What an output item that is whole says of such a tool."""
    if item.get("type") == "file_search_call":
        queries = [query for query in item.get("queries") or () if isinstance(query, str)]
        yield HostedSearch(str(item.get("id") or ""), queries, [_found(one) for one in mappings(item.get("results"))])
    elif item.get("type") == "code_interpreter_call":
        outputs = [output for one in mappings(item.get("outputs")) if (output := _output(one)) is not None]
        yield HostedCode(str(item.get("id") or ""), str(item.get("code") or ""), outputs)


def cited(annotation: Json) -> Iterator[Cited]:
    """The file that an annotation names; other annotations say nothing that a message can hold."""
    kind, file_id = annotation.get("type"), str(annotation.get("file_id") or "")
    if kind == "file_citation" and file_id:
        place = whole(annotation.get("index"))
        yield Cited(file_id, str(annotation.get("filename") or ""), place, place)
    elif kind == "container_file_citation" and file_id:
        start, end = whole(annotation.get("start_index")), whole(annotation.get("end_index"))
        container = str(annotation.get("container_id") or "")
        yield Cited(file_id, str(annotation.get("filename") or file_id), start, end, container)


def _found(result: Json) -> dict[str, Any]:
    return {
        "file_id": str(result.get("file_id") or ""),
        "file_name": str(result.get("filename") or ""),
        "score": min(1.0, max(0.0, number(result.get("score")))),
        "content": [{"type": "text", "text": str(result.get("text") or "")}],
    }


def _output(output: Json) -> str | bytes | None:
    """Logs as text, a picture as its bytes; a picture that is somewhere else is named."""
    if output.get("type") == "logs":
        return str(output.get("logs") or "")
    url = str(mapping(output).get("url") or "")
    head, _, content = url.partition(";base64,")
    if not head.startswith("data:image/"):
        return f"(A picture: {url})" if url else None
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return None
