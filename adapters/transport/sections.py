"""What the settings of every system are made of: sections, texts that can be shown, and secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

Visible = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]*[!-~])?$", max_length=500)]
"""Printable ASCII, without space around it."""


class Section(BaseModel):
    """A part of the settings. An unknown key is refused, and no message quotes a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SecretSource(Section):
    """A secret that is given in place, or as a file that is read again when it changes."""

    needed: ClassVar[bool] = True
    secret: SecretStr | None = Field(default=None, min_length=1)
    secret_file: Path | None = Field(default=None, description="File that holds the secret and nothing else.")

    @property
    def has_secret(self) -> bool:
        """Whether there is a secret at all."""
        return self.secret is not None or self.secret_file is not None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.secret is not None and self.secret_file is not None:
            raise ValueError("give exactly one of secret and secret_file, not both")
        if self.needed and not self.has_secret:
            raise ValueError("give exactly one of secret and secret_file")
        return self
