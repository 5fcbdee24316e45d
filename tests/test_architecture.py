"""The rules of docs/architecture.md that a machine can hold: sizes, names, twins, imports, docstrings, lint, types."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "leadline"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = [path for path in SOURCES if path.name not in ("__init__.py", "__main__.py")]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
CODE = SOURCES + TESTS + sorted((ROOT / "bench").rglob("*.py")) + sorted((ROOT / "scripts").glob("*.py"))

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
LONGEST_PACKAGE_DOCSTRING = 15
LONGEST_LINE = 120
FORBIDDEN_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "manager", "managers", "stuff"}

# Packages (and files of stages) that decide: everything they know of the world comes in as an argument.
PURE_PACKAGES = {"errors", "model", "wire", "data", "targets", "plan", "report"}
PURE_FILES = {
    "engine": {"driver"},  # all but these
    "discovery": None,  # only probes, classify, machine
    "ports": None,
    "services": {"stage", "cache"},
}
PURE_FILE_NAMES = {"probes", "classify", "machine"}
IMPURE_MODULES = {"socket", "asyncio", "time", "random", "select", "selectors", "threading", "secrets", "subprocess"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def is_pure(path: Path) -> bool:
    inside = path.relative_to(PACKAGE)
    package = inside.parts[0].removesuffix(".py")
    if package in PURE_PACKAGES:
        return True
    if package in PURE_FILES:
        impure = PURE_FILES[package]
        return inside.stem in PURE_FILE_NAMES if impure is None else inside.stem not in impure
    return False


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_file_has_at_most_500_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_function_has_at_most_60_lines(path: Path) -> None:
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions_of(path)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_source_file_has_its_twin_test(path: Path) -> None:
    inside = path.relative_to(PACKAGE)
    twin = ROOT / "tests" / "unit" / inside.parent / f"test_{inside.name}"
    assert twin.exists(), f"{name_of(path)} has no {name_of(twin)}"
    assert any(node.name.startswith("test_") for node in functions_of(twin)), f"{name_of(twin)} tests nothing"


def test_a_unit_test_has_its_source_file() -> None:
    """``test_prober_answers.py`` is one theme of what ``test_prober.py`` tests: both belong to ``prober.py``."""
    unit = ROOT / "tests" / "unit"
    orphans = []
    for twin in unit.rglob("test_*.py"):
        words = twin.stem.removeprefix("test_").split("_")
        names = {"_".join(words[:count]) + ".py" for count in range(1, len(words) + 1)}
        if not any((PACKAGE / twin.relative_to(unit).parent / name).exists() for name in names):
            orphans.append(name_of(twin))
    assert orphans == []


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=name_of)
def test_a_package_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(tree_of(path))
    assert docstring, "no docstring"
    assert len(docstring.splitlines()) <= LONGEST_PACKAGE_DOCSTRING


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_names_say_what_a_thing_is(path: Path) -> None:
    words = {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
    assert not words & FORBIDDEN_NAMES


@pytest.mark.parametrize("path", [path for path in SOURCES if is_pure(path)], ids=name_of)
def test_what_decides_has_no_world_of_its_own(path: Path) -> None:
    assert not {module.split(".")[0] for module in imports_of(path)} & IMPURE_MODULES


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_the_terminal_knows_rich(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] != "cli":
        assert "rich" not in {module.split(".")[0] for module in imports_of(path)}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_the_simulator_is_known_only_to_those_who_choose_a_network(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] not in ("cli", "sim", "pipeline"):
        assert not any(module.startswith("leadline.sim") for module in imports_of(path))


def run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_imports_keep_the_order_of_the_layers() -> None:
    run("-c", "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())")


def test_lint() -> None:
    run("-m", "ruff", "check", ".")


def test_format() -> None:
    run("-m", "ruff", "format", "--check", ".")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_types() -> None:
    run("-m", "mypy", "--strict", "src")


def versions(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime, test = versions("requirements.lock"), versions("requirements-test.lock")
    assert runtime.items() <= test.items(), "scripts/lock makes the test lock hold the runtime lock"

    def names(requirements: list[str]) -> set[str]:
        return {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", entry)[0]).lower() for entry in requirements}

    assert names(project["project"]["dependencies"]) <= runtime.keys()
    assert names(project["dependency-groups"]["test"]) <= test.keys()
    assert not names(project["dependency-groups"]["test"]) & runtime.keys(), "needed to run, so not only for tests"


def test_dependencies_are_what_the_sources_import() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module_of = {"dnspython": "dns", "ahocorasick-rs": "ahocorasick_rs"}
    declared = {re.split(r"[^\w.-]", entry)[0] for entry in project["dependencies"]}
    imported = {module.split(".")[0] for path in SOURCES for module in imports_of(path)}
    foreign = imported - set(sys.stdlib_module_names) - {"leadline"}
    assert foreign == {module_of.get(name, name) for name in declared}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_locks_name_no_host(lock: str) -> None:
    assert not re.search(r"://|--index|--find-links|@", (ROOT / lock).read_text(encoding="utf-8"))


def test_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    package = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{project["project"]["version"]}"' in package
