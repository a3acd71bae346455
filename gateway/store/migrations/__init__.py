"""The tables, version by version; forward only. Alembic walks them and is imported only when there is a way to go.

The SQL is written out, because it is what runs. All pending versions are one transaction: a database is of the old
version or of the new one. Nothing here needs a file outside this package, so it works from an installed wheel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.store.errors import NotOurs, SchemaTooNew

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

HEAD = "0001"
"""The version that this release needs. Versions are four digits and grow."""

_VERSION_LENGTH = 4


class Standing(StrEnum):
    """Where a database stands, compared with this release."""

    EMPTY = "empty"
    BEHIND = "behind"
    OK = "ok"


def check(connection: sqlite3.Connection, path: Path) -> tuple[Standing, str | None]:
    """Return where the database stands and its version. Raises `SchemaTooNew`, `NotOurs`."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables:
        return Standing.EMPTY, None
    if "alembic_version" not in tables:
        raise NotOurs(path)
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        return Standing.EMPTY, None
    version = str(row[0])
    if not (version.isascii() and version.isdigit() and len(version) == _VERSION_LENGTH) or version > HEAD:
        raise SchemaTooNew(path, version, HEAD)
    return (Standing.OK if version == HEAD else Standing.BEHIND), version


def upgrade(connection: sqlite3.Connection, to: str = HEAD) -> None:
    """Bring the database to version `to` in one transaction. The connection must be in autocommit mode.

    Raises `sqlite3.Error`, and has then changed nothing.
    """
    from alembic import command  # noqa: PLC0415 - half a second that a database of this version need not spend
    from alembic.config import Config  # noqa: PLC0415 - likewise
    from sqlalchemy import StaticPool, create_engine  # noqa: PLC0415 - likewise
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - likewise

    config = Config()
    config.set_main_option("script_location", "gateway.store:migrations")
    config.set_main_option("path_separator", "os")
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    try:
        with engine.connect() as outer:
            outer.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = outer
            command.upgrade(config, to)
            outer.commit()
    except DBAPIError as error:
        raise (error.orig or error) from error
