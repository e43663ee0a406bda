"""The table of what makes and undoes a thing: its fields are those of AWS's own service models, and
of real records where CloudTrail writes them in another way than the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from enrich.facts.made_and_undone import THINGS, End, Thing, event_names, makes
from enrich.facts.techniques import plain_name

# CloudTrail's own spelling (CloudTrail user guide and real records): S3 calls the bucket
# `bucketName`, TerminateInstances lists `instancesSet.items.instanceId` in its request, and EC2's
# later calls stand in an element of their own.
OWN_SPELLING = {
    "bucketName", "instancesSet.items.instanceId",
    ">CreateNatGatewayResponse.natGateway.natGatewayId", "DeleteNatGatewayRequest.NatGatewayId",
    ">CreateFlowLogsResponse.flowLogIdSet.item", "DeleteFlowLogsRequest.FlowLogId.content",
}  # fmt: skip
_SESSION = botocore.session.get_session()


def calls(thing: Thing) -> Iterator[tuple[str, str]]:
    """Each call of the thing with each path that is read in its record."""
    for api in thing.apis:
        for path in thing.name:
            yield api, path
        for end in (*thing.ends, *thing.revived_by):
            for made, _ in end.same:
                yield api, made
    for end in (*thing.ends, *thing.revived_by):
        for _, undone in end.same:
            yield end.api, undone
        for path in (end.where[0] if end.where else None, end.unless):
            if path is not None:
                yield end.api, path


def has(shape: Any, path: str) -> bool:
    """Whether a request or response has a field, by its name or as EC2 writes it out."""
    for part in path.casefold().split("."):
        if part == "items":  # how CloudTrail writes EC2's lists
            continue
        while shape is not None and shape.type_name == "list":
            shape = shape.member
        if shape is None or shape.type_name != "structure":
            return False
        shape = next(
            (
                member
                for name, member in shape.members.items()
                if part in (name.casefold(), str(member.serialization.get("name", "")).casefold())
            ),
            None,
        )
    return shape is not None


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: f"{thing.kind}, {thing.apis[0]}")
def test_every_field_is_one_of_aws_s_own(thing: Thing) -> None:
    model = _SESSION.get_service_model(thing.source)
    for api, path in calls(thing):
        assert api in model.operation_names, api
        if path in OWN_SPELLING or path[0] in "=*":
            continue
        operation = model.operation_model(api)
        shape = operation.output_shape if path[0] == ">" else operation.input_shape
        assert has(shape, path.lstrip(">")), (api, path)


def test_a_field_that_aws_does_not_have_would_be_found() -> None:
    shape = _SESSION.get_service_model("iam").operation_model("DeleteUser").input_shape
    assert has(shape, "userName")
    assert not has(shape, "user")


def test_what_real_records_say_is_what_is_read(stratus_store: Any) -> None:
    """Of every thing that the real run made and undid, its records have all of the fields."""
    summary = stratus_store.summary()
    rows = stratus_store.query(
        """
        select event_source, event_name, request_parameters, response_elements from events
        where event_time >= $first and event_time <= $last and not failed
        """,
        {"first": summary.first, "last": summary.last},
        first=summary.first,
        last=summary.last,
    ).rows
    seen = {(row["event_source"].partition(".")[0], plain_name(row["event_name"])) for row in rows}
    made = {thing.kind for thing in THINGS for api in thing.apis if (thing.source, api) in seen}
    assert {"user", "role", "access key", "console password", "trail", "instance"} <= made
    assert {"NAT gateway", "flow log"} <= made  # whose fields no model of AWS's holds
    from enrich.ledger.named import Record

    for row in rows:
        for thing in THINGS:
            if row["event_name"] in makes(thing) and row["event_source"].startswith(thing.source):
                named = Record(row | {"user_name": None}).shown(thing)
                is_share = thing.kind.startswith("share of ")  # the same call takes it back, too
                assert named or is_share, (row["event_name"], thing.name)


def test_names_of_calls_have_lambda_s_versions() -> None:
    function = next(thing for thing in THINGS if thing.kind == "function")
    assert "CreateFunction20150331" in makes(function)
    assert "DeleteFunction20150331" in event_names(function, ("DeleteFunction",))
    user = next(thing for thing in THINGS if thing.kind == "user")
    assert makes(user) == ("CreateUser",)


def test_everything_has_a_way_to_be_undone() -> None:
    for thing in THINGS:
        assert thing.ends, thing.kind
        assert all(isinstance(end, End) and end.same for end in thing.ends)
