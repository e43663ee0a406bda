"""Structs as JSON sees them."""

from __future__ import annotations

from typing import Any

import msgspec


def by_key(struct: msgspec.Struct) -> dict[str, Any]:
    """The values of its fields as they are, by their keys in JSON, in order."""
    names = zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True)
    return {key: getattr(struct, name) for key, name in names}
