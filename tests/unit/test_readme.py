from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mocks.control.world import describe
from mocks.world import Registry, generate

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["README.md", "README.vi.md"])
def test_the_citizen_to_try_it_with_is_the_first_of_the_world(name: str) -> None:
    """The call that a newcomer copies names somebody whom the mocks know, as `limit=1` shows them."""
    found = re.search(r'"citizen": (\{[^}]*\})', (ROOT / name).read_text(encoding="utf-8"))
    assert found is not None
    world = generate(1, 5000)
    first = describe(world.citizens[0], Registry.of_the_beginning(world))
    birth = first["birth"]
    assert json.loads(found[1]) == {
        "identity_number": first["identity_number"],
        "full_name": first["name"],
        "birth_date": f"{birth['year']}-{birth['month']:02}-{birth['day']:02}",
    }
