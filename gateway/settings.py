"""The gateway's configuration: one TOML file, with the environment on top; an unknown key is refused.

`LIENTHONG_SERVER__PORT=8081` sets `[server] port`. No default here talks to a real host, and a system that has no
section of its own is not configured at all.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as VariableError

from adapters.partner.settings import PartnerSettings
from adapters.population.settings import PopulationSettings
from adapters.portal.settings import PortalSettings
from adapters.vneid.settings import VneidSettings
from gateway.delivery.settings import DeliverySettings
from gateway.resilience.settings import PolicySettings
from gateway.signins.settings import CALLBACK, LEFT, SignInsSettings
from gateway.store.place import place_of
from gateway.webhooks import WebhooksSettings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_STORE = Path("var/lienthong.db")
_MAX_DAYS = 36_525

Seconds = Annotated[float, Field(gt=0, le=3600)]


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong key: its dotted path, the type of the error as the validator names it, and its words. No value."""

    key: str
    kind: str
    words: str

    def __str__(self) -> str:
        return f"{self.key}: {self.words}" if self.key else self.words


class SettingsError(Exception):
    """The configuration is wrong. `problems` holds one for each wrong key."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{source}: " + "; ".join(map(str, problems)))
        self.source = source
        self.problems = problems


class SettingsUnreadable(SettingsError):
    """The configuration file is not there, or is not for us to read."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ServerSettings(_Section):
    """Where the gateway listens, and what it accepts before a route sees it."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses of proxies whose X-Forwarded-* headers are believed. Nobody's, unless named."
    )
    max_body_bytes: int = Field(64 * 1024, ge=1024)
    max_header_bytes: int = Field(16 * 1024, ge=1024)
    max_connections: int = Field(1000, ge=1)
    header_seconds: Seconds = Field(10, description="Time for a complete header block to arrive")
    body_seconds: Seconds = Field(10, description="Time for a complete body to arrive")
    answer_seconds: Seconds = Field(45, description="Time for a whole answer, above every deadline a caller may set")
    keep_alive_seconds: int = Field(15, ge=1)
    stop_seconds: int = Field(20, ge=0, description="Time that calls in flight get when the server is asked to stop")
    default_wait_seconds: Seconds = Field(10, description="Deadline of a read without `Prefer: wait=N`")
    max_wait_seconds: Seconds = Field(30, description="Longest deadline that a caller may ask for")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_certificate_file and tls_key_file go together")
        if max(self.default_wait_seconds, self.max_wait_seconds) >= self.answer_seconds:
            raise ValueError("answer_seconds must be longer than every wait")
        return self


class WorkerSettings(_Section):
    """Who carries deliveries out, and where `lienthong worker` tells how it is. Its limits are those of `server`."""

    in_server: bool = Field(
        default=True, description="Whether `lienthong serve` carries deliveries out too, not only `lienthong worker`"
    )
    host: str = "127.0.0.1"
    port: int = Field(8081, ge=0, le=65_535, description="For /healthz, /readyz and /metrics, and nothing else")


class StoreSettings(_Section):
    """Where the store and its keys lie: a SQLite file (`path`), or a PostgreSQL database (`dsn` or `dsn_file`).

    Store and keys are two places so that a backup of one is not a copy of the other.
    """

    path: Path | None = None
    dsn: SecretStr | None = Field(None, description="postgresql://user:password@host:port/database?sslmode=verify-full")
    dsn_file: Path | None = Field(None, description="File that holds the DSN and nothing else.")
    connections: int = Field(10, ge=1, le=500, description="Most connections to PostgreSQL, for this process")
    keys: Path = Path("var/keys")

    @property
    def place(self) -> str:
        """Where the store is, in words that may be shown."""
        return str(self.path or self.dsn_file) if self.dsn is None else place_of(self.dsn.get_secret_value())

    @model_validator(mode="before")
    @classmethod
    def _file_by_default(cls, given: Any) -> Any:
        if isinstance(given, dict) and not {"path", "dsn", "dsn_file"} & given.keys():
            return {**given, "path": _STORE}
        return given

    @model_validator(mode="after")
    def _one_engine(self) -> Self:
        given = [name for name in ("path", "dsn", "dsn_file") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of path (SQLite), dsn and dsn_file (PostgreSQL), not {' and '.join(given)}")
        return self

    @field_validator("dsn")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("a DSN begins with postgresql://")
        return value


class RetentionSettings(_Section):
    """How long things are kept, in days. All are assumed: no rule of the archives has been found for any of them."""

    attempts_days: int = Field(90, ge=1, le=_MAX_DAYS, description="Evidence of each attempt, such as its timings")
    bodies_days: int = Field(
        30, ge=1, le=_MAX_DAYS, description="What was written to a national system and answered, after its end"
    )
    events_days: int = Field(
        90, ge=1, le=_MAX_DAYS, description="Events of the feed: whoever has not read on for so long begins anew"
    )
    audit_days: int = Field(
        1826,
        ge=1,
        le=_MAX_DAYS,
        description="Who asked for what, and what came of it, deliveries among it (from their end): five years",
    )
    hour: int = Field(2, ge=0, le=23, description="Hour of the day in Vietnam after which it is done, once a day")

    @model_validator(mode="after")
    def _records_last(self) -> Self:
        if max(self.attempts_days, self.bodies_days, self.events_days) > self.audit_days:
            raise ValueError("audit_days must not be shorter than attempts_days, bodies_days and events_days")
        return self


class PopulationSection(_Section):
    """The population database: how to reach it, and how hard to try."""

    adapter: PopulationSettings
    policy: PolicySettings = PolicySettings()
    captures: Path | None = Field(None, description="File for masked raw captures, for a report to the partner")


class PartnerSection(_Section):
    """The synthetic partner of the mocks. With it the gateway has write endpoints that are for tests only."""

    adapter: PartnerSettings
    policy: PolicySettings = PolicySettings()
    captures: Path | None = Field(None, description="File for masked raw captures")


class PortalSection(_Section):
    """The national portal (Cổng Dịch vụ công quốc gia): how to reach it, and how hard to try."""

    adapter: PortalSettings
    policy: PolicySettings = PolicySettings()
    captures: Path | None = Field(None, description="File for masked raw captures, for a report to the partner")
    sent_code: Literal["portal", "unit"] = Field(
        "portal",
        description="Which of a dossier's two codes goes up as MaHoSo. Assumed: the portal's, where it has one.",
    )


class VneidSection(_Section):
    """The door that citizens sign in at. It goes with the section `signins`."""

    adapter: VneidSettings
    policy: PolicySettings = PolicySettings()
    captures: Path | None = Field(None, description="File for masked raw captures, for a report to the door's operator")


class SystemsSettings(_Section):
    """The systems that are configured."""

    population: PopulationSection | None = None
    portal: PortalSection | None = None
    vneid: VneidSection | None = None
    partner: PartnerSection | None = None


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="LIENTHONG_",
        env_nested_delimiter="__",
        hide_input_in_errors=True,
    )

    server: ServerSettings = ServerSettings()
    worker: WorkerSettings = WorkerSettings()
    store: StoreSettings = StoreSettings()
    retention: RetentionSettings = RetentionSettings()
    delivery: DeliverySettings = DeliverySettings()
    webhooks: WebhooksSettings = WebhooksSettings()
    signins: SignInsSettings = SignInsSettings()
    systems: SystemsSettings = SystemsSettings()

    @model_validator(mode="after")
    def _carried_out(self) -> Self:
        if not self.worker.in_server and self.store.path is not None:
            raise ValueError("worker.in_server may be false on PostgreSQL only: a SQLite store has one serving process")
        return self

    @model_validator(mode="after")
    def _leased_long_enough(self) -> Self:
        written = {"portal": self.systems.portal, "partner": self.systems.partner}
        for name, section in written.items():
            if section is not None and not self.delivery.outlasts(section.policy):
                raise ValueError(f"systems.{name}.policy.attempt_seconds must be shorter than delivery.lease_seconds")
        if not self.webhooks.deliveries(self.delivery).outlasts(self.webhooks.policy):
            raise ValueError("webhooks.policy.attempt_seconds must be shorter than delivery.lease_seconds")
        return self

    @model_validator(mode="after")
    def _back_to_us(self) -> Self:
        if self.systems.vneid is None:
            if self.signins.public_url is not None:
                raise ValueError(
                    "systems.vneid is needed where signins.public_url is given: citizens sign in at a door"
                )
            return self
        door, public = self.systems.vneid.adapter, self.signins.public_url
        if public is None:
            raise ValueError("signins.public_url is needed where systems.vneid is configured")
        if door.callback != public + CALLBACK:
            raise ValueError(f"systems.vneid.adapter.callback is signins.public_url with {CALLBACK} behind it")
        if door.after_logout is not None and door.after_logout != public + LEFT:
            raise ValueError(f"systems.vneid.adapter.after_logout is signins.public_url with {LEFT} behind it")
        if self.signins.lease_seconds >= self.server.answer_seconds:
            raise ValueError("signins.exchange_seconds must be 10 less than server.answer_seconds, or shorter")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose content comes in as `init`."""
        return env_settings, init_settings

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """Return the settings in the file at `path` (none: defaults and environment only).

        Relative paths in the file are relative to the working directory. Raises `SettingsError`.
        """
        content: dict[str, Any] = {}
        source = "environment" if path is None else str(path)
        if path is not None:
            try:
                content = tomllib.loads(path.read_text(encoding="utf-8"))
            except OSError as error:
                why = error.strerror or type(error).__name__
                raise SettingsUnreadable(source, (Problem("", "unreadable", why),)) from error
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise SettingsError(source, (Problem("", "toml", f"not TOML: {error}"),)) from error
        try:
            return cls(**content)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False, include_context=False)
            raise SettingsError(source, tuple(map(_problem, details))) from error
        except VariableError as error:  # a variable for a whole section that is not JSON
            raise SettingsError("environment", (Problem("", "environment", str(error)),)) from None


def _problem(detail: ErrorDetails) -> Problem:
    return Problem(".".join(map(str, detail["loc"])), detail["type"], detail["msg"].removeprefix("Value error, "))
