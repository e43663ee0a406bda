"""What is an access key, and what only stands where one was masked (§3.4 rule 1)."""

from __future__ import annotations

import pytest

from trail.access_keys import is_access_key, is_stand_in


@pytest.mark.parametrize(
    "key",
    [
        "ASIAY34FZKBOKMUTVV7A",
        "AKIA2GDPCIYTBCF2Z7LK",
        "ABIA2GDPCIYTBCF2Z7LK",
        "ACCA2GDPCIYTBCF2Z7LK",
        "ASIA2GDPCIYTPURG",  # older ones are shorter, and AWS may make longer ones
        "ASIA2GDPCIYTPURG5NQJ2GDPCIYTPURG",
        "ASIA2GDPCIYT7777777J",  # seven alike may be chance
    ],
)
def test_a_key_of_awss_form_is_a_key(key):
    assert is_access_key(key)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "REDACTED",
        "null",
        "Unknown",
        "AKIA****************",
        "ASIA2GDPCIYT********",
        "ASIAXXXXXXXXXXXXXXXX",
        "ASIA2GDP00000000J2GK",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "AKIAI44QH8DHBEXAMPLE",
        "AIDA2GDPCIYTBMRU64M4H",
        "asia2gdpciytpurg5nqj",
        "ASIA2GDPCIY",
        "ASIA2GDPCIYTPURG5NQJ ",
        "GeneratedFindingAccessKeyId",
    ],
)
def test_masks_placeholders_and_documentation_are_no_keys(text):
    assert not is_access_key(text)


def test_a_stand_in_is_known_by_its_mask_or_its_word():
    for text in ("AROA****************:bob", "REDACTED", "<redacted>", "null", "***", "Unknown"):
        assert is_stand_in(text)
    for text in (None, "AROA2GDPCIYTNR2A5GJBK:terraform", "alice", "redacted-by-bob"):
        assert not is_stand_in(text)
