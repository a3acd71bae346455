"""Which processes serve from the database, and whose a call is: several may, where the engine lets them.

A process that stands in no row of `process` any more has ended, and what it left open is interrupted. `beat` only
grows: others tell from it that the process lives, and nobody's clock is asked.
"""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and let a call say whose it is."""
    sql = words()
    op.execute(
        f"""
        CREATE TABLE process (
            number {sql.counter},
            started_at {sql.integer} NOT NULL,
            beat {sql.integer} NOT NULL DEFAULT 0
        ){sql.strict}
        """
    )
    op.execute(f"ALTER TABLE audit ADD COLUMN process {sql.integer}")
