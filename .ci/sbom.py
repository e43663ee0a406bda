"""The software bill of materials of requirements.txt, in CycloneDX's JSON: `./backtrail sbom`.

It holds what is installed to run Backtrail, with versions and hashes, as the lock names it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(out: Path = ROOT / "build" / "sbom.json") -> int:
    out.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "cyclonedx_py", "requirements", "requirements.txt",
         "--output-reproducible", "--output-format", "JSON", "--output-file", str(out)],
        cwd=ROOT,
    )  # fmt: skip
    if made.returncode == 0:
        print(out)
    return made.returncode


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
