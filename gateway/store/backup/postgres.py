"""Copying a PostgreSQL store: its tables by COPY, all of them as of one moment, without any program of the server's.

Made for this store's own tables. A replica and the server's own base backups are better where there are many of them,
and are the administrator's: see `docs/keeping-data.md`.
"""

from __future__ import annotations

import hashlib
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from asyncpg import exceptions as pg

from gateway.store import migrations
from gateway.store.backup.manifest import Contents, Engine, Piece, create
from gateway.store.errors import BackupDamaged, NothingToBackUp, StoreNotEmpty
from gateway.store.migrations import Standing
from gateway.store.postgres import schema
from gateway.store.postgres.connection import make_durable
from gateway.store.postgres.transaction import PostgresTransaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from gateway.store.backup.manifest import Manifest
    from gateway.store.engine import Work
    from gateway.store.postgres.connection import Connection

_CHUNK = 1 << 20
_DAY = 86_400.0
_NO_LIMITS = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
_SHARE = "SELECT pg_advisory_lock_shared($1)"
_UNSHARE = "SELECT pg_advisory_unlock_shared($1)"
_COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_SEQUENCES = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'"
_REFERENCES = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND conrelid <> confrelid
"""


async def copy_out(dsn: str, folder: Path) -> Contents:
    """Copy the database into `folder`. Raises `NothingToBackUp`, `CannotOpen`, `StoreUnavailable`."""
    async with schema.connected(dsn) as (connection, place):
        await connection.execute(_SHARE, schema.OPENING)  # until all tables are locked nobody changes what they are
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(_NO_LIMITS)
            found, version = await schema.standing(connection, place)
            if found is Standing.EMPTY or version is None:
                raise NothingToBackUp(place)
            tables = await schema.tables_of(connection)
            await connection.execute(f"LOCK TABLE {', '.join(map(_quoted, tables))} IN ACCESS SHARE MODE")
            await connection.execute(_UNSHARE, schema.OPENING)
            return Contents(
                engine=Engine.POSTGRES,
                tables_version=version,
                keys={row[0]: row[1] for row in await connection.fetch("SELECT key, value FROM key_check")},
                pieces=tuple([await _copy_table(connection, table, folder) for table in tables]),
                counters=await _counters(connection),
            )


async def copy_in(dsn: str, folder: Path, manifest: Manifest, finish: Work[None]) -> None:
    """Fill an empty database with the copy, brought up to date and after `finish`: all of it, or nothing.

    Raises `BackupDamaged`, `StoreNotEmpty`, `CannotOpen`, `StoreUnavailable`.
    """
    async with schema.connected(dsn) as (connection, place):
        await make_durable(connection)
        async with connection.transaction():
            await schema.lock(connection)
            if await schema.tables_of(connection):
                raise StoreNotEmpty(place)
            await schema.move(connection, None, manifest.tables_version)
            await connection.execute(_NO_LIMITS)
            await _fill(connection, folder, manifest)
            if manifest.tables_version != migrations.HEAD:
                await schema.move(connection, manifest.tables_version, migrations.HEAD)
            await finish(PostgresTransaction(connection))


async def _copy_table(connection: Connection, table: str, folder: Path) -> Piece:
    columns = tuple(row[0] for row in await connection.fetch(_COLUMNS, _quoted(table)))
    path = folder / f"{table}.copy"
    digest, size = hashlib.sha256(), 0
    with create(path) as file:

        async def keep(data: bytes) -> None:
            nonlocal size
            file.write(data)
            digest.update(data)
            size += len(data)

        status = await connection.copy_from_table(table, columns=columns, output=keep, timeout=_DAY)
    return Piece(
        file=path.name,
        size=size,
        sha256=digest.hexdigest(),
        table=table,
        columns=columns,
        rows=_rows(status),
    )


async def _fill(connection: Connection, folder: Path, manifest: Manifest) -> None:
    pieces = {piece.table: piece for piece in manifest.pieces if piece.table is not None}
    tables = await schema.tables_of(connection)
    if pieces.keys() != set(tables):
        raise BackupDamaged(str(folder))
    await connection.execute(f"TRUNCATE {', '.join(map(_quoted, tables))}")  # what the version itself has put there
    for table in _in_order(tables, [(row[0], row[1]) for row in await connection.fetch(_REFERENCES)]):
        piece = pieces[table]
        try:
            status = await connection.copy_to_table(
                table, columns=piece.columns, source=_chunks(folder / piece.file), timeout=_DAY
            )
        except (pg.DataError, pg.IntegrityConstraintViolationError, pg.SyntaxOrAccessError) as error:
            raise BackupDamaged(str(folder / piece.file)) from error
        if _rows(status) != piece.rows:
            raise BackupDamaged(str(folder / piece.file))
    for sequence, value in manifest.counters.items():
        await connection.execute("SELECT setval($1::text::regclass, $2)", _quoted(sequence), value)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


async def _counters(connection: Connection) -> dict[str, int]:
    """Return the last number that each sequence gave. They stand outside of the moment copied, and are never behind."""
    given = {}
    for (sequence,) in await connection.fetch(_SEQUENCES):
        row = await connection.fetchrow(f"SELECT last_value, is_called FROM {_quoted(sequence)}")  # noqa: S608 - quoted
        if row is not None and row[1]:
            given[sequence] = row[0]
    return given


def _in_order(tables: Iterable[str], references: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the tables so that each comes after those that it refers to."""
    order = TopologicalSorter[str](dict.fromkeys(tables, ()))
    for table, other in references:
        order.add(table, other)
    return tuple(order.static_order())


def _rows(status: str) -> int:
    return int(status.rpartition(" ")[2])  # "COPY 5"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
