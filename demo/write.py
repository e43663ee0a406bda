"""Log files as CloudTrail delivers them: names, folders, gzip, digests, a second trail."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from string import ascii_letters, digits
from typing import Any

from demo.company import DEV, HOME_REGION, ORGANIZATION, PROD
from demo.ledger import Parcel

_DAY = 86_400
_COMFORTABLE = 40
"""Events in a file: a bigger company's files hold more, a smaller one's come less often."""
_SLOTS = (15 * 60, 30 * 60, 3_600, 7_200, 14_400)
_DUPLICATED = (DEV, HOME_REGION)
"""What the forgotten account trail records beside the organization's."""


def _stamp(at: int, form: str) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(form)


def compressed(body: bytes) -> bytes:
    """gzip without a time or a name in it, so that equal bodies are equal files."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def slot_seconds(events_a_day: int) -> int:
    """How often files are delivered, so that each holds a comfortable number of events."""
    for seconds in _SLOTS:
        if events_a_day * seconds / _DAY >= _COMFORTABLE:
            return seconds
    return _SLOTS[-1]


class LogFiles:
    """Writes days of records under `folder`, and counts what it has written."""

    def __init__(self, folder: Path, seed: int, account_trail: range) -> None:
        self.folder = folder
        self.seed = seed
        self.account_trail = account_trail
        """The days (seconds at midnight, stepping a day) on which the second trail ran."""
        self.files = 0
        self.events = 0
        self.duplicates = 0
        self.digests = 0
        self.bytes = 0
        self.late_folders = 0
        """Events that lie in the folder of the day after theirs."""

    def write_day(self, day: int, taken: Mapping[tuple[str, str], Sequence[Parcel]]) -> None:
        """Deliver one day's records."""
        for (account, region), parcels in taken.items():
            every = slot_seconds(len(parcels))
            slots: dict[int, list[Parcel]] = defaultdict(list)
            for parcel in parcels:
                slots[parcel.at - parcel.at % every].append(parcel)
            for start, content in slots.items():
                self._deliver(account, region, start + every, content)
                if (account, region) == _DUPLICATED and day in self.account_trail:
                    self._deliver(account, region, start + every, content, second_trail=True)
        if day % (7 * _DAY) == 0 or day % (7 * _DAY) == _DAY:
            self._digest(day)

    def _deliver(
        self,
        account: str,
        region: str,
        end: int,
        content: Sequence[Parcel],
        *,
        second_trail: bool = False,
    ) -> None:
        trail = account if second_trail else f"{ORGANIZATION}/{account}"
        rng = Random(f"{self.seed}:file:{trail}:{region}:{end}")
        delivered = end + 300 * rng.randrange(1, 3)
        records = [parcel.body for parcel in content]
        rng.shuffle(records)
        suffix = "".join(rng.choices(ascii_letters + digits, k=16))
        name = f"{account}_CloudTrail_{region}_{_stamp(delivered, '%Y%m%dT%H%MZ')}_{suffix}.json.gz"
        folder = f"AWSLogs/{trail}/CloudTrail/{region}/{_stamp(delivered, '%Y/%m/%d')}"
        self._put(f"{folder}/{name}", compressed(b'{"Records":[' + b",".join(records) + b"]}"))
        self.files += 1
        if second_trail:
            self.duplicates += len(records)
        else:
            self.events += len(records)
            midnight = delivered - delivered % _DAY
            self.late_folders += sum(parcel.at < midnight for parcel in content)

    def _digest(self, day: int) -> None:
        start, end = day + 3_600, day + 7_200
        digest: dict[str, Any] = {
            "awsAccountId": PROD,
            "digestStartTime": _stamp(start, "%Y-%m-%dT%H:%M:%SZ"),
            "digestEndTime": _stamp(end, "%Y-%m-%dT%H:%M:%SZ"),
            "digestS3Bucket": "example-org-trail",
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestSignature": None,
            "logFiles": [],
        }
        name = (
            f"{PROD}_CloudTrail-Digest_{HOME_REGION}_example-org-trail_{HOME_REGION}_"
            f"{_stamp(end, '%Y%m%dT%H%M%SZ')}.json.gz"
        )
        folder = (
            f"AWSLogs/{ORGANIZATION}/{PROD}/CloudTrail-Digest/{HOME_REGION}/"
            f"{_stamp(end, '%Y/%m/%d')}"
        )
        self._put(f"{folder}/{name}", compressed(json.dumps(digest).encode()))
        self.digests += 1

    def _put(self, key: str, body: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self.bytes += len(body)
