"""The fuzzer: ``python tests/fuzz/target.py -max_total_time=60`` (libFuzzer's options).

It begins with ``corpus/`` and what earlier runs found new, which it keeps in ``build/fuzz/``. An
input that breaks a promise lands in ``cases/``, where an ordinary test replays it from then on.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
FOUND = HERE.parents[1] / "build" / "fuzz"

sys.path.insert(0, str(HERE.parent))

try:
    import atheris
except ModuleNotFoundError:
    sys.stdout.write("fuzzing is left out: atheris has no wheel for this Python or platform\n")
    sys.exit()

# The plain reader is watched too: it walks through the grammar that wire's expressions hide.
with atheris.instrument_imports(include=["koproxy.wire", "fuzz"]):
    from fuzz.oracles import check


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    FOUND.mkdir(parents=True, exist_ok=True)
    options = [
        f"-dict={HERE / 'http.dict'}",
        f"-artifact_prefix={HERE / 'cases'}/",
        "-max_len=6000",
        "-timeout=10",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    folders = [str(FOUND), str(HERE / "corpus"), str(HERE / "cases")]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:], *folders], check)
    atheris.Fuzz()


main()
