"""What alembic runs: on the connection that it was handed, in the transaction open there; or as a script of SQL."""

from __future__ import annotations

from alembic import context

given = context.config.attributes
if context.is_offline_mode():
    context.configure(dialect_name=given["dialect"], output_buffer=given["script"], target_metadata=None)
else:
    context.configure(connection=given["connection"], target_metadata=None)
context.run_migrations()
