"""What every pack gets: fingerprints of secrets that cost nothing."""

from __future__ import annotations

import pytest

from adapters.transport import secrets


@pytest.fixture(autouse=True)
def _quick_fingerprints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hash of a secret take one round.

    A pack logs in hundreds of times in every dialect, and a fingerprint is slow so that nobody guesses secrets from it;
    no promise is about that, and what differs still differs.
    """
    monkeypatch.setattr(secrets, "_ROUNDS", 1)
