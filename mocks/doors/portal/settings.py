"""Whom the portal lets in, and how it speaks where the real one's way is unknown.

Each dialect is a question that no published text answers; its default is a labelled assumption, never a fact.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Account(_Section):
    """One integration account, as issued to a unit. The secrets are made up and meant to be printed."""

    agency: str
    username: str
    secret: str
    """Sent as `password`."""


class Procedure(_Section):
    """A procedure of the made-up catalogue, and what the index has to know of it."""

    code: str
    name: str
    field: str
    field_name: str
    days: int
    """How long it may take at most, in days of the calendar."""
    paper_result: bool
    """Whether it ends with a paper."""


ACCOUNTS = (
    Account(agency="000.00.00.H99", username="dvc_h99", secret="bi-mat-mau-1"),  # noqa: S106 - made up
    Account(agency="H99.5", username="dvc_h99_5", secret="bi-mat-mau-2"),  # noqa: S106 - made up
    Account(agency="000.00.00.H98", username="dvc_h98", secret="bi-mat-mau-3"),  # noqa: S106 - made up
)
PROCEDURES = (
    Procedure(
        code="9.999001",
        name="Thủ tục mẫu có kết quả",
        field="G99-XX01",
        field_name="Lĩnh vực mẫu",
        days=7,
        paper_result=True,
    ),
    Procedure(
        code="9.999002",
        name="Thủ tục mẫu không có kết quả giấy",
        field="G99-XX01",
        field_name="Lĩnh vực mẫu",
        days=3,
        paper_result=False,
    ),
)


class Dialects(_Section):
    """The portal's variants."""

    error_code: Literal["int", "string"] = Field(
        default="int", description="`error_code` as a number or as a text; clients read both; assumed"
    )
    codes: Literal["own", "common"] = Field(
        default="own", description="a refusal has a number of its own, or every refusal has -1; assumed"
    )
    refusals: Literal["http_200", "http_4xx"] = Field(
        default="http_200", description="the HTTP status of a refusal; assumed"
    )
    session_refusal: Literal["http_200", "http_401"] = Field(
        default="http_200", description="the HTTP status where account or session do not count; assumed"
    )
    session_code: Literal["own", "common", "minus_2"] = Field(
        default="own", description="the `error_code` of an expired or unknown session: 102, -1 or -2; assumed"
    )
    session_seconds: int = Field(
        default=600, ge=1, description="how long a session counts, by the mocks' clock; assumed"
    )
    single_session: bool = Field(
        default=False, description="whether a new log-in of an account ends its older sessions; assumed"
    )
    exists: Literal["3", "-3", "text"] = Field(
        default="3", description="a create of a dossier that is there: 3, -3, or -1 with the text alone; assumed"
    )
    names_dossier: bool = Field(
        default=False, description="whether the text of `exists` and of its opposite has the code in it; assumed"
    )
    update_absent: Literal["refused", "created"] = Field(
        default="refused", description="an update of a dossier that is not there; assumed"
    )
    batch: Literal["whole", "per_item", "until_error"] = Field(
        default="whole",
        description="several items, one of them wrong: nothing is done; each stands alone and has a line in `result`; "
        "those before it are done, and the answer is its refusal; assumed",
    )
    result: Literal["array", "object"] = Field(
        default="array", description="`result`: a list, or an object with the list in `data`; assumed"
    )
    success: Literal["json", "progress_text", "text"] = Field(
        default="json", description="a write that succeeded: JSON, plain text for progress alone, plain text; assumed"
    )
    success_text: Literal["word", "sentence"] = Field(
        default="sentence", description="`message` of a success: the word alone, or a sentence with it; assumed"
    )
    repeated_step: Literal["applied", "recognised", "refused"] = Field(
        default="applied", description="a progress step that is there already; assumed"
    )
    step_order: Literal["any", "rising"] = Field(
        default="any", description="whether a step may lie before the last one of its dossier; assumed"
    )
    step_without_dossier: Literal["refused", "accepted"] = Field(
        default="refused", description="a step of a dossier that was never created; assumed"
    )
    most_steps: int | None = Field(
        default=None, ge=1, description="steps in one request; none: no limit, a client sends 10; assumed"
    )
    status_graph: Literal["free", "graph"] = Field(
        default="free", description="any status may follow any, or those of the table in LIMITS.md alone; assumed"
    )
    status_11: Literal["accepted", "refused"] = Field(
        default="accepted", description="status 11, which has no label; one client sends it; assumed"
    )
    progress_moves_status: bool = Field(
        default=True, description="whether a step changes the status that the portal shows; assumed"
    )
    look_up_shows: Literal["dossier", "progress", "code"] = Field(
        default="dossier", description="what a look-up tells: the dossier, its steps too, or its code alone; assumed"
    )
    long_note: Literal["http_500", "code", "accepted"] = Field(
        default="http_500", description="`GhiChu` of 2,000 characters and more, seen to fail; how is assumed"
    )
    long_text: Literal["accepted", "cut", "refused"] = Field(
        default="accepted", description="texts that clients cut before sending: subject 1,000, officer 50; assumed"
    )
    blank_subject: Literal["refused", "accepted"] = Field(
        default="refused", description="an empty `TrichYeuHoSo`, which a client fills; assumed"
    )
    blank_step_text: Literal["http_500", "code", "accepted"] = Field(
        default="code", description="an empty `NoiDungXuLy`, seen to fail; how is assumed"
    )
    unknown_fields: Literal["accepted", "refused"] = Field(
        default="accepted", description="fields that are in no list; assumed"
    )
    unknown_procedure: Literal["accepted", "refused"] = Field(
        default="accepted", description="`MaTTHC` that the made-up catalogue does not have; assumed"
    )
    agency: Literal["province", "own", "any"] = Field(
        default="province", description="for which `madonvi` an account may speak; assumed"
    )
    foreign_dossier: Literal["refused", "accepted"] = Field(
        default="refused", description="an update or a step of another agency's dossier; assumed"
    )
    dstcode: Literal["behind_adapter", "always", "never"] = Field(
        default="behind_adapter", description="where the destination code has to be stated; assumed"
    )
    wrapper_reads: Literal["message", "text", "plain"] = Field(
        default="message",
        description="the wrapper's answer to a look-up: the JSON as text in `message`, as one JSON text, or as it is; "
        "the first is seen, the others are assumed",
    )
    private_files: Literal["lost", "refused", "kept"] = Field(
        default="lost", description="files at an address of a private network, which the portal cannot fetch; assumed"
    )


class PortalDoorSettings(_Section):
    """The door as it starts."""

    path: str = Field(default="/portal", pattern=r"^/[a-z0-9/_-]*[a-z0-9]$")
    dstcode: str = "VN:GOV:000.00.00.G22:vpcpdvcprovider"
    accounts: tuple[Account, ...] = ACCOUNTS
    procedures: tuple[Procedure, ...] = PROCEDURES
    population_database: str = Field(
        default="7", description="`MaCSDL` that counts as the population database in the index; assumed"
    )
    wrapper_account: str = Field(
        default="dvc_h99",
        description="the account that the provincial platform's wrapper uses for its callers; assumed",
    )
    drafts: int = Field(
        default=3, ge=0, le=100, description="dossiers of each agency that a citizen may submit on the portal; assumed"
    )
    dialects: Dialects = Dialects()
