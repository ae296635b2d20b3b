"""The command palette: everything the keys do, and what has no key."""

from __future__ import annotations

from textual.command import DiscoveryHit, Hit, Hits, Provider

from playground_tui.ui import keys

WITHOUT_KEY = (
    ("copy_block", "copy a code block"),
    ("copy_message", "copy a message"),
    ("copy_output", "copy what a tool put out"),
    ("copy_thread", "copy the whole thread"),
    ("clone_assistant", "clone this assistant"),
    ("deleted_assistants", "bring back a deleted assistant"),
    ("deleted_threads", "bring back a deleted thread of this assistant"),
)


class PlaygroundCommands(Provider):
    """Runs the split screen's actions by name."""

    def _commands(self) -> list[tuple[str, str]]:
        with_key = [(binding.action, binding.description) for binding in keys.GLOBAL if binding.action != "back"]
        return [*with_key, *WITHOUT_KEY]

    async def discover(self) -> Hits:
        for action, words in self._commands():
            yield DiscoveryHit(words, self._runner(action))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, words in self._commands():
            score = matcher.match(words)
            if score > 0:
                yield Hit(score, matcher.highlight(words), self._runner(action))

    def _runner(self, action: str):  # type: ignore[no-untyped-def]
        screen = self.screen

        async def run() -> None:
            await screen.run_action(action)

        return run
