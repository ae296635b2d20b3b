from __future__ import annotations

import asyncio

import pytest

from playground_tui.assistants import tries
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import NotSendable
from playground_tui.assistants.errors import NotReachable, Rejected
from playground_tui.assistants.save_state import SaveState
from tests.support.wait import until

from .editing import Editing, Server, new, opened, turns


async def test_opening_says_nothing_and_sends_nothing() -> None:
    one = opened()
    assert one.editor.state == SaveState("saved")
    await one.clock.pass_time(100)
    assert one.server.requests == []
    assert (await one.editor.flush()).kind == "saved"
    assert one.server.requests == []


async def test_typing_is_saved_by_itself_with_the_changed_field_alone() -> None:
    one = opened(instructions="old", temperature=0.3, metadata={"a": "b"})
    one.type(instructions="new")
    one.type(instructions="newer")
    assert one.editor.state.sentence(one.clock.now) == "Unsaved changes"
    await one.clock.pass_time(3)
    assert one.server.updates == [{"instructions": "newer"}]
    assert one.said[-2:] == ["Saving", one.editor.state.sentence(one.clock.now)]
    assert one.editor.state.sentence(one.clock.now).startswith("Saved ")
    assert not one.editor.unsaved


async def test_typing_back_what_was_there_saves_nothing() -> None:
    one = opened()
    one.type(name="Help")
    one.type(name="Helper")
    assert one.kind == "saved"
    await one.clock.pass_time(100)
    assert one.server.requests == []


async def test_the_assistant_is_read_before_a_save_unless_changes_are_followed() -> None:
    one = opened()
    one.type(name="A")
    await one.clock.pass_time(3)
    assert [kind for kind, _ in one.server.requests] == ["retrieve", "update"]
    one.editor.following = True
    one.type(name="B")
    await one.clock.pass_time(3)
    assert [kind for kind, _ in one.server.requests[2:]] == ["update"]


async def test_an_invalid_draft_is_not_sent_and_says_why() -> None:
    one = opened()
    one.type(name="")
    assert one.editor.state.sentence(one.clock.now) == "Not saved: name is empty"
    await one.clock.pass_time(100)
    assert (await one.editor.flush()).kind == "invalid"
    assert one.server.requests == []
    one.type(name="Better")
    await one.clock.pass_time(3)
    assert one.server.updates == [{"name": "Better"}]


async def test_a_failed_save_counts_down_and_succeeds_later() -> None:
    one = opened()
    one.editor.following = True
    one.server.fail = [NotReachable("the engine does not answer.")]
    one.type(name="A")
    await one.clock.pass_time(3)
    assert one.editor.state.sentence(one.clock.now) == "Save failed: the engine does not answer; retrying in 1 s"
    one.type(name="AB")
    assert one.kind == "failed"
    await one.clock.pass_time(1)
    assert one.kind == "saved"
    assert one.server.updates[-1] == {"name": "AB"}


async def test_the_countdown_can_be_stopped_and_a_flush_tries_again() -> None:
    one = opened()
    one.server.fail = [NotReachable("no answer")]
    one.type(name="A")
    await one.clock.pass_time(3)
    one.editor.stop_retrying()
    assert one.editor.state.sentence(one.clock.now) == "Save failed: no answer (f5 tries again)"
    await one.clock.pass_time(100)
    assert one.kind == "failed"
    one.editor.stop_retrying()
    assert (await one.editor.flush()).kind == "saved"


@pytest.mark.parametrize("theirs", [False, True])
async def test_a_retry_with_nothing_left_to_send_is_given_up(theirs: bool) -> None:
    one = opened()
    one.server.fail = [NotReachable("the answer was lost.")]
    one.type(name="A")
    await one.clock.pass_time(3)
    assert one.kind == "failed"
    if theirs:  # it had arrived
        one.server.raw["name"] = "A"
        await one.editor.changed_elsewhere()
    else:
        one.type(name="Helper")
    assert (one.kind, one.clock.waiting) == ("saved", [])
    assert (await one.editor.flush()).kind == "saved"


async def test_a_refused_save_is_not_repeated_by_reading() -> None:
    one = opened()
    one.editor.following = True
    one.server.fail = [Rejected("temperature is not allowed", status=400)]
    one.type(name="A")
    await one.clock.pass_time(3)
    assert one.kind == "failed"
    await one.editor.changed_elsewhere()
    await one.clock.pass_time(100)
    assert one.kind == "failed"
    assert len(one.server.updates) == 1


async def test_what_is_typed_during_a_save_stays_and_is_saved_after_it() -> None:
    one = opened()
    one.server.gate = asyncio.Event()
    one.type(name="A")
    await one.clock.pass_time(3)
    assert one.kind == "saving"
    one.type(name="AB")
    one.server.gate.set()
    await turns()
    assert one.kind == "unsaved"
    assert one.editor.draft.value("name") == "AB"
    await one.clock.pass_time(3)
    assert one.server.updates == [{"name": "A"}, {"name": "AB"}]
    assert dict(one.editor.elsewhere) == {}


