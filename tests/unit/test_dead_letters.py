from __future__ import annotations

import json
import re
from pathlib import Path

from contracts.texts import Language, catalogue
from gateway.api.problems import REFUSAL_STATUS
from gateway.api.schemas.deliveries import DecisionRequestV1, ResolveRequestV1
from gateway.api.schemas.replays import ReplayPreviewV1, ReplayRequestV1
from gateway.delivery import DeliverySettings
from gateway.delivery.replay_policy import MOST

PAGE = (Path(__file__).parents[2] / "docs" / "dead-letters.md").read_text(encoding="utf-8")


def test_what_the_page_sends_is_what_the_gateway_reads() -> None:
    """Every call that somebody copies has a body of the right form, and the answer that is shown is one."""
    bodies = re.findall(r"/v1/(replays|deliveries)(?:/ID/(\w+))?\".*?-d '(\{.*?\})'\n", PAGE, re.DOTALL)
    schemas = {"resolve": ResolveRequestV1, "pause": DecisionRequestV1, "": ReplayRequestV1}
    assert [verb for _, verb, _ in bodies] == ["resolve", "", "", "pause"]
    for _, verb, body in bodies:
        schemas[verb].model_validate_json(body)
    (answer,) = re.findall(r"^(\{\"chosen\".*\})$", PAGE, re.MULTILINE)
    ReplayPreviewV1.model_validate(json.loads(answer), strict=True)


def test_the_page_names_every_reason_and_no_other() -> None:
    """Whatever a person can be asked has its line, and every refusal that is named can be met."""
    told = {key.split(".")[2] for key in catalogue(Language.EN) if key.startswith("delivery.needs_person.")}
    assert set(re.findall(r"^\| `(\w+)` \| [A-Z]", PAGE, re.MULTILINE)) == told - {"other"}
    named = set(re.findall(r"`((?:replay|delivery)_(?!under_way)\w+)`", PAGE))
    assert len(named) >= 4
    assert named <= set(REFUSAL_STATUS)


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    """As many deliveries in one replay, and as many under way, as it says."""
    assert f"up to {MOST:,} deliveries" in PAGE
    assert f"while {DeliverySettings().replay_under_way:,} of its deliveries are under way" in PAGE
