"""Facts on a source address without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.facts.ip import IP_RANGES_SETTING, ip_facts, network_of, reported_place


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("8.8.8.8", "public"),
        ("10.1.2.3", "private"),
        ("172.31.0.9", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("127.0.0.1", "reserved"),
        ("203.0.113.5", "public"),
        ("2606:4700::1111", "public"),
        ("ec2.amazonaws.com", "aws_service"),
        ("AWS Internal", "aws_internal"),
        ("AWS Internal/2", "aws_internal"),
        ("", "unknown"),
        ("999.1.1.1", "unknown"),
        ("not an ip", "unknown"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert ip_facts(text).kind == kind


def test_a_vpc_endpoint_is_named() -> None:
    facts = ip_facts("10.0.0.8", "vpce-0123456789abcdef0")
    assert "vpce-0123456789abcdef0" in facts.sentence
    assert ip_facts("10.0.0.8", "AWS Internal").sentence.startswith("a private address")


def test_networks() -> None:
    assert network_of("198.51.100.7") == "198.51.100.0/24"
    assert network_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert network_of("::ffff:198.51.100.7") == "198.51.100.0/24"
    assert network_of("cloudformation.amazonaws.com") is None


def test_aws_own_ranges_only_from_a_configured_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ip_facts("3.5.140.9").aws_service is None
    ranges = tmp_path / "ip-ranges.json"
    prefixes = [
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON"},
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3"},
        {"ip_prefix": "3.0.0.0/8", "region": "GLOBAL", "service": "AMAZON"},
    ]
    ranges.write_text(json.dumps({"prefixes": prefixes, "ipv6_prefixes": []}))
    monkeypatch.setenv(IP_RANGES_SETTING, str(ranges))
    facts = ip_facts("3.5.140.9")
    assert (facts.aws_service, facts.aws_region) == ("S3", "ap-northeast-2")
    assert ip_facts("9.9.9.9").aws_service is None
    # A file that is no such list is as good as none.
    broken = tmp_path / "broken.json"
    broken.write_text("[1]")
    monkeypatch.setenv(IP_RANGES_SETTING, str(broken))
    assert ip_facts("3.5.140.9").kind == "public"


def test_what_guardduty_reports_of_a_remote_address_in_both_spellings(real_data: Path) -> None:
    folder = real_data / "guardduty-samples" / "events"
    place = reported_place((folder / "guardduty_iam_event.json").read_text())
    assert place is not None
    assert place.ip_address == "198.51.100.0"
    assert place.country == "GeneratedFindingCountryName"
    assert (place.asn, place.organization) == ("-1", "GeneratedFindingASNOrg")
    details = {
        "RemoteIpDetails": {"IpAddressV4": "203.0.113.1", "Country": {"CountryName": "Utopia"}}
    }
    pascal = reported_place(json.dumps({"Service": {"Action": {"AwsApiCallAction": details}}}))
    assert pascal is not None
    assert (pascal.country, pascal.city) == ("Utopia", None)
    assert reported_place("not JSON") is None
    assert reported_place('{"a": [1, {"b": null}]}') is None


@given(st.text(max_size=60))
def test_any_text_has_facts(text: str) -> None:
    assert ip_facts(text).sentence