async def test_going_back_during_a_save_is_not_lost() -> None:
    one = opened()
    one.server.gate = asyncio.Event()
    one.type(name="A")
    await one.clock.pass_time(3)
    one.type(name="Helper")
    one.server.gate.set()
    await turns()
    await one.clock.pass_time(3)
    assert one.server.raw["name"] == "Helper"
    assert one.kind == "saved"


async def test_a_draft_made_on_an_older_base_keeps_what_was_typed() -> None:
    one = opened()
    old = one.editor.draft.with_(name="A")
    one.editor.edit(old)
    await one.clock.pass_time(3)
    one.editor.edit(old.with_(name="Helper"))
    assert one.editor.draft.value("name") == "Helper"
    await one.clock.pass_time(3)
    assert one.server.raw["name"] == "Helper"


async def test_a_field_changed_elsewhere_comes_into_the_form_and_is_marked() -> None:
    one = opened(description="d")
    one.server.raw["description"] = "theirs"
    one.type(name="Mine")
    await one.clock.pass_time(3)
    assert one.server.updates == [{"name": "Mine"}]
    assert one.editor.draft.value("description") == "theirs"
    mark = one.editor.elsewhere["description"]
    assert (mark.value, mark.taken, mark.at) == ("d", True, one.clock.now)
    one.editor.take_other("description")
    assert one.editor.draft.value("description") == "d"
    await one.clock.pass_time(3)
    assert one.server.raw["description"] == "d"
    one.editor.take_other("description")
    assert one.editor.draft.value("description") == "theirs"


async def test_a_field_changed_on_both_sides_is_saved_as_mine_and_theirs_is_kept() -> None:
    one = opened(instructions="old")
    one.server.raw["instructions"] = "theirs"
    one.type(instructions="mine")
    await one.clock.pass_time(3)
    assert one.server.raw["instructions"] == "mine"
    mark = one.editor.elsewhere["instructions"]
    assert (mark.value, mark.taken) == ("theirs", False)
    one.editor.take_other("instructions")
    await one.clock.pass_time(3)
    assert one.server.raw["instructions"] == "theirs"
    assert one.editor.elsewhere["instructions"].value == "mine"
    one.editor.take_other("name")
    assert one.kind == "saved"


async def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    one = opened()
    one.server.raw["name"] = "Same"
    one.type(name="Same")
    await one.clock.pass_time(3)
    assert one.server.updates == []
    assert one.kind == "saved"
    assert dict(one.editor.elsewhere) == {}


async def test_a_reported_change_is_read_at_once() -> None:
    one = opened()
    one.server.raw["model"] = "other"
    await one.editor.changed_elsewhere()
    assert one.editor.draft.value("model") == "other"
    assert one.editor.elsewhere["model"].taken
    one.server.fail = [NotReachable("no answer")]
    await one.editor.changed_elsewhere()
    assert one.kind == "saved"


async def test_our_own_save_reported_back_is_no_change_elsewhere() -> None:
    one = opened()
    one.editor.following = True
    one.server.gate = asyncio.Event()
    one.type(name="A")
    await one.clock.pass_time(3)
    one.type(name="AB")
    reading = asyncio.ensure_future(one.editor.changed_elsewhere())
    await turns()
    one.server.gate.set()
    await reading
    assert dict(one.editor.elsewhere) == {}
    assert one.editor.draft.value("name") == "AB"


async def test_a_server_that_answers_otherwise_is_said_and_not_asked_again() -> None:
    one = opened(description="")
    one.server.answer = lambda raw: {**raw, "description": raw["description"].strip(), "temperature": 1}
    one.type(description="ends in a space ", temperature=0.5)
    await one.clock.pass_time(3)
    assert one.editor.state.detail == "the server changed: description, temperature"
    assert "(the server changed: description, temperature)" in one.editor.state.sentence(one.clock.now)
    assert one.editor.draft.value("description") == "ends in a space "
    await one.clock.pass_time(100)
    assert len(one.server.updates) == 1


async def test_a_temperature_taken_back_stays_at_the_default() -> None:
    one = opened(temperature=0.5)
    one.server.answer = lambda raw: {**raw, "temperature": 1}
    one.type(temperature=None)
    await one.clock.pass_time(3)
    assert one.server.updates == [{"temperature": None}]
    one.server.raw["temperature"] = 1
    await one.editor.changed_elsewhere()
    assert one.editor.draft.value("temperature") is None
    assert one.kind == "saved"


