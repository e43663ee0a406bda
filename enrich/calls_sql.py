"""SQL pieces for counting calls rather than rows."""

from __future__ import annotations


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


def each_call(columns: str, condition: str) -> str:
    """A relation of `events` rows with one row per call, the caller's copy where there are two.

    For statements with many counts: a distinct count for each of them costs ten times as much.
    """
    return f"""(
        select {columns} from events where {condition} and shared_event_id is null
        union all
        select {columns} from (
            select {columns}, row_number() over (
                partition by shared_event_id
                order by case when identity_type = 'AWSAccount' then 1 else 0 end, event_id
            ) as copy
            from events where {condition} and shared_event_id is not null
        ) as copies where copy = 1
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
