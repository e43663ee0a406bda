"""The words that our own keys, codes and sentences are made of, so that no name among them is
mistaken for one: somebody's session may be called `console`, `answers` or `backup`.

`own_words.txt` is written by `python -m cases.redaction.own_words` from the literals of the source
files, docstrings left out; a test finds a word that is not in it yet.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("own_words.txt")
_SOURCES = ("trail", "alerts", "enrich", "cases")
_WORD = re.compile(r"(?<![a-z0-9])[a-z]+[0-9]{1,3}(?![a-z0-9])|[a-z]{2,}")  # s3, ec2
_CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")


@cache
def own_words() -> frozenset[str]:
    """Words and codes of ours in lower case: `session`, `console`, `access_key`."""
    return frozenset(_FILE.read_text("utf-8").split())


def words_in_sources(root: Path) -> set[str]:
    """What `own_words.txt` must hold at the least, read from the sources below `root`."""
    found: set[str] = set()
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            docstrings = {
                id(node.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    if id(node) not in docstrings:
                        found |= _words(node.value)
                elif isinstance(node, ast.AnnAssign | ast.arg):
                    # The fields of our dataclasses are keys of our documents.
                    target = node.target if isinstance(node, ast.AnnAssign) else None
                    if isinstance(target, ast.Name):
                        found |= _words(target.id)
    return found


def _words(text: str) -> set[str]:
    return {*_WORD.findall(text.lower()), *_CODE.findall(text)}


if __name__ == "__main__":
    words = sorted(words_in_sources(Path(__file__).resolve().parents[2]))
    _FILE.write_text("\n".join(words) + "\n", "utf-8")
