"""Reading a request's body into a schema, with every wrong field named."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.api.problems import Refused, wrong_fields

if TYPE_CHECKING:
    from starlette.requests import Request

    from contracts.model import WrongField

Body = TypeVar("Body", bound=BaseModel)


async def read(
    request: Request, schema: type[Body], *, context: object = None, wrong: tuple[WrongField, ...] = ()
) -> Body:
    """Return the body as `schema`. Raises `Refused` for another media type, or naming every wrong field.

    `context` is what the schema's validators ask; `wrong` is what is wrong beside the body. The JSON reader refuses
    nesting deeper than its own limit; size and time are limited before it.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("media_type")
    content = await request.body()
    try:
        body = schema.model_validate_json(content, context=context)
    except ValidationError as error:
        raise Refused("body_invalid", fields=(*wrong, *wrong_fields(error))) from None
    if wrong:
        raise Refused("body_invalid", fields=wrong)
    return body
