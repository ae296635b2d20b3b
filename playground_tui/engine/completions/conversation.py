"""The messages of a chat completion as the turns of a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground_tui.engine.completion_schemas import (
    AssistantMessage,
    ChatMessage,
    ImagePiece,
    RefusalPiece,
    SystemMessage,
    TextPiece,
    ToolMessage,
    UserMessage,
)
from playground_tui.engine.errors import ApiError
from playground_tui.engine.providers.base import AssistantTurn, FunctionCall, ImagePart, ToolOutput, Turn, UserTurn


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said so far. `instructions` are the texts of all system and developer messages."""

    instructions: str
    turns: tuple[Turn, ...]

    def before(self, place: int) -> Conversation:
        """The conversation without turn `place` and what follows it."""
        return Conversation(self.instructions, self.turns[:place])

    def last_calls(self) -> int | None:
        """The place of the last turn that called functions."""
        places = (place for place, turn in enumerate(self.turns) if isinstance(turn, AssistantTurn) and turn.calls)
        return max(places, default=None)


def conversation(messages: Sequence[ChatMessage]) -> Conversation:
    """Raises ApiError where outputs do not follow the calls they belong to."""
    system = [_text(message.content) for message in messages if isinstance(message, SystemMessage)]
    turns: list[Turn] = []
    open_calls: list[str] = []
    for place, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            _answered(open_calls, message.tool_call_id, place)
        elif open_calls:
            raise _unanswered(open_calls, place)
        turns.extend(_turns(message))
        if isinstance(message, AssistantMessage):
            open_calls = [call.id for call in message.tool_calls or ()]
    if open_calls:
        raise _unanswered(open_calls, len(messages))
    return Conversation("\n\n".join(filter(None, system)), tuple(turns))


def _answered(open_calls: list[str], call_id: str, place: int) -> None:
    if call_id not in open_calls:
        raise ApiError(
            f"Invalid 'messages.{place}': a message of role 'tool' must follow the 'tool_calls' it answers, and none of"
            f" them waits for an output of '{call_id}'.",
            param=f"messages.{place}.tool_call_id",
        )
    open_calls.remove(call_id)


def _unanswered(open_calls: Sequence[str], place: int) -> ApiError:
    return ApiError(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
        f" These had no output: {', '.join(open_calls)}.",
        param=f"messages.{place}" if place else "messages",
    )


def _turns(message: ChatMessage) -> Iterator[Turn]:
    match message:
        case UserMessage(content=str(text)):
            yield UserTurn((text,))
        case UserMessage(content=list(pieces)):
            yield UserTurn(tuple(map(_part, pieces)))
        case ToolMessage(tool_call_id=call_id, content=content):
            yield ToolOutput(call_id, _text(content))
        case AssistantMessage():
            turn = _said(message)
            if turn != AssistantTurn():
                yield turn


def _said(message: AssistantMessage) -> AssistantTurn:
    made = (FunctionCall(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ())
    return AssistantTurn(_text(message.content or "") or message.refusal or "", tuple(made))


def _text(content: str | Sequence[TextPiece | RefusalPiece]) -> str:
    if isinstance(content, str):
        return content
    return "\n\n".join(piece.text if isinstance(piece, TextPiece) else piece.refusal for piece in content)


def _part(piece: TextPiece | ImagePiece) -> str | ImagePart:
    if isinstance(piece, TextPiece):
        return piece.text
    return ImagePart(piece.image_url.url, piece.image_url.detail or "auto")
