"""What a dossier's schemas stand on: each member keeps the model's rules and the portal's, and all are named at once.

The rules are the model's (`contracts.model.dossier.reason`) and the adapter's, which are handed in as the context of a
validation (`Handed`; without one the portal is not asked). Nothing is turned into something else: a number in quotes
is no number, and a moment is one to the second, with its offset. What comes out goes into the model and comes back
from it unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Strict,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    WrapValidator,
    field_validator,
)
from pydantic_core import PydanticCustomError

from contracts.model import dossier as model
from contracts.model.identifiers import Code
from gateway.api.schemas.common import TOLD, Request

_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.0+)?(Z|[+-][0-9]{2}:[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Handed:
    """What is asked while a request about a dossier is read.

    `code` is the one in the path. `refuses` tells why a member of a dossier or of a part of it cannot be sent: a key of
    the catalogue's `field` table, or `None`.
    """

    code: str
    refuses: Callable[[type, str, object], str | None]


def told(reason: str, **values: str | int) -> PydanticCustomError:
    """Return the error of a field whose sentence stands under `reason`."""
    return PydanticCustomError(TOLD, "{reason}", {"reason": reason, **values})


def check(part: type[Any], member: str, value: object) -> None:
    """Raise what is wrong with a value in this member, by the model's own rules."""
    found = model.reason(part, member, value)
    if found is not None:
        reason, *values = found
        raise told(reason, **(values[0] if values else {}))


def _moment(given: Any, read: Callable[[Any], datetime]) -> datetime:
    if isinstance(given, datetime) or (isinstance(given, str) and _MOMENT.fullmatch(given)):
        try:
            return read(given)
        except ValidationError:  # no such day, or hour
            pass
    raise told("moment")


def _whole(given: Any, read: Callable[[Any], int]) -> int:
    try:
        return read(given)
    except ValidationError:
        raise told("number") from None


def _status(given: Any) -> Any:
    if isinstance(given, bool | float):  # `true` and `2.0` are equal to members, and none of them is one
        raise told("choice", expected=", ".join(str(one.value) for one in model.DossierStatus))
    return given


def _text(given: Any) -> Any:
    return given.value if isinstance(given, Code) else given


def _number(most: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": 0, "maximum": most})


Moment = Annotated[AwareDatetime, Strict(strict=False), WrapValidator(_moment)]
Whole = Annotated[int, WrapValidator(_whole), _number(model.MAX_WHOLE)]
Amount = Annotated[int, WrapValidator(_whole), _number(model.MAX_AMOUNT)]
Status = Annotated[model.DossierStatus, BeforeValidator(_status)]
CodeText = Annotated[str, BeforeValidator(_text)]
"""A code, whose form is stated beside it."""


class Sayable(Request):
    """A dossier or a part of one. Members are named as those of what it `says`; `forms` makes codes of texts."""

    model_config = ConfigDict(strict=True)

    says: ClassVar[type[Any]]
    forms: ClassVar[Mapping[str, Callable[[str], Code]]] = {}
    beside: ClassVar[frozenset[str]] = frozenset()
    """Members that answers have beside those of the model."""

    @field_validator("*")
    @classmethod
    def _can_be_said(cls, value: Any, info: ValidationInfo) -> Any:
        member = str(info.field_name)
        if value is None or member in cls.beside:
            return value
        if not isinstance(value, tuple):
            check(cls.says, member, cls._modelled(member, value))
        if isinstance(info.context, Handed):
            reason = info.context.refuses(cls.says, member, value)
            if reason is not None:
                raise told(reason)
        return value

    def to_model(self, **more: Any) -> Any:
        """Return it in the gateway's own words; `more` is what stands elsewhere in a request."""
        given = {member: self._modelled(member, getattr(self, member)) for member in type(self).model_fields}
        return self.says(**given, **more)

    @classmethod
    def of(cls, value: object, **beside: object) -> Self:
        """Return what the gateway knows in the words of callers; `beside` are members that the model does not have."""
        if not beside:
            return cls.model_validate(value, from_attributes=True)
        known = {member: getattr(value, member) for member in cls.model_fields.keys() - cls.beside}
        return cls.model_validate({**known, **beside}, from_attributes=True)

    @classmethod
    def _modelled(cls, member: str, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(cls._modelled(member, one) for one in value)
        if isinstance(value, Sayable):
            return value.to_model()
        return value if value is None or member not in cls.forms else cls.forms[member](value)
