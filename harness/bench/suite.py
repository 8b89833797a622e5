# ruff: noqa: T201 - it is there to print
"""What the fixtures cost a suite: 1000 tests with both, each with one token and one request.

    python bench/suite.py [NUMBER OF TESTS]

It makes the suite in a temporary folder and runs it by pytest, in one process and in two
(pytest-xdist), beside one of as many empty tests. CPU time is of pytest and its workers, with the
making of the request, which the harness answers; the time of an empty test is not taken off.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEAD = """
import http.client
import ssl

import pytest


"""
EMPTY = (
    HEAD
    + """@pytest.mark.parametrize("number", range({number}))
def test_nothing(number):
    pass
"""
)
BOTH = (
    HEAD
    + """@pytest.mark.parametrize("number", range({number}))
def test_both(number, oidc_issuer, kube_api):
    trust = ssl.create_default_context(cafile=kube_api.ca_file)
    client = http.client.HTTPSConnection("127.0.0.1", kube_api.port, context=trust)
    token = oidc_issuer.token(sub=f"user-{{number}}")
    client.request("GET", "/version", headers={{"Authorization": f"Bearer {{token}}"}})
    assert client.getresponse().status == 200
    client.close()
"""
)
RUNS = {"one process": ("-p", "no:xdist"), "two processes": ("-n", "2")}


def measured(folder: Path, number: int, options: tuple[str, ...]) -> tuple[float, float]:
    """Run the suite; give wall and CPU time of a test, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_it.py"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall / number * 1000, cpu / number * 1000


def main() -> None:
    """Measure, and print a table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{number} tests, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs; ms a test")
    print(f"{'':32}{'wall':>8}{'CPU':>8}")
    for what, source in (("empty tests", EMPTY), ("both fixtures", BOTH)):
        for how, options in RUNS.items():
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "test_it.py").write_text(source.format(number=number))
                wall, cpu = measured(Path(folder), number, options)
            print(f"{what + ', ' + how:32}{wall:8.1f}{cpu:8.1f}", flush=True)


if __name__ == "__main__":
    main()
