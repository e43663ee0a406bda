"""Which index a version is of: a `Store.version()` is `INDEX-N`, the N-th publication of INDEX.

INDEX is random, made with the catalog and kept by `migrate`. What was worked out from one index is
so told apart from what another one says, even where both are used with one case database.
"""

from __future__ import annotations


def index_of(version: str) -> str:
    """The index's own id, the same in all its versions; "" for a version that names none."""
    return version.rpartition("-")[0]
