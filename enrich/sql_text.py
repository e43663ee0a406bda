"""SQL text around values: patterns, lists of bound values, and which values a text mentions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any


def like_text(text: str) -> str:
    """The text as a pattern for `like … escape '!'` that matches just it."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def of_that_name(
    column: str, bound: str, account: str, kind: str, name: str
) -> tuple[str, dict[str, Any]]:
    """The condition that a column has the ARN of a role or a user (`kind`) of an account ("%" for
    any), and the values that it binds. Names are unique in an account whatever their path and case
    (§9), and an ARN that is built from a session's has no path.
    """
    escaped = like_text(name.lower())
    condition = (
        f"lower({column}) like ${bound} escape '!'"
        f" or lower({column}) like ${bound}_in_path escape '!'"
    )
    return condition, {
        bound: f"arn:%:iam::{account}:{kind}/{escaped}",
        f"{bound}_in_path": f"arn:%:iam::{account}:{kind}/%/{escaped}",
    }


def bound_list(name: str, values: Sequence[object]) -> str:
    """`($name_0, $name_1, …)` for an `in`, beside `bound_values`."""
    return "(" + ", ".join(f"${name}_{n}" for n in range(len(values))) + ")"


def bound_values(name: str, values: Sequence[object]) -> dict[str, Any]:
    """The values of a `bound_list` by their names in it."""
    return {f"{name}_{n}": value for n, value in enumerate(values)}


def values_in(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the text mentions: engines refuse values that they are not asked for."""
    named = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in parameters.items() if name in named}
