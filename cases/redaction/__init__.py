"""Redaction: the same document with everything that identifies someone or something replaced.

```
places.py      what each place of a document holds: ours, a name, our sentence, someone's text
forms.py       what shows what it is by its form: ARNs, keys, accounts, addresses, hosts, e-mails
hidden.py      what can be read inside encodings: percent, HTML, JSON, base64, hex, UTF-16
kinds.py       the stand-ins: user-1, role-2, 999900000003
own_words.py   the words that our own sentences are made of
originals.py   one walk that collects what must go
rewrite.py     one walk that replaces it, and looks again
```

Values are rewritten by what they are. Times, counts, our own keys and the words of our own
sentences are never touched, whatever somebody's session is called; everything that came from a log,
an alert or a person's text is searched for every original, in every encoding we know of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cases.redaction.rewrite import DROPPED, Redactor

__all__ = ["DROPPED", "Redactor", "redact"]


def redact(document: Any, words: Iterable[str] = ()) -> Any:
    """The document with stand-ins; `words` are the customer's own, to be replaced as well."""
    return Redactor(document, words=words).redact(document)
