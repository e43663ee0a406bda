"""Which function reads the content of which API: a table per topic, joined in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from alerts.content.call import Call
from alerts.content.sign import ContentSign

Reader = Callable[[Call], Iterator[ContentSign]]
Api = tuple[str, str]
"""Event source and event name without its version date."""
Readers = Mapping[Api, Reader]


def readers(*rows: tuple[str, str, Reader]) -> dict[Api, Reader]:
    """Service labels and API names, spaces between them, with what reads them."""
    return {
        (f"{service}.amazonaws.com", name): reader
        for services, names, reader in rows
        for service in services.split()
        for name in names.split()
    }
