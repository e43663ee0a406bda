"""Whether known vulnerabilities are listed for what requirements.txt names: `./backtrail audit`.

The exit code is 0 when none is, 1 when some are, and 3 when nobody could be asked: not knowing is
not the same as knowing of none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOUND, UNKNOWN = 1, 3


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        asked = subprocess.run(  # noqa: S603 - our own arguments
            [sys.executable, "-m", "pip_audit", "--requirement", "requirements.txt",
             "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--timeout", "20",
             "--cache-dir", folder, "--format", "json", "--output", str(report)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )  # fmt: skip
        try:
            listed = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
        except (OSError, ValueError, KeyError):
            said = asked.stderr.strip().splitlines()
            print(
                "The audit was not made: the vulnerability service cannot be reached from here. "
                "Run it where it can; nothing is known about these packages.",
                *said[-1:],
                sep="\n",
                file=sys.stderr,
            )
            return UNKNOWN
    return _tell(listed)


def _tell(listed: list[dict[str, object]]) -> int:
    skipped = [one for one in listed if "skip_reason" in one]
    hit = [one for one in listed if one.get("vulns")]
    for one in hit:
        for known in one["vulns"]:  # type: ignore[attr-defined]
            fixed = ", ".join(known.get("fix_versions") or ()) or "no version yet"
            print(f"{one['name']} {one['version']}: {known['id']}, fixed in {fixed}")
    for one in skipped:
        print(f"{one['name']} could not be looked at: {one['skip_reason']}", file=sys.stderr)
    print(f"{len(listed)} packages, {len(hit)} with known vulnerabilities.")
    if hit:
        return FOUND
    return UNKNOWN if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
