"""The tables, version by version; forward only. Alembic walks them and is imported only for a store that has some.

The SQL is written out, because it is what runs, and a version is nothing but SQL, because where our driver is not
alembic's it is run as a script. All pending versions are one transaction: a database is of the old version or of the
new one. Nothing here needs a file outside this package, so it works from an installed wheel.

An empty SQLite database gets what alembic would run from `newest.sql`, which `tools/newest_tables.py` writes: to import
alembic takes longer than all the rest of a first start.
"""

from __future__ import annotations

import io
import sqlite3
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.store.errors import NotOurs, SchemaTooNew

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from alembic.config import Config

HEAD = "0010"
"""The version that this release needs. Versions are four digits and grow."""
VERSION_TABLE = "alembic_version"

NEWEST: Final = Path(__file__).with_name("newest.sql")
"""All that makes an empty SQLite database one of version `HEAD`."""

_VERSION_LENGTH = 4


class Standing(StrEnum):
    """Where a database stands, compared with this release."""

    EMPTY = "empty"
    BEHIND = "behind"
    OK = "ok"


def judge(place: Path | str, tables: Collection[str], version: str | None) -> Standing:
    """Return where a database with these tables stands, of which the version table says `version`.

    Raises `SchemaTooNew`, `NotOurs`.
    """
    if not tables:
        return Standing.EMPTY
    if VERSION_TABLE not in tables:
        raise NotOurs(place)
    if version is None:
        return Standing.EMPTY
    if not (version.isascii() and version.isdigit() and len(version) == _VERSION_LENGTH) or version > HEAD:
        raise SchemaTooNew(place, version, HEAD)
    return Standing.OK if version == HEAD else Standing.BEHIND


def check(connection: sqlite3.Connection, path: Path) -> tuple[Standing, str | None]:
    """Return where a SQLite database stands and its version. Raises `SchemaTooNew`, `NotOurs`."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if VERSION_TABLE in tables else None
    version = None if row is None else str(row[0])
    return judge(path, tables, version), version


def upgrade(connection: sqlite3.Connection, to: str = HEAD) -> None:
    """Bring a SQLite database to version `to` in one transaction. The connection must be in autocommit mode.

    Raises `sqlite3.Error`, and has then changed nothing.
    """
    if to != HEAD or not _made_at_once(connection):
        _walk(connection, to)


def _made_at_once(connection: sqlite3.Connection) -> bool:
    """Make all tables where there are none, and say whether that was so."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        empty = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' LIMIT 1").fetchone() is None
        if empty:
            for statement in _statements(NEWEST.read_text("utf-8")):
                connection.execute(statement)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return empty


def _statements(sql: str) -> Iterator[str]:
    """Yield the statements of a script; a trigger has several in one."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _walk(connection: sqlite3.Connection, to: str) -> None:
    from alembic import command  # noqa: PLC0415 - half a second that a database of this version need not spend
    from sqlalchemy import StaticPool, create_engine  # noqa: PLC0415 - likewise
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - likewise

    config = _config()
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    try:
        with engine.connect() as outer:
            outer.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = outer
            command.upgrade(config, to)
            outer.commit()
    except DBAPIError as error:
        raise (error.orig or error) from error


def script(since: str | None, to: str = HEAD, *, dialect: str = "postgresql") -> str:
    """Return the SQL that brings a database from version `since` to version `to`."""
    from alembic import command  # noqa: PLC0415 - likewise

    config = _config()
    config.attributes["dialect"] = dialect
    config.attributes["script"] = written = io.StringIO()
    command.upgrade(config, f"{since or 'base'}:{to}", sql=True)
    return written.getvalue()


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - likewise

    config = Config()
    config.set_main_option("script_location", "gateway.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
