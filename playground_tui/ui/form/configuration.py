"""How the model is asked to answer: format, sampling, effort, and the assistant's metadata."""

from __future__ import annotations

from textual.widgets import Collapsible

from playground_tui.ui.form.fields import AreaField, ChoiceField, FieldBox, SliderField
from playground_tui.ui.form.messages import ConfigurationToggled
from playground_tui.ui.form.slider import Slider

FORMATS = (("Auto", "auto"), ("Text", "text"), ("JSON object", "json_object"), ("JSON schema", "json_schema"))
EFFORTS = (("Default", ""), *((word.title(), word) for word in ("none", "minimal", "low", "medium", "high")))
EFFORTS_BEYOND = (("Extra high", "xhigh"), ("Max", "max"))

_TITLE = "Model configuration"
_SCHEMA = '{"name": "answer", "schema": {\n  "type": "object", "properties": {}}}'


class Configuration(Collapsible):
    """The section that opens and closes; its title says when something in it is wrong."""

    def __init__(self) -> None:
        self.schema = AreaField("schema", "JSON schema", placeholder=_SCHEMA)
        self.boxes: tuple[FieldBox, ...] = (
            ChoiceField("response_format", "Response format", FORMATS),
            self.schema,
            SliderField("temperature", Slider("Temperature", maximum=2.0, step=0.1, big_step=0.5, id="temperature")),
            SliderField("top_p", Slider("Top p", maximum=1.0, step=0.05, big_step=0.25, id="top_p")),
            ChoiceField("reasoning_effort", "Reasoning effort", (*EFFORTS, *EFFORTS_BEYOND)),
            AreaField("metadata", "Metadata (key = value)", placeholder="category = work"),
        )
        super().__init__(*self.boxes, title=_TITLE, collapsed=True, id="configuration")

    def show_problems(self, count: int) -> None:
        """Says in the title how many problems are inside."""
        words = "" if not count else f" ({count} {'problem' if count == 1 else 'problems'})"
        self.set_class(bool(count), "-problem")
        if self.title != _TITLE + words:
            self.title = _TITLE + words

    def show_schema(self, shown: bool) -> None:
        self.schema.display = shown

    def on_collapsible_expanded(self, event: Collapsible.Expanded) -> None:
        event.stop()
        self.post_message(ConfigurationToggled(open=True))

    def on_collapsible_collapsed(self, event: Collapsible.Collapsed) -> None:
        event.stop()
        self.post_message(ConfigurationToggled(open=False))