async def test_deleted_elsewhere_keeps_the_draft_and_offers_to_create_it() -> None:
    one = opened(instructions="keep me", tools=[{"type": "web_search"}])
    del one.server.assistants["asst_1"]
    one.type(name="Mine")
    await one.clock.pass_time(3)
    assert one.editor.state.sentence(one.clock.now) == "Deleted elsewhere: f5 creates it again"
    assert one.editor.draft.is_new
    one.type(description="more")
    assert one.kind == "deleted"
    await one.clock.pass_time(100)
    await one.editor.create(key="k")
    kind, sent = one.server.requests[-1]
    assert kind == "create"
    assert sent == {
        "name": "Mine",
        "description": "more",
        "instructions": "keep me",
        "model": "m",
        "tools": [{"type": "web_search"}],
    }
    assert one.kind == "saved"


async def test_a_deletion_is_noticed_when_reported() -> None:
    one = opened()
    del one.server.assistants["asst_1"]
    await one.editor.changed_elsewhere()
    assert one.kind == "deleted"
    await one.editor.changed_elsewhere()
    assert len(one.server.requests) == 1


async def test_a_new_assistant_waits_for_create_and_is_then_saved_by_itself() -> None:
    one = new()
    assert one.editor.state.sentence(one.clock.now) == "Not created yet: f5 creates it"
    one.type(name="A")
    assert one.editor.state.sentence(one.clock.now) == "Not created yet: f5 creates it"
    await one.clock.pass_time(100)
    assert (await one.editor.flush()).kind == "new"
    assert one.server.requests == []
    created = await one.editor.create(key="k")
    assert one.editor.draft.assistant_id == created.id == "asst_1"
    assert one.server.requests == [("create", {"name": "A", "model": "m"})]
    assert "Creating" in one.said
    assert dict(one.editor.elsewhere) == {}
    one.type(description="d")
    await one.clock.pass_time(3)
    assert one.server.updates == [{"description": "d"}]


async def test_create_twice_makes_one() -> None:
    one = new()
    one.type(name="A")
    first, second = await asyncio.gather(one.editor.create(key="k"), one.editor.create(key="k"))
    assert first.id == second.id
    assert len(one.server.requests) == 1


async def test_what_is_typed_during_create_is_saved_after_it() -> None:
    one = new()
    one.type(name="A", description="d")
    one.server.gate = asyncio.Event()
    creating = asyncio.ensure_future(one.editor.create(key="k"))
    await turns()
    one.type(name="AB", description="")
    one.server.gate.set()
    await creating
    assert one.kind == "unsaved"
    await one.clock.pass_time(3)
    assert one.server.updates == [{"name": "AB", "description": ""}]


async def test_a_draft_with_problems_cannot_be_created() -> None:
    one = new()
    with pytest.raises(NotSendable, match="name is empty"):
        await one.editor.create(key="k")


async def test_a_failed_create_says_so_and_keeps_the_draft() -> None:
    one = new()
    one.type(name="A")
    one.server.fail = [Rejected("no such model", status=400)]
    with pytest.raises(Rejected):
        await one.editor.create(key="k")
    assert one.editor.state.sentence(one.clock.now) == "Save failed: no such model (f5 tries again)"
    assert one.editor.draft.value("name") == "A"
    await one.editor.create(key="k")
    assert one.kind == "saved"


async def test_a_create_that_may_pass_is_tried_again_with_a_countdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "FIRST_DELAY", 0.001)
    one = new()
    one.type(name="A")
    one.server.fail = [NotReachable("no answer"), NotReachable("no answer")]
    await one.editor.create(key="k")
    assert [sentence for sentence in one.said if "no answer; retrying in" in sentence]
    assert one.kind == "saved"
    assert len(one.server.assistants) == 1


async def test_a_create_that_is_tried_again_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "FIRST_DELAY", 1000.0)
    one = new()
    one.type(name="A")
    one.server.fail = [NotReachable("no answer")]
    creating = asyncio.ensure_future(one.editor.create(key="k"))
    await until(lambda: one.editor.state.retry_in)
    one.type(name="AB")
    assert "retrying" in one.editor.state.sentence(one.clock.now)
    one.editor.stop_retrying()
    with pytest.raises(NotReachable):
        await creating
    assert one.editor.state.sentence(one.clock.now) == "Save failed: no answer (f5 tries again)"


async def test_a_restored_draft_is_unsaved_and_saved_by_itself() -> None:
    server = Server(name="Helper", model="m")
    one = Editing(server, AssistantDraft(dict(server.raw)).with_(name="Restored"))
    assert one.kind == "unsaved"
    await one.clock.pass_time(3)
    assert server.raw["name"] == "Restored"


async def test_close_leaves_nothing_running() -> None:
    one = opened()
    one.type(name="A")
    await one.editor.close()
    await one.clock.pass_time(100)
    assert one.server.requests == []


def test_saved_long_ago_is_said_with_its_date() -> None:
    state = SaveState("saved", at=1_800_000_000.0)
    assert state.sentence(1_800_000_001.0).count(":") == 2
    assert state.sentence(1_800_000_000.0 + 3 * 86400).startswith("Saved 2027-01-1")
    assert SaveState("saved").sentence(0.0) == "No unsaved changes"
