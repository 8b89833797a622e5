"""Builds wheels whose way of a request is compiled to C by mypyc: the same modules, the same rules.

Only where it is asked for (``make compiled``): without a compiler, and in every other wheel, the
modules are what they are here, plain Python.
"""

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What every request passes, and nothing that waits for anything else.
COMPILED = (
    *("wire/body", "wire/fields", "wire/request", "wire/response"),
    *("proxy/frontend", "proxy/limits", "proxy/tls", "proxy/tunnel", "proxy/upstream"),
)


class CompiledHook(BuildHookInterface[Any]):
    """Compiles, and puts what comes of it beside the modules."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it makes a wheel."""
        if version != "standard":  # an editable installation runs the files that are edited
            return
        from mypyc.build import mypycify  # noqa: PLC0415 - there only when asked for
        from setuptools import Distribution  # noqa: PLC0415

        build = Path(tempfile.mkdtemp(prefix="koproxy-compiled-"))
        modules = [f"koproxy/{name}.py" for name in COMPILED]
        extensions = mypycify(modules, opt_level="3", target_dir=str(build / "c"))
        command = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(build / "lib"), str(build / "temp")
        command.ensure_finalized()
        command.run()
        for made in (build / "lib").rglob("*.so"):
            build_data["force_include"][str(made)] = str(made.relative_to(build / "lib"))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
