"""Where this installation lies, and how its own modules are found before anybody else's of the same name."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
"""The folder that holds this package and its siblings."""

SIBLINGS = ("contracts", "adapters", "gateway")


def settle() -> None:
    """Move the folders that would give one of our packages, and are not ours, to the end of the module search."""
    foreign = [entry for entry in sys.path if _shadows(Path(entry).resolve())]
    sys.path[:] = [entry for entry in sys.path if entry not in foreign] + foreign


def module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this installation, wherever it is started from.

    `-P` keeps the working directory out of the module search; `environment` does the same for `PYTHONPATH`.
    """
    return [sys.executable, "-P", "-m", name, *arguments]


def environment() -> dict[str, str]:
    """Return our environment for a process that `module` starts.

    `PYTHONPATH` names our own folder where Python would not find it by itself, and is absent otherwise.
    """
    found = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found["PYTHONSAFEPATH"] = "1"
    if HOME not in _installed():
        found["PYTHONPATH"] = str(HOME)
    return found


def _shadows(folder: Path) -> bool:
    return folder != HOME and any((folder / name).is_dir() or (folder / f"{name}.py").is_file() for name in SIBLINGS)


def _installed() -> frozenset[Path]:
    """Return the folders in which Python finds installed packages without being told."""
    paths = sysconfig.get_paths()
    places = [*site.getsitepackages(), site.getusersitepackages(), paths["purelib"], paths["platlib"]]
    return frozenset(Path(place).resolve() for place in places)
