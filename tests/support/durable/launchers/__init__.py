"""Scripts that serve in place of the command `lienthong`, and change something in their own process first."""

from pathlib import Path
from typing import Final

FREEZING: Final = str(Path(__file__).with_name("freezing.py"))
DYING: Final = str(Path(__file__).with_name("dying.py"))
TRACING: Final = str(Path(__file__).with_name("tracing.py"))
FORGETTING: Final = str(Path(__file__).with_name("forgetting.py"))
