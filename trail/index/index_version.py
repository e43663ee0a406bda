"""Which index a version is of: a `Store.version()` is `INDEX-N.CONTENT`, INDEX's N-th publication.

INDEX is random, made with the catalog and kept by `migrate`. What was worked out from one index is
so told apart from what another one says, even where both are used with one case database. CONTENT
is a hash over what all its publications brought and removed: a folder that was copied keeps INDEX,
and counts on by itself. A version of before there was one is `INDEX-N`.
"""

from __future__ import annotations


def index_of(version: str) -> str:
    """The index's own id, the same in all its versions; "" for a version that names none."""
    return version.rpartition("-")[0]


def number_of(version: str) -> str:
    """The count of publications in it."""
    return version.rpartition("-")[2].partition(".")[0]
