"""The store on SQLite: one file, one writing thread, one reading thread, for a commune or a test bench."""

from gateway.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
