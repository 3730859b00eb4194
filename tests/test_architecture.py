"""The dependency rule: what each part of ``edge`` may import, read from the source and from the running processes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

EDGE = Path(__file__).parents[1] / "edge"

STANDARD = frozenset(sys.stdlib_module_names)
PURE = frozenset(
    {
        *("collections", "copy", "dataclasses", "datetime", "difflib", "enum", "functools", "itertools", "math", "re"),
        *("statistics", "typing", "unicodedata"),
    }
)
"""What the core may take of the standard library: nothing that waits, reads, starts or listens."""
BASE = {"edge.types", "edge.errors"}
ADAPTER = {"edge.core", "edge.types", "edge.ports", "edge.errors", "edge.images"}

MAY_IMPORT: dict[str, set[str]] = {
    "types": {"numpy"},
    "errors": set(),
    "ports": {"numpy", "edge.types"},
    "core": {"numpy", "edge.core", *BASE},
    "settings": {"msgspec"},
    "config": {"msgspec", "edge.core", "edge.errors", "edge.settings"},
    "images": {"numpy", "PIL", "edge.core", *BASE},
    "annotate": {"numpy", "PIL", *BASE},
    "slot": {"edge.ports", *BASE},
    "wire": {"numpy", "msgspec", "edge.wire", "edge.core", *BASE},
    "link": {"edge.wire", "edge.errors"},
    "models": {"numpy", "cv2", "msgspec", "ai_edge_litert", "tflite_runtime", "edge.models", *ADAPTER},
    "devices": {"numpy", "cv2", "gpiod", "gpiozero", "lgpio", "picamera2", "edge.devices", *ADAPTER},
    "store": {"numpy", "msgspec", "sqlite_utils", "cryptography", "edge.store", *ADAPTER},
    "enroll": {"numpy", "edge.enroll", "edge.core", "edge.ports", "edge.images", *BASE},
    "pin": BASE,
    "permits": {"msgspec", "edge.pin", "edge.wire", "edge.core", "edge.ports", *BASE},
    "logbook": {"msgspec", "edge.wire", "edge.core", "edge.ports", *BASE},
    "records": {"msgspec", "edge.wire", "edge.core", "edge.ports", *BASE},
    "consent": set(),
    "coredump": set(),
    "daily": {"edge.ports", "edge.teller", *BASE},
    "expiry": {"edge.ports", "edge.teller", *BASE},
    "lookalikes": {"numpy", "edge.wire", "edge.core", *BASE},
    "registry": {
        "numpy",
        "msgspec",
        "edge.wire",
        "edge.core",
        "edge.ports",
        "edge.permits",
        "edge.logbook",
        "edge.lookalikes",
        "edge.records",
        *BASE,
    },
    "wiring": {"msgspec", "edge.config", "edge.settings", "edge.core", *BASE},
    "fittings": {"edge.settings", "edge.devices", "edge.ports", *BASE},
    "child": {"edge.errors", "edge.config", "edge.settings", "edge.core", "edge.teller"},
    "teller": {"edge.core", "edge.ports", *BASE},
    "latch": {"edge.core", "edge.ports", "edge.teller", *BASE},
    "upkeep": {"edge.settings", "edge.ports", "edge.teller", "edge.snapshots", *BASE},
    "snapshots": {"edge.ports"},
    "access": {"edge.settings", "edge.core", "edge.ports", "edge.pin", *BASE},
    "entrance": {
        "edge.wire",
        "edge.settings",
        "edge.core",
        "edge.ports",
        "edge.access",
        "edge.latch",
        "edge.proof",
        "edge.teller",
        *BASE,
    },
    "approaches": {"edge.settings", "edge.core", "edge.ports", "edge.registry", *BASE},
    "proof": {"msgspec", "edge.wire", "edge.settings", "edge.core", "edge.ports", "edge.teller", *BASE},
    "drill": {"edge.wire", "edge.core", "edge.ports", "edge.approaches", "edge.proof", "edge.teller", *BASE},
    "booth": {"msgspec", "edge.wire", "edge.core", "edge.ports", "edge.teller", *BASE},
    "guardian": {
        *("edge.wire", "edge.config", "edge.settings", "edge.core", "edge.ports", "edge.registry", "edge.access"),
        *("edge.latch", "edge.entrance", "edge.booth", "edge.teller", "edge.upkeep", "edge.snapshots", "edge.expiry"),
        *("edge.daily", "edge.pinning", "edge.approaches", "edge.proof", "edge.drill", "msgspec"),
        *BASE,
    },
    "notify": {"edge.ports"},
    "peers": set(),
    "serve": {"edge.notify", "edge.peers", "edge.wire", "edge.core", "edge.ports", "edge.guardian", *BASE},
    "pinning": {"edge.ports", "edge.teller", *BASE},
    "vigil": {"edge.core", "edge.ports", *BASE},
    "eyes": {"edge.wire", "edge.core", "edge.images", "edge.ports", "edge.slot", "edge.vigil", *BASE},
}
"""By the first name below ``edge``: packages and modules that it may import. ``app`` and
``household`` wire and ``cli`` prints: they see all."""

ONLY_IN = {
    "picamera2": "devices/camera_pi.py",
    "cryptography": "store/sealing.py",
    "gpiod": "devices/gpiod.py",
    "gpiozero": "devices/gpio.py",
    "lgpio": "devices/gpio.py",
    "sqlite3": "store",
}


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, ``from edge import wire`` as ``edge.wire``, and ``edge`` for a
    bare one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found |= {f"edge.{alias.name}" for alias in node.names} if module == "edge" else {module}
    return found


def allowed(place: str, module: str, rule: set[str]) -> bool:
    standard = PURE if place == "core" else STANDARD
    return module.split(".", maxsplit=1)[0] in standard or any(
        module == each or module.startswith(f"{each}.") for each in rule
    )


def files() -> list[Path]:
    return sorted(EDGE.rglob("*.py"))


def part(path: Path) -> str:
    return path.relative_to(EDGE).parts[0].removesuffix(".py")


def test_every_part_imports_only_what_it_may() -> None:
    broken = [
        f"{path.relative_to(EDGE)} imports {module}"
        for path in files()
        if (rule := MAY_IMPORT.get(part(path))) is not None
        for module in sorted(imports(path))
        if not allowed(part(path), module, rule)
    ]
    assert broken == []


def test_every_part_has_a_rule() -> None:
    free = {"app", "household", "cli", "__init__", "__main__"}
    assert {part(path) for path in files()} - free == set(MAY_IMPORT)


@pytest.mark.parametrize(("module", "place"), ONLY_IN.items())
def test_hardware_and_runtimes_are_imported_in_one_place(module: str, place: str) -> None:
    users = [str(path.relative_to(EDGE)) for path in files() if any(m.split(".")[0] == module for m in imports(path))]
    assert users
    assert all(user.startswith(place) for user in users), users


@pytest.mark.parametrize(
    ("word", "place"),
    [("VideoCapture(", "capture.py"), ("tflite_runtime", "interpreter.py"), ("ai_edge_litert", "interpreter.py")],
)
def test_video_capture_and_runtimes_are_named_in_one_file(word: str, place: str) -> None:
    assert [path.name for path in files() if word in path.read_text()] == [place]


@pytest.mark.parametrize("module", ["os", "time", "socket", "threading", "subprocess", "cv2", "edge.store.sqlite"])
def test_the_rule_itself_refuses_what_the_core_must_not_have(module: str) -> None:
    assert not allowed("core", module, MAY_IMPORT["core"])


@pytest.mark.parametrize(
    ("modules", "never"),
    [
        (
            "edge.guardian, edge.serve, edge.store.sqlite, edge.devices.bolt, edge.devices.gpio, edge.app",
            {"cv2", "PIL"},
        ),
        ("edge.eyes, edge.link", {"sqlite3", "sqlite_utils", "cryptography", "gpiozero"}),
        ("edge.cli", {"cv2", "PIL", "sqlite_utils", "cryptography", "gpiozero"}),
    ],
)
def test_what_a_process_loads(modules: str, never: set[str]) -> None:
    """In a fresh interpreter: importing a process's modules loads nothing that this process may not touch."""
    never = never | {"ai_edge_litert", "tflite_runtime", "picamera2", "libcamera"}
    code = f"import sys, {modules}; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert loaded & never == set()


def test_securing_loads_no_more_than_it_needs() -> None:
    """It runs after a guardian that was killed while the relay was driven: every import is time with an open door."""
    code = (
        "import sys\nfrom edge.cli import main\nsys.argv = ['facelatch', 'secure', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "edge.fittings" in loaded
    heavy = {"numpy", "rich", "gpiozero", "edge.app", "edge.guardian", "edge.wire", "edge.store", "importlib.metadata"}
    assert heavy & set(loaded) == set()
