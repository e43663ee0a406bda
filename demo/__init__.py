"""A made-up company's AWS activity, with attack stories in it: `generate` writes it to a folder."""

from __future__ import annotations

from demo.generate import Summary, generate

__all__ = ["Summary", "generate"]
