"""Run by Alembic for each command: the migrations go through the connection that the caller holds."""

from __future__ import annotations

from alembic import context

from playground_tui.engine.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
