"""Under which of its codes a dossier goes out: under another it would be a second one there."""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import words

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute(f"ALTER TABLE dossier ADD COLUMN sent_as {words().text}")
