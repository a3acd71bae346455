"""Which values the dialects of a door may have, read from its model, so that a new one is known by itself."""

from __future__ import annotations

from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel
PLAIN: Final[dict[Any, tuple[Any, ...]]] = {bool: (False, True), int: (int,), NoneType: (None,)}


def values(model: type[BaseModel]) -> dict[str, tuple[Any, ...]]:
    """Return every value of every field; `int` stands for any number.

    Raises `TypeError` for a kind of field that is not known here.
    """
    return {name: _values(name, info.annotation) for name, info in model.model_fields.items()}


def _values(name: str, annotation: Any) -> tuple[Any, ...]:
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in PLAIN:
        return PLAIN[annotation]
    if origin is Literal:
        return parts
    if origin in (Union, UnionType, Annotated):
        of = parts[:1] if origin is Annotated else parts
        return tuple(value for part in of for value in _values(name, part))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(member.value for member in annotation)
    raise TypeError(f"dialect {name}: say here which values {annotation} has")
