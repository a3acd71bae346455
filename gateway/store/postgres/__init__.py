"""The store on PostgreSQL: as many serving processes as needed, on as many machines.

Imported, and asyncpg with it, only where a DSN is configured.
"""

from gateway.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
