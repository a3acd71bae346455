from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import httpx
import pytest

from lienthong.processes import started
from tests.support.frontdoor import ROOT, environment

FOREIGN = Path(__file__).parent / "foreign" / "one_stop.py"
NAMES = ("mocks", "gateway", "adapters", "contracts", "tests")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a release would, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(ROOT))
    (built,) = folder.glob("lienthong-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, which borrows the dependencies of ours; return its Python."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)  # noqa: S603 - our own command
    found = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    pip(str(found), "install", "--no-deps", "--no-index", str(wheel))
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project whose own packages have the names of ours, and break whoever imports them by mistake."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('the foreign project was imported')\n")
    return tmp_path


def pip(python: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr


def outside(**more: str) -> dict[str, str]:
    """Return an environment in which nothing leads back to this working copy."""
    plain = {name: value for name, value in environment().items() if not name.startswith("PYTHON")}
    return {**plain, **more}


@pytest.mark.parametrize("search", [None, "."], ids=["plain", "PYTHONPATH"])
@pytest.mark.parametrize("way", ["command", "module"])
async def test_the_mocks_start_in_a_project_that_has_mocks_of_its_own(
    python: Path, project: Path, way: str, search: str | None
) -> None:
    """As a command or as a module, with the project's folder in the module search or not: ours start and answer."""
    begin = [str(python.with_name("lienthong"))] if way == "command" else [str(python), "-m", "lienthong"]
    more = {} if search is None else {"PYTHONPATH": str(project)}
    command = [*begin, "mocks", "serve", "--port", "0", "--citizens", "300", "--until-stdin-closes"]
    async with (
        started("mocks", command, environment=outside(**more), log=project / "log", folder=project) as mocks,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        health = (await http.get(f"{mocks.ready['admin']}health")).json()
        assert health["status"] == "ok"
        assert health["world"]["citizens"] == 300
        assert (await http.get(f"{mocks.ready['population']}?wsdl")).status_code == 200


def test_the_other_commands_find_our_packages_too(python: Path, project: Path) -> None:
    """`config check` needs the gateway and the adapters, and gets ours."""
    (project / "lienthong.toml").write_text("[server]\nport = 0\n", encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own command
        [str(python), "-m", "lienthong", "config", "check"],
        env=outside(PYTHONPATH=str(project)),
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "The configuration is good." in done.stdout


async def test_the_mocks_start_from_a_folder_that_only_pythonpath_knows(
    wheel: Path, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Installed with `pip install --target`, the command starts the mocks that lie beside it, not the project's."""
    target = tmp_path_factory.mktemp("target")
    pip(sys.executable, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    search = os.pathsep.join([str(project), str(target)])
    command = [
        sys.executable,
        "-m",
        "lienthong",
        "mocks",
        "serve",
        "--port",
        "0",
        "--citizens",
        "300",
        "--until-stdin-closes",
    ]
    async with started(
        "mocks", command, environment=outside(PYTHONPATH=search), log=project / "log", folder=project
    ) as mocks:
        working_copy = os.path.realpath(f"/proc/{mocks.pid}/cwd")
        assert working_copy == os.path.realpath(project)
        assert mocks.ready["citizens"] == 300


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_its_own_tests_use_the_mocks(python: Path, project: Path, workers: tuple[str, ...]) -> None:
    """The fixtures of the wheel: a look-up, a fault, claims, tests apart; beside a failure, what arrived."""
    (project / "test_one_stop.py").write_bytes(FOREIGN.read_bytes())
    done = subprocess.run(  # noqa: S603 - our own command
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *workers, "--lienthong-citizens", "300"],
        env=outside(PYTHONPATH=str(project)),
        cwd=project,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "1 failed, 7 passed" in done.stdout, done.stdout + done.stderr
    shown = done.stdout.partition("- mocks -")[2]
    assert "1 exchanges, 1 effects; faults in force: none" in shown
    assert re.search(r"#1 \S+ population/lookup key [0-9a-f]{16}, attempt 1, match, acted, HTTP 200", shown)
    assert not re.search(r"999\d{9}", done.stdout + done.stderr)
