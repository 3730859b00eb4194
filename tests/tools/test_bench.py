"""The benchmarks measure something real, on real networks; no time is asserted."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.errors import FaceError, InputError
from tools.bench import pipeline
from tools.bench.scene import visitor_frame


def bench(*arguments: str) -> Any:
    command = [sys.executable, "-m", "tools.bench", *arguments, "--json"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, env=os.environ.copy())
    return json.loads(done.stdout)


def test_every_stage_of_a_look_is_timed_on_one_and_two_threads() -> None:
    timings = bench("pipeline", "--repeats", "2")
    assert [(t["threads"], t["min_face_px"]) for t in timings] == [(1, 60), (2, 60), (1, 40), (2, 40)]
    for timing in timings:
        assert {"halve", "pyramid", "pnet", "rnet", "onet", "align", "embed", "match"} <= set(timing["stages_ms"])
        assert timing["full_look_ms"] >= timing["stages_ms"]["embed"] > 0
        assert timing["liveness_ratio"] > 0
        assert timing["ratio"] is None


def test_the_way_from_a_look_to_the_relay_is_timed_while_somebody_floods() -> None:
    scenes = bench("latency", "--repeats", "2")
    assert [scene["releases"] for scene in scenes] == [2, 2, 2]
    assert all(0 < scene["p50_ms"] <= scene["p99_ms"] <= scene["worst_ms"] for scene in scenes)
    assert scenes[1]["dropped"] > 1000


def test_matching_is_timed_for_every_size_of_gallery() -> None:
    timings = bench("match", "--repeats", "5")
    assert [timing["templates"] for timing in timings] == [10, 1_000, 10_000, 50_000]
    assert timings[-1]["peak_mb"] < 64
    assert all(timing["match_ms"] > 0 for timing in timings)


def test_every_runtime_is_timed() -> None:
    assert [t["network"] for t in bench("runtimes", "--repeats", "2")] == ["pnet", "rnet", "onet", "mobilefacenet"]


def test_a_picture_without_a_face_cannot_be_timed(photos: dict[str, Path]) -> None:
    with pytest.raises(FaceError):
        pipeline.measure(visitor_frame(photos["coffee.png"]), 1, 60, 1, None, lambda: None)


def test_what_is_no_network_is_refused(tmp_path: Path, photos: dict[str, Path]) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"rubbish")
    with pytest.raises(InputError, match=r"yunet\.onnx"):
        pipeline.yunet(tmp_path / "yunet.onnx", visitor_frame(photos["astronaut.png"]))
