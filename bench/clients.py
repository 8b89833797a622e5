"""``bench/peer`` as client: one run of a command, or a conversation with one that goes on."""

import contextlib
import json
import os
import select
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.authority import ADDRESS
from bench.builds import GO_ENVIRONMENT
from bench.errors import NoFigure
from bench.processes import on_core

_PATIENCE = 180.0  # seconds for a whole run, or for an answer in a conversation


@dataclass(frozen=True, slots=True)
class Conversation:
    """A command that is told what to do line by line."""

    process: subprocess.Popen[str]

    def tell(self, line: str) -> Any:
        """Say something and give what comes back; raises NoFigure."""
        if self.process.stdin is None:
            raise NoFigure("peer can't be told anything")
        with contextlib.suppress(BrokenPipeError):  # it has ended; its last words say why
            print(line, file=self.process.stdin, flush=True)
        return self.hear()

    def finish(self) -> Any:
        """Have it end and give its last words; raises NoFigure."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        return self.hear()

    def hear(self) -> Any:
        """Give its next line; raises NoFigure."""
        output = self.process.stdout
        if output is None or not select.select([output], [], [], _PATIENCE)[0]:
            raise NoFigure(f"peer said nothing for {_PATIENCE:g} s")
        line = output.readline()
        if line:
            return json.loads(line)
        problem = self.process.stderr.read() if self.process.stderr is not None else ""
        raise NoFigure(problem.strip() or "peer ended")


@dataclass(frozen=True, slots=True)
class Peer:
    """The clients that wrk can't be."""

    program: Path
    core: int

    def run(self, command: str, port: int, **flags: object) -> Any:
        """Run a command against the server on ``port`` to its end; gives what it said.

        Raises:
            NoFigure: something was not as it should be.
        """
        with self.converse(command, port, **flags) as conversation:
            return conversation.finish()

    @contextlib.contextmanager
    def converse(self, command: str, port: int, **flags: object) -> Iterator[Conversation]:
        """Run a command for as long as the ``with`` block; raises NoFigure."""
        words = [str(self.program), command, "-address", f"{ADDRESS}:{port}"]
        for name, value in flags.items():
            words += [f"-{name.replace('_', '-')}", str(value)]
        with on_core(self.core):
            process = subprocess.Popen(
                words,
                env=os.environ | GO_ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        with process:
            try:
                yield Conversation(process)
            finally:
                process.kill()
                if process.stdin is not None:
                    with contextlib.suppress(
                        BrokenPipeError
                    ):  # what it was told last is still there
                        process.stdin.close()
