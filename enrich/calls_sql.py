"""SQL pieces for counting calls rather than rows."""

from __future__ import annotations

from collections.abc import Mapping


def calls(condition: str | None = None) -> str:
    """The number of calls among the rows (those that meet the condition).

    A call across accounts is logged in both, with one `shared_event_id`: it counts once (§0, 8).
    """
    single = "shared_event_id is null"
    if condition is None:
        return f"(count(*) filter (where {single}) + count(distinct shared_event_id))"
    return (
        f"(count(*) filter (where {single} and ({condition}))"
        f" + count(distinct shared_event_id) filter (where {condition}))"
    )


def grouped_calls(keys: Mapping[str, str], condition: str) -> str:
    """A relation of groups of calls: the keys by name, `n`, `first_time` and `last_time`.

    For statements with many counts. A call that is logged twice is a group of its own, of its
    caller's copy, so that further sums and distinct counts over these few rows stay exact, and
    the events are read once.
    """
    told = ", ".join(f"{sql} as {name}" for name, sql in keys.items())
    numbers = ", ".join(str(number + 1) for number in range(len(keys) + 2))
    return f"""(
        select {", ".join(keys)}, case when shared_event_id is null then n else 1 end as n,
            first_time, last_time
        from (
            select *, row_number() over (
                partition by shared_event_id order by is_owners_copy, first_time
            ) as copy
            from (
                select {told}, shared_event_id,
                    coalesce(identity_type = 'AWSAccount', false) as is_owners_copy,
                    count(*) as n, min(event_time) as first_time, max(event_time) as last_time
                from events where {condition}
                group by {numbers}
            ) as grouped
        ) as copies
        where shared_event_id is null or copy = 1
    )"""  # noqa: S608 - callers pass their own constants, values are bound


ORIGINAL_RULE = """(
    failed
    or not (
        (event_name like 'Get%' and event_name <> 'GetPasswordData')
        or event_name like 'List%' or event_name like 'Head%' or event_name like 'Describe%'
    )
)"""
"""The original write-up's "interesting" (§6.1): by the name's beginning, case and all."""

BY_SERVICE = "invoked_by like '%.amazonaws.com' and invoked_by <> 'signin.amazonaws.com'"
"""A call that an AWS service made on the caller's behalf; the console's sign-in is a person."""

IN_CONSOLE = """coalesce(session_from_console, false)
    or invoked_by = 'signin.amazonaws.com'
    or user_agent = 'signin.amazonaws.com'
    or user_agent like 'console.%amazonaws.com'
    or user_agent like '%S3Console/%'
    or user_agent like 'Mozilla/%'"""
"""A call that a person made in the console (§4.2), by its stronger signs."""
