"""What is an access key, and what only stands where one was masked (§3.4 rule 1)."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from trail.access_keys import is_access_key, is_doubtful_key, is_stand_in


@pytest.mark.parametrize(
    "key",
    [
        "ASIAY34FZKBOKMUTVV7A",
        "AKIA2GDPCIYTBCF2Z7LK",
        "ABIA2GDPCIYTBCF2Z7LK",
        "ACCA2GDPCIYTBCF2Z7LK",
        "ASIA2GDPCIYTPURG",  # older ones are shorter, and AWS may make longer ones
        "ASIA2GDPCIYTPURG5NQJBCF2Z7LKWMVX",
        "ASIA2GDPCIYT7777777J",  # seven alike may be chance
        "AKIATFQR7NSC8Q4X20BJ",  # randomised, in published logs: AWS has no 0, 1, 8, 9
        "ASIAQQQQABCD22223333",
        "ASIAQQQQWWWWEEEERRRR",
        "ASIATESTPURG5NQJ2GDP",  # a short word may be chance
        "ASIA2GDP5NQJPURGMASK",
        "ASIAROLESESSION00001",
        "ASIA2GDPCIYTP2GDPC5N",  # five characters that come again may be chance
        "ASIATOKEN7Q2XWJ4RNZP",
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
        "ASIA" + "2GDPCIYT" * 16,  # of more than 128 characters
        "ASIAREDACTEDREDACTED",
        "AKIAREDACTED2GDPCIYT",
        "ASIAANONYMIZED000001",
        "ASIAANONYMISED000002",
        "ASIAMASKEDMASKEDMASK",
        "ASIAMASKED0000000001",
        "ASIAEXAMPLEEXAMPLE12",
        "AKIA2GDPCIYTPEXAMPLE",
        "ASIA1234567890EXAMPLE",
        "ASIAXXXXXX1234XXXXXX",
        "ASIAXXXX0000XXXXXXXX",
        "ASIAHIDDENHIDDENHIDD",
        "ASIASAMPLEKEY0000001",
        "AKIAREMOVED12GDPCIYT",
        "AKIADUMMYDUMMYDUMMY1",
        "AKIAFAKEFAKE12345678",
        "AKIATESTTESTTESTTEST",
        "AKIAABCDEFGHIJKLMNOP",
        "ASIA0123456789ABCDEF",
        "ASIA1234567890123456",
        "AKIA9876543210987654",
        "ASIAFILTEREDFILTERED",
        "ASIAABABABABABABABAB",
        "ASIAABC1ABC1ABC1ABC1",
        "ASIAKEYKEYKEYKEYKEYK",
        "ASIAFOOBARFOOBARFOOB",
        "ASIADEADBEEFDEADBEEF",
        "ASIASTRIPPEDSTRIPPED",
        "ASIATHISISNOTAREALKY",
        "ASIAYOURKEYHEREABCDE",
        "AKIAQ7WZQ7WZQ7WZ",  # a shorter one, as there were
        "ASIA2GDPCIYTP2GDPCIY",  # seven characters that come again are none
        "ASIAREPLACEMEREPLACE",
        "ASIAREDACTREDACT7Q2X",
        "AKIAREDACT7Q2XREDACT",
        "ASIAFOOBARFOOBAR7Q2X",
        "ASIA7Q2XFOOBARFOOBAR",
        "ASIATRUNCATEDTRUNCAT",
        "ASIACLEANEDCLEANED12",
        "ASIASNIPPEDSNIPPED12",
        "ASIAOBFUSCATEOBFUSCA",
        "ASIAANONANONANON7Q2X",
        "ASIATOKENTOKENTOKEN1",
        "ASIAMYKEYMYKEYMYKEY1",
        "ASIAKEYKEYKEYKEY7Q2X",
        "ASIAVICTIMKEYVICTIM1",
        "ASIAXXXXYYYYZZZZ7Q2X",
        "ASIAAAAABBBBCCCCDDDD",
        "ASIACOMPROMISEDKEY01",
        "AKIAIOSFODNN7EXAMPL2",
    ],
)
def test_masks_placeholders_and_documentation_are_no_keys(text):
    assert not is_access_key(text)


def test_a_stand_in_is_known_by_its_mask_or_its_word():
    for text in (
        "AROA****************:bob",
        "REDACTED",
        "<redacted>",
        "null",
        "***",
        "Unknown",
        "nil",
        "undefined",
        "xxxxxx",
        "#####",
        "••••",
        "ASIA…7Q2X",
        "ASIA...",
        "<nil>",
        "[PII]",
        "__REDACTED__",
        "HIDDEN_DUE_TO_SECURITY_REASONS",
        "n.a.",
        "NaN",
        "--",
    ):
        assert is_stand_in(text)
    for text in (
        None,
        "AROA2GDPCIYTNR2A5GJBK:terraform",
        "AROA2GDPCIYTNR2A5GJBK:...",
        "...",
        "alice",
        "redacted-by-bob",
        "0",
        "max.x",
        "arn:aws:iam::111122223333:user/xxx1",
    ):
        assert not is_stand_in(text)


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
UNITS = ("FOOBAR", "ABC1", "KEY", "Q7W", "STRIPPED", "2GDPCIYT")
WORDS = ("REDACTED", "MASKED", "ANONYMIZED", "EXAMPLE", "HIDDEN", "SAMPLE", "REMOVED", "DUMMY",
         "FAKE", "TEST")  # fmt: skip


def test_no_key_as_aws_makes_them_is_refused():
    """16 letters and digits of 32, by chance: fewer than one of 100 million is taken for a mask."""
    draw = random.Random("keys of AWS's form")
    keys = ["ASIA" + "".join(draw.choices(LETTERS, k=16)) for _ in range(20_000)]
    assert [key for key in keys if not is_access_key(key) or is_doubtful_key(key)] == []


@pytest.mark.parametrize("key", ["ASIAREDACT7Q2XWJ4RNZ", "AKIA7QWERTYUIOPASDFG"])
def test_a_key_that_looks_like_a_mask_is_a_doubtful_one(key):
    assert is_access_key(key)
    assert is_doubtful_key(key)
    assert is_doubtful_key("ASIA2GDPCIYTP2GDPC5N")
    assert not is_doubtful_key("ASIA2GDPCIYTPURG5NQJ")


def test_no_key_that_published_logs_show_is_refused(real_data: Path):
    shown = set()
    for path in (real_data / "stratus-run-2023" / "CloudTrail").glob("*.json"):
        shown.update(re.findall(r'"accessKeyId": *"([^"]+)"', path.read_text()))
    assert len(shown) > 100
    assert {key for key in shown if not is_access_key(key)} == set()


def test_what_is_written_over_a_key_is_none():
    """A word over and over, or filled up with one letter, or with numbers that count on."""
    draw = random.Random("masks")
    for _ in range(2_000):
        word, prefix = draw.choice(WORDS), draw.choice(("AKIA", "ASIA"))
        letter, start = draw.choice("X0A9Z"), draw.randrange(8)
        count = "0123456789012345678901234567"[start:]
        for mask in (
            word * 5,
            word + letter * 16,
            letter * 6 + word * 4,
            word + count,
            count[:6] + word * 4,
            letter * 6 + count[:4] + letter * 6,
        ):
            assert not is_access_key(prefix + mask[:16]), mask[:16]


@pytest.mark.parametrize("unit", UNITS)
def test_one_unit_over_and_over_is_no_key_wherever_it_begins(unit):
    for begin in range(len(unit)):
        assert not is_access_key("ASIA" + (unit * 20)[begin : begin + 16])
