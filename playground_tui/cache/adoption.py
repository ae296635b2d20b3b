"""How what dead instances left is joined with what this one has: nothing that was typed is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from playground_tui.assistants.fields import API_FIELD
from playground_tui.cache.state import AttachedFile, ComposerState, DraftState, WaitingMessage


def join_drafts(drafts: Sequence[DraftState]) -> DraftState:
    """One draft of several of the same assistant: for each field the newest draft that edited it.

    The base is the newest one's, but a field keeps the base its edit was made on, so that a change made elsewhere
    meanwhile is still noticed.
    """
    ordered = sorted(drafts, key=lambda draft: draft.edited_at)
    newest = ordered[-1]
    base: dict[str, Any] = dict(newest.base)
    edits: dict[str, Any] = {}
    for draft in ordered:
        edits.update(draft.edits)
        edited = {API_FIELD[field] for field in draft.edits if field in API_FIELD}
        base.update({name: draft.base[name] for name in edited if name in draft.base})
    creating = next((draft.creating for draft in reversed(ordered) if draft.creating), {})
    return replace(newest, base=base, edits=edits, creating=creating)


def join_composers(
    composers: Sequence[ComposerState], new_key: Callable[[], str] = lambda: os.urandom(16).hex()
) -> ComposerState:
    """One composer of several of the same thread: the newest text; older other texts wait as "not sent".

    Files stay with the text they were attached to, those without a text go with the newest one.
    """
    ordered = sorted(composers, key=lambda composer: composer.updated_at)
    files: dict[str, dict[str, AttachedFile]] = {}
    for composer in reversed(ordered):
        if composer.text or composer.files:
            files.setdefault(composer.text, {}).update({file.key: file for file in composer.files})
    aside = files.pop("", {})
    texts = list(files)
    waiting = {message.key: message for composer in ordered for message in composer.waiting}
    known = {message.text for message in waiting.values()}
    left = [
        WaitingMessage(new_key(), text, "not sent", tuple(files[text].values()))
        for text in reversed(texts[1:])
        if text not in known
    ]
    text = texts[0] if texts else ""
    outputs = {call: text for composer in ordered for call, text in composer.outputs.items()}
    kept = tuple({**aside, **files.get(text, {})}.values())
    return ComposerState(text, (*left, *waiting.values()), ordered[-1].updated_at, kept, outputs)


def after_restart(composer: ComposerState) -> ComposerState:
    """What waited when a program ended is not sent by itself by the next one."""
    return replace(composer, waiting=tuple(replace(message, state="not sent") for message in composer.waiting))
