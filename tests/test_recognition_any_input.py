"""Arbitrary text, bytes and JSON: alerts, or `AlertUnrecognised`, and nothing else ever."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import account_of_key, correct, parse_alerts
from tests.test_alert_guardduty import ASFF, EVENTBRIDGE, OCSF, SEQUENCE
from tests.test_recognition_shapes import SAME_CALL
from trail.errors import AlertUnrecognised
from trail.read.structs import struct_in

_KEYS = """
Records Findings Events detail Message Body awslogs data logEvents message _raw _source
event original hits result eventName eventSource eventTime userIdentity type principalId arn
sessionContext attributes creationDate sessionIssuer service resource accessKeyDetails
action awsApiCallAction detection sequence actors user signals activities api endpoints ip
eventFirstSeen severity Resources SchemaVersion ProductArn GeneratorId Details Severity
Types class_uid finding_info evidences actor insightDetails eventType useridentity eventname
aws cloudtrail user_identity resourcesAffected configRuleName resourceType requestParameters
instanceDetails iamInstanceProfile instanceId lambdaDetails role title additionalInfo value
"""
KEYS = st.sampled_from(_KEYS.split())
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "2.0",
            "2018-10-08",
            "AwsCloudTrailInsight",
            "AttackSequence",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-12:00",
            "arn:aws:iam::111122223333:role/x",
            "AROAX:y",
            '{"a": [1]}',
            "{a=b, c={d}}",
            "\ud800",
            "\x00",
            10**400,
            1e308,
        ]
    )
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=8)
    ),
    max_leaves=30,
)
REAL = st.sampled_from([*SAME_CALL.values(), EVENTBRIDGE, SEQUENCE, ASFF, OCSF])


def _parses_or_is_unrecognised(pasted: str | bytes) -> None:
    try:
        alerts = parse_alerts(pasted)
    except AlertUnrecognised:
        return
    assert alerts
    for alert in alerts:
        alert.raw.encode()  # what follows stores it
        assert "\x00" not in alert.title
        alert.title.encode()
        for time in (alert.first_seen, alert.last_seen):
            assert time is None or (time.utcoffset() is not None and 2006 <= time.year < 2200)
        assert (alert.first_seen is None) == (alert.last_seen is None)
        assert all(person.type for person in alert.principals)
        assert correct(alert).id == alert.id


@given(JSON)
@settings(max_examples=400, deadline=None)
def test_any_json(value: Any) -> None:
    _parses_or_is_unrecognised(json.dumps(value))


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text(text: str) -> None:
    _parses_or_is_unrecognised(text)


@given(st.binary() | st.binary().map(lambda rest: b"\x1f\x8b" + rest))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data: bytes) -> None:
    _parses_or_is_unrecognised(data)


@given(REAL, st.data())
@settings(max_examples=300, deadline=None)
def test_real_alerts_with_any_part_replaced(sample: Any, data: st.DataObject) -> None:
    if isinstance(sample, str):
        cut = data.draw(st.integers(0, len(sample)))
        _parses_or_is_unrecognised(sample[:cut])
        return
    changed = json.loads(json.dumps(sample))
    target = changed
    for _ in range(data.draw(st.integers(0, 6))):
        keys = list(target) if isinstance(target, dict) else list(range(len(target)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(target[key], dict | list) or data.draw(st.booleans()):
            target[key] = data.draw(JSON)
            break
        target = target[key]
    _parses_or_is_unrecognised(json.dumps(changed))


@given(st.text(alphabet="{}[]=, ab"))
def test_any_struct(text: str) -> None:
    struct_in(text)


@given(st.text() | st.from_regex(r"(AKIA|ASIA|AROA)[A-Z2-7]{16,17}", fullmatch=True))
def test_any_key(text: str) -> None:
    account = account_of_key(text)
    assert account is None or (len(account) == 12 and account.isdigit())


def test_hostile_text_is_read_in_little_time() -> None:
    for hostile in (
        "[1 " * 200_000,
        '{"a ' * 200_000,
        "{a=" * 100_000,
        "1." * 200_000,
        ":" * 400_000,
    ):
        _parses_or_is_unrecognised(hostile)


def test_duplicate_keys_and_not_a_number_are_no_obstacle() -> None:
    (alert,) = parse_alerts(
        '{"eventName": "A", "eventName": "B", "userIdentity": {}, "x": NaN, "y": -Infinity, '
        '"eventTime": "2026-03-10T12:00:00Z", "eventSource": "\\ud800.amazonaws.com"}'
    )
    assert alert.event_name == "B"
    assert alert.event_source == "\ufffd.amazonaws.com"


def test_numbers_of_any_length_are_no_obstacle() -> None:
    digits = "9" * 5000
    (alert,) = parse_alerts(
        f'{{"eventName": "A", "userIdentity": {{}}, "eventTime": {digits}, "eventSource": "x"}}'
    )
    assert alert.first_seen is None


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_any_json_as_python_prints_it(value: Any) -> None:
    _parses_or_is_unrecognised(repr({"eventName": "A", "userIdentity": {}, "eventTime": value}))


@given(st.text(alphabet="{}[]'\"\\:,()1jb. \n", max_size=60))
@settings(max_examples=200, deadline=None)
def test_anything_like_a_python_value(text: str) -> None:
    _parses_or_is_unrecognised("{'" + text)
    _parses_or_is_unrecognised("[{'a':" + text + "}]")
