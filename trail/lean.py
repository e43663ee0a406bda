"""Half a second less at start-up for processes that need no pandas."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _NoPandas:
    """An importer that has no pandas, asked before those that have."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not wanted in this process", name=name)
        return None


def without_pandas() -> None:
    """For a process of our own only: pyarrow imports pandas at its first array if it finds it."""
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas())
