"""Made-up worlds whose truth is known: what is claimed surely is true (§3.4)."""

from __future__ import annotations

import base64
import copy
import json
from collections import Counter

import pytest

from alerts.account_of_key import account_of_key
from bench.truth.alerts import FORMS
from bench.truth.judging import judge
from bench.truth.kinds import KINDS
from bench.truth.running import Made, make, run, table, write_out

SEED = 1
WORLDS = range(500)


def test_no_sure_claim_is_wrong_and_keys_are_found():
    """500 worlds in one index: precision of what is certain or high, recall."""
    tally = run(SEED, WORLDS, threads=2)
    told = "\n".join(table(tally))

    assert tally.broken == [], told
    assert tally.coverage == [], told
    answered, missed = tally.recalled["answered"], tally.recalled["missed"]
    assert answered + missed > 120, "too few of the alerts have a key that can be found"
    assert answered / (answered + missed) >= 0.99, told
    # What nobody can know stays rare, and the answers do claim something.
    assert len(tally.undecided) <= 15, told
    by_confidence = Counter()
    for (_, confidence, _), count in tally.claims.items():
        by_confidence[confidence] += count
    assert by_confidence["certain"] > 250, told
    assert by_confidence["high"] > 60, told
    assert not {"failed", "unrecognised"} & set(tally.statuses), told


def test_every_kind_and_every_form_is_asked():
    made = [make(SEED, number) for number in WORLDS]
    assert {one.world.kind for one in made} == set(KINDS)
    assert {one.asked.form for one in made} == set(FORMS)


def test_a_world_is_always_the_same():
    first, again = make(7, 11), make(7, 11)
    assert first.files == again.files
    assert first.asked.text == again.asked.text
    assert make(8, 11).files != first.files


def test_a_world_can_be_looked_at(tmp_path):
    written = write_out(SEED, 3, tmp_path / "world")
    assert {path.name for path in written} >= {"truth.txt"}
    assert any(path.parent.name == "logs" for path in written)
    assert all(path.stat().st_size for path in written)


def test_keys_and_ids_hold_their_account():
    """As the domain reference's check values do (§2.5), by its own arithmetic."""
    world = make(SEED, 4).world
    for session in world.sessions:
        if session.key is None:
            continue
        number = int.from_bytes(base64.b32decode(session.key[4:])[:6], "big")
        assert f"{(number & 0x7FFFFFFFFF80) >> 7:012d}" == session.account
        assert account_of_key(session.key) == session.account


# the judge


def a_plain_world() -> Made:
    """The first whose alert shows its key, minted by a user's call that is in the logs."""
    for number in range(0, 400):
        made = make(SEED, number)
        asked = made.asked
        steps = asked.starts[0].steps
        if (
            len(asked.starts) == 1
            and asked.key is not None
            and len(steps) == 1
            and steps[0].minted == asked.key
            and steps[0].caller.type == "IAMUser"
            and steps[0].caller.steps == []
            and not steps[0].events & made.done.gone
            and made.done.mask is None
        ):
            return made
    raise AssertionError("no such world")


def true_answer(made: Made) -> dict:
    step = made.asked.starts[0].steps[0]
    caller = step.caller
    return {
        "status": "answered",
        "data": {
            "chain": [
                {
                    "event_id": min(step.events),
                    "method": "access_key",
                    "rule": "R1",
                    "confidence": "certain",
                    "by": {
                        "arn": caller.arn,
                        "principal_id": caller.principal,
                        "access_key_id": caller.key,
                        "user_name": caller.user_name,
                    },
                }
            ],
            "origin": {"type": "IAMUser", "arn": caller.arn, "label": caller.user_name},
        },
    }


def test_the_judge_finds_a_true_answer_true():
    made = a_plain_world()
    verdict = judge(made.world, made.done, made.asked, true_answer(made))
    assert [(claim.what, claim.right) for claim in verdict.claims] == [
        ("hop 1", True),
        ("origin", True),
    ]
    assert verdict.recalled is True


@pytest.mark.parametrize("field", ["arn", "principal_id", "user_name", "access_key_id"])
def test_the_judge_sees_a_wrong_person(field):
    made = a_plain_world()
    answer = true_answer(made)
    answer["data"]["chain"][0]["by"][field] = "ASIAQQQQABCD22223333"
    claim = judge(made.world, made.done, made.asked, answer).claims[0]
    assert (claim.right_event, claim.right_person, claim.broken) == (True, False, True)


def test_the_judge_sees_a_wrong_event_and_a_wrong_origin():
    made = a_plain_world()
    answer = true_answer(made)
    right = answer["data"]["chain"][0]["event_id"]
    other = next(rec.id for rec in made.world.records if rec.id != right)
    answer["data"]["chain"][0]["event_id"] = other
    answer["data"]["origin"] |= {"arn": "arn:aws:iam::111122223333:user/mallory"}
    verdict = judge(made.world, made.done, made.asked, answer)
    assert [claim.broken for claim in verdict.claims] == [True, True]
    assert verdict.recalled is False


def test_the_judge_lets_a_guess_be_wrong():
    made = a_plain_world()
    answer = true_answer(made)
    hop = answer["data"]["chain"][0]
    hop |= {"event_id": "no such event", "confidence": "low", "method": "most_recent"}
    verdict = judge(made.world, made.done, made.asked, copy.deepcopy(answer))
    (claim,) = verdict.claims  # the origin rests on a guess: it is not judged
    assert (claim.right, claim.broken) == (False, False)


def test_masks_are_in_the_logs():
    """Some worlds show no key at all, and none of the masks passes for one."""
    masked = [made for number in WORLDS if (made := make(SEED, number)).done.mask is not None]
    assert len(masked) > 100
    for made in masked:
        if made.done.scope != "all":
            continue
        for text in made.files.values():
            for record in json.loads(text)["Records"]:
                key = record["userIdentity"].get("accessKeyId")
                true = {rec.id: rec.record for rec in made.world.records}[record["eventID"]]
                assert key != true["userIdentity"].get("accessKeyId") or key is None
