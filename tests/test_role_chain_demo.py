"""Role chains and roles assumed in the demo's stories: what its own truth file says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from answered import data_of

import demo
from alerts.parse import parse_alerts
from enrich.questions.assumed_by import assumed_by
from enrich.questions.roles_assumed import roles_assumed
from trail.index.build import add
from trail.store import Store, open_store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.generate(tmp_path_factory.mktemp("demo"), events=5_000).folder


@pytest.fixture(scope="module")
def store(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    index = tmp_path_factory.mktemp("demo-index")
    add([made / "logs"], index)
    return open_store(index)


@pytest.fixture(scope="module")
def cases(made: Path) -> list[tuple[Any, Any, dict[str, Any]]]:
    """Every alert with each principal that it names, and the truth about that principal."""
    truth = json.loads((made / "truth.json").read_text())
    entries = truth["alerts"] if isinstance(truth, dict) else truth
    found = []
    for entry in entries:
        (alert,) = parse_alerts((made / entry["alert"]).read_text())
        told = [entry, *entry["also"]]
        assert len(alert.principals) == len(told)
        found += [(alert, who, one) for who, one in zip(alert.principals, told, strict=True)]
    assert len(found) >= 9
    return found


def test_every_storys_chain_is_found_hop_by_hop(cases, store):
    for alert, principal, truth in cases:
        answer = assumed_by(alert, principal, store)
        keys = ("event_id", "event_name", "event_time", "method", "role_arn")
        assert [[hop[key] for key in keys] for hop in data_of(answer)["chain"]] == [
            [hop[key] for key in keys] for hop in truth["chain"]
        ], truth["id"]
        for hop, told in zip(data_of(answer)["chain"], truth["chain"], strict=True):
            assert {key: hop["by"][key] for key in told["by"]} == told["by"], truth["id"]
            assert hop["minted_access_key_id"] == told["minted_access_key_id"]
            assert hop["confidence"] in ("certain", "high"), truth["id"]
            copies = {told["copy_event_id"], told["sign_in_event_id"]} - {None}
            assert copies <= set(answer.evidence), truth["id"]


def test_every_storys_origin_is_named(cases, store):
    for alert, principal, truth in cases:
        origin = data_of(assumed_by(alert, principal, store))["origin"]
        told = truth["origin"]
        assert {key: origin[key] for key in told} == told, truth["id"]
        assert origin["field"], truth["id"]


def test_every_storys_assumptions_are_counted(cases, store):
    keys = (
        "role_arn",
        "result",
        "error_code",
        "interface",
        "count",
        "first",
        "last",
        "after_alert",
    )
    for alert, principal, truth in cases:
        data = data_of(roles_assumed(alert, principal, store))
        told = truth["roles_assumed"]
        assert (data["from"], data["to"]) == (told["from"], told["to"])
        assert sorted(str([role[key] for key in keys]) for role in data["roles"]) == sorted(
            str([role[key] for key in keys]) for role in told["roles"]
        ), truth["id"]


def test_the_leaked_key_is_seen_to_enumerate_and_its_tree_shows_the_chained_roles(cases, store):
    alert, principal, _ = next(case for case in cases if case[2]["id"] == "leaked-key-enumeration")
    assert data_of(roles_assumed(alert, principal, store))["enumeration"]["targets"] >= 20

    def names(node):
        return [
            [branch["role_arn"].rpartition("/")[2], *names(branch)] for branch in node["sessions"]
        ]

    tree = data_of(assumed_by(alert, principal, store))["forward"]
    assert ["example-deploy-broker", ["example-secrets-reader"]] in names(tree)


def test_the_stolen_credential_is_not_called_benign(cases, store):
    alert, principal, _ = next(case for case in cases if case[2]["id"] == "stolen-instance-role")
    assert "may have left that instance" in assumed_by(alert, principal, store).sentence
