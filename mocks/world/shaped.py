"""A kind of resource whose fields have a declared shape: what a simulator verb sets is checked like anything else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from mocks.world.state import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.world.state import Change, Lifecycle, Resource, Turn


class Shape(BaseModel):
    """Fields of a kind, each with a default: a change sets some of them. They are JSON values."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Shaped:
    """A kind whose fields have a shape. `seeds` are those that the world began with."""

    lifecycle: Lifecycle
    shape: type[Shape]
    seeds: Mapping[str, Resource] = field(default_factory=dict)

    def seeded(self, resource_id: str) -> Resource | None:
        """Return a resource as the world began with it, or `None`."""
        return self.seeds.get(resource_id)

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return the fields as they are. Raises `Refused` for one of the wrong shape."""
        del before, turn
        try:
            self.shape.model_validate(dict(change.fields))
        except ValidationError as error:
            wrong = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))
            raise Refused("; ".join(wrong)) from None
        return change.fields
