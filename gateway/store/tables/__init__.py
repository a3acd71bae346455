"""The tables, one module each, in SQL that every engine understands (`gateway.store.engine`)."""
