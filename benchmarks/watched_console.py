"""The console with its imports watched: `python -m benchmarks.watched_console FILE MODULE,... ARGUMENT...`.

Each of the modules that is imported is appended to FILE, a line each.
"""

import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


class _Watcher(importlib.abc.MetaPathFinder):
    """Finds nothing; only sees what is looked for."""

    def __init__(self, file: Path, modules: frozenset[str]) -> None:
        self._file = file
        self._modules = modules

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Write it down; the other finders find it."""
        if fullname in self._modules:
            with self._file.open("a") as lines:
                lines.write(f"{fullname}\n")
        return None


if __name__ == "__main__":
    sys.meta_path.insert(0, _Watcher(Path(sys.argv[1]), frozenset(sys.argv[2].split(","))))
    sys.argv[1:] = sys.argv[3:]
    from mds_tui.cli import main

    main()
