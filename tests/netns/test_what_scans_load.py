"""A port scan of a real network loads no module that it can do without: they are milliseconds at every start."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.support.netns import Lab, on_link_lab

pytestmark = pytest.mark.netns

PROGRAM = """
import sys
from leadline.cli.main import entry
status = entry(sys.argv[1:])
print(status, "numpy" in sys.modules, "numpy.ma" in sys.modules)
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with on_link_lab() as made:
        made.target.listen([80])
        yield made


@pytest.mark.parametrize("technique", ["-sS", "-sT", "-sU", "-sO", "-sn"])
def test_no_masked_arrays(lab: Lab, technique: str) -> None:
    ports = () if technique == "-sn" else ("-p", "1-2,80")
    done = lab.scanner.run(sys.executable, "-c", PROGRAM, "-n", technique, *ports, "--max-retries", "1", "10.77.0.2")
    assert done.stdout.splitlines()[-1] == "0 True False", done.stdout
