"""A server that misbehaves, on a real terminal with the pauses that users get."""

from __future__ import annotations

import time

from tests.campaigns.hostile_servers import served
from tests.support.assistants_server import AssistantsServer, abort, error
from tests.support.terminal import Terminal, user

ESCAPE = "\x1b"


def sent(server: AssistantsServer) -> list[str]:
    """What the server has of the user."""
    users = (one for kept in server.messages.values() for one in kept if one["role"] == "user")
    return ["".join(part["text"]["value"] for part in one["content"]) for one in users]


def test_a_countdown_is_seen_and_stopped_and_the_text_goes_out_once() -> None:
    server = AssistantsServer()
    with served(server), user() as home:
        server.now = int(time.time())
        made = server.add_assistant("Helper")
        key = {"PLAYGROUND_TUI_SERVER_KEY": "sk-of-the-server"}
        with Terminal(home, "--server", server.base_url, "--assistant", made, **key) as terminal:
            terminal.wait("Helper", "connected to")
            server.instead("POST", "/messages", error(429, "calm down", headers={"retry-after": "20"}))
            terminal.type("\x0cto be kept\r")
            terminal.wait("calm down", "again in", "(attempt 2)", "escape stops")
            terminal.type(ESCAPE)
            terminal.wait("Not sent", "to be kept")
            server.after("POST", "/messages", abort())
            terminal.type("\r")
            terminal.wait("completed", "Hello")
            assert sent(server) == ["to be kept"]
            server.instead("POST", "/messages", *[error(503, "out of order")] * 3)
            terminal.type("over a bad minute\r")
            terminal.wait("out of order", "again in 1 s", "escape stops")
            terminal.until(lambda: sent(server) == ["to be kept", "over a bad minute"])
            terminal.gone("out of order", "escape stops")
            assert "Traceback" not in terminal.screen and b"sk-of-the-server" not in terminal.written
