"""The fuzzer's targets take what they begin with, and rubbish, without complaint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fuzz.targets import TARGETS, seeds


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_pass(target: str) -> None:
    for seed in seeds(target):
        TARGETS[target](seed)


@pytest.mark.parametrize("target", TARGETS)
@given(st.binary(max_size=400))
def test_rubbish_passes(target: str, data: bytes) -> None:
    TARGETS[target](data)
