"""Every seed of the fuzzer, and every input that it has ever found a fault with, held again."""

from pathlib import Path

import pytest
from fuzz import oracles

FOLDERS = ("corpus", "cases")
CASES = [
    path for folder in FOLDERS for path in sorted(Path(oracles.__file__).parent.glob(f"{folder}/*"))
]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_what_must_hold_for_each_input_holds(case: Path) -> None:
    oracles.check(case.read_bytes())
