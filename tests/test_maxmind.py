"""Places from MaxMind-format files, written by a library of its own and read as users have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from enrich.facts.maxmind import FILES_SETTING, located, unreadable_files
from ui.kit.address_words import about_address


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A city file and an ASN file, both configured."""
    city, asn = tmp_path / "city.mmdb", tmp_path / "asn.mmdb"
    places = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-City")
    places.insert_network(
        IPSet(["8.8.8.0/24", "2001:4860::/32"]),
        {
            "country": {"iso_code": "NL", "names": {"en": "Netherlands", "de": "Niederlande"}},
            "city": {"names": {"en": "Exampleton"}},
        },
    )
    places.to_db_file(str(city))
    owners = MMDBWriter(ip_version=4, database_type="GeoLite2-ASN")
    owners.insert_network(
        IPSet(["8.8.0.0/16"]),
        {
            "autonomous_system_number": 64496,
            "autonomous_system_organization": "Example Hosting <img src=x>",
        },
    )
    owners.to_db_file(str(asn))
    monkeypatch.setenv(FILES_SETTING, os.pathsep.join([str(city), str(asn)]))
    return city, asn


def test_what_several_files_know_is_put_together(files: tuple[Path, Path]) -> None:
    place = located("8.8.8.8")
    assert place is not None
    assert (place.country, place.city) == ("Netherlands", "Exampleton")
    assert (place.asn, place.organization) == ("64496", "Example Hosting <img src=x>")


def test_an_ipv6_address_is_not_asked_of_an_ipv4_file(files: tuple[Path, Path]) -> None:
    place = located("2001:4860:4860::8888")
    assert place is not None
    assert (place.city, place.asn) == ("Exampleton", None)


@pytest.mark.parametrize("text", ["9.9.9.9", "ec2.amazonaws.com", "AWS Internal", "", None])
def test_what_the_files_do_not_know_is_not_made_up(
    files: tuple[Path, Path], text: str | None
) -> None:
    assert located(text) is None


def test_the_page_says_the_place_and_where_it_has_it_from(files: tuple[Path, Path]) -> None:
    said = about_address("8.8.8.8")
    assert said is not None
    assert "Exampleton, Netherlands" in said
    assert "AS64496" in said
    assert "MaxMind" in said


def test_without_files_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILES_SETTING, raising=False)
    assert located("8.8.8.8") is None
    assert about_address("8.8.8.8") == "a public address"


def test_a_file_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, gone = tmp_path / "broken.mmdb", tmp_path / "gone.mmdb"
    broken.write_bytes(b"not a database")
    monkeypatch.setenv(FILES_SETTING, os.pathsep.join([str(broken), str(gone)]))
    assert located("8.8.8.8") is None
    assert [problem.split(":")[0] for problem in unreadable_files()] == [str(broken), str(gone)]
    assert "cannot be read" in (about_address("8.8.8.8") or "")
