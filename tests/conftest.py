"""What many tests share: the real logs, read in place, and an index built from them once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from trail.index.build import add
from trail.store import Store, open_store

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real logs and findings that lies beside the project, never inside it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        # One place for all: pytest folds what is skipped from the same line into one sentence.
        pytest.skip("needs the real logs, which are not beside this clone (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def chain_cases() -> Path:
    """Small chains whose right answer is known; they lie beside the project where it has them."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "cases" / "chains"
    if not folder.is_dir():
        pytest.skip("the cases are not here")
    return folder


@pytest.fixture(scope="session")
def shape_cases() -> Path:
    """Logs and alerts as tools hand them out, whose right outcome is known, beside the project."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "cases" / "shapes"
    if not folder.is_dir():
        pytest.skip("the cases are not here")
    return folder


@pytest.fixture(scope="session")
def stratus_store(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An index of the stratus run: one real account for an hour, 2,900 events."""
    index = tmp_path_factory.mktemp("stratus-index")
    add([real_data / "stratus-run-2023"], index)
    return open_store(index)


@pytest.fixture(scope="session")
def ec2_store(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An index of the EC2 proxy run: a stolen instance credential, 103 events."""
    index = tmp_path_factory.mktemp("ec2-index")
    add([real_data / "ec2-proxy-s3-2020"], index)
    return open_store(index)
