"""The server's model list, for the form and the cache."""

from __future__ import annotations

from dataclasses import replace

from playground_tui.assistants.errors import AssistantsError
from playground_tui.desk.desk import Desk
from playground_tui.desk.panes import FormFront


async def read_models(desk: Desk, form: FormFront) -> AssistantsError | None:
    """Read the list and show it. Returns why it could not be read, or None."""
    assert desk.client is not None
    try:
        models = tuple(await desk.client.list_models())
    except AssistantsError as error:
        desk.say(f"The model list could not be read: {error}")
        return error
    form.set_models(models)
    desk.cache.update_server(lambda state: replace(state, models=models))
    return None
