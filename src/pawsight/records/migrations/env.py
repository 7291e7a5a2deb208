"""Runs the steps on the connection of :func:`pawsight.records.schema.bring_up_to_date`."""

from __future__ import annotations

from alembic import context

from pawsight.records.tables import Base

# SQLite's tables can be made and changed within a transaction, which alembic does not expect.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
