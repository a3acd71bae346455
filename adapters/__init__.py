"""One folder for each national system, and `transport`, the only one that knows an HTTP client or zeep.

Every folder has the same files: `operations.py`, `wire` (pure), `codes.py`, `settings.py`, `README.md`. An operation is
one exchange and one result or one failure. Nothing here retries, stores, counts or logs.
"""
