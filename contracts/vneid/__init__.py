"""VNeID sign-in, the wire contract as data: operations, claims, schemas, code tables, examples. See README.md.

`file` gives one of them, wherever the package is installed.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def file(name: str) -> Traversable:
    """Return the contract file `name`, such as `codes/level.json`."""
    return files(__name__).joinpath(name)
