"""Writes that take several exchanges: which was begun last, the turns taken so far, and which one an attempt was."""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import words

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. What is stored already takes one exchange each."""
    text = words().text
    for statement in (
        f"ALTER TABLE delivery ADD COLUMN step {text} NOT NULL DEFAULT ''",
        f"ALTER TABLE delivery ADD COLUMN trail {text} NOT NULL DEFAULT ''",
        f"ALTER TABLE attempt ADD COLUMN step {text}",
    ):
        op.execute(statement)
