"""Which files are those that were put aside, and which of them are kept."""

import gzip
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from koproxy.audit.backups import Backups

NOW = datetime(2026, 11, 23, 10, 0, 0, 500_000, UTC)


def backups(folder: Path, *, number: int = 0, days: int = 0, compress: bool = False) -> Backups:
    return Backups(folder / "audit.log", number=number, days=days, compress=compress)


def put_aside(folder: Path, *ages: timedelta) -> list[Path]:
    found = []
    for age in ages:
        found.append(backups(folder).free(NOW - age))
        found[-1].write_text("x")
    return found


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_the_name_has_the_time_in_it(tmp_path: Path) -> None:
    assert backups(tmp_path).free(NOW).name == "audit-2026-11-23T10-00-00.500.log"
    here = NOW.astimezone(timezone(timedelta(hours=5)))
    assert backups(tmp_path).free(here).name == "audit-2026-11-23T10-00-00.500.log"
    assert Backups(tmp_path / "audit", number=0, days=0, compress=False).free(NOW).name == (
        "audit-2026-11-23T10-00-00.500"
    )


@pytest.mark.parametrize("end", ["", ".gz"])
def test_no_name_is_given_twice(tmp_path: Path, end: str) -> None:
    (tmp_path / f"audit-2026-11-23T10-00-00.500.log{end}").touch()
    assert backups(tmp_path).free(NOW).name == "audit-2026-11-23T10-00-00.501.log"


def test_the_newest_are_kept(tmp_path: Path) -> None:
    ages = [timedelta(minutes=minutes) for minutes in (3, 1, 4, 2)]
    files = put_aside(tmp_path, *ages)
    backups(tmp_path, number=2).tidy(NOW)
    assert names(tmp_path) == {files[1].name, files[3].name}


def test_the_old_are_removed(tmp_path: Path) -> None:
    files = put_aside(tmp_path, timedelta(days=2, seconds=-1), timedelta(days=2, seconds=1))
    backups(tmp_path, days=2).tidy(NOW)
    assert names(tmp_path) == {files[0].name}


def test_without_limits_all_are_kept(tmp_path: Path) -> None:
    put_aside(tmp_path, timedelta(days=10_000), timedelta(0))
    backups(tmp_path, days=10**9).tidy(NOW)
    backups(tmp_path).tidy(NOW)
    assert len(names(tmp_path)) == 2


def test_other_files_are_somebody_elses(tmp_path: Path) -> None:
    others = {
        "audit.log",
        "audit-.log",
        "audit-2026.log",
        "audit-2020-01-01T00-00-00.000.txt",
        "audit-2020-01-01T00-00-00.000000.log",
        "audit-2020-01-01T00-00-00.000.log.gz.part",
        "other-2020-01-01T00-00-00.000.log",
        "audit-2020-01-01T00-00-00.000.log.1",
    }
    for name in others:
        (tmp_path / name).touch()
    backups(tmp_path, number=1, days=1, compress=True).tidy(NOW)
    assert names(tmp_path) == others


def test_compressed_ones_count_like_the_others(tmp_path: Path) -> None:
    files = put_aside(tmp_path, *(timedelta(minutes=minutes) for minutes in (1, 2, 3)))
    files[0].chmod(0o640)
    # As it is when one was stopped while it compressed them.
    (tmp_path / f"{files[0].name}.gz.part").write_text("half")
    backups(tmp_path, number=2, compress=True).tidy(NOW)
    packed = [each.with_name(f"{each.name}.gz") for each in files]
    assert names(tmp_path) == {packed[0].name, packed[1].name}
    assert gzip.decompress(packed[0].read_bytes()) == b"x"
    assert packed[0].stat().st_mode & 0o777 == 0o640
    backups(tmp_path, number=1, compress=True).tidy(NOW)
    assert names(tmp_path) == {packed[0].name}
