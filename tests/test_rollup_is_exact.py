"""Counting by the day rollup and its edges, beside counting the window's events one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from a_dashboard import write_gz
from hypothesis import example, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore
