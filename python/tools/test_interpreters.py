"""Runs the Python tests on every CPython that is found, each in an environment that is removed afterwards.

One wheel serves them all; what the extra `dev` has for a version is installed beside it; tests of the rest
skip themselves. Needs the wheel (`make wheel`) and nothing but the standard library.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: The oldest version that the wheel is for, and one past the newest that is looked for.
VERSIONS = range(9, 20)
WHAT_IT_IS = (
    "import sys, sysconfig; version = '.'.join(map(str, sys.version_info[:3]));"
    "print(version + ('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''))"
)


def main() -> int:
    """Returns 1 if any interpreter failed, or if there is none."""
    parser = argparse.ArgumentParser(description="Runs the Python tests on every CPython that is found.")
    parser.add_argument("interpreters", nargs="*", help="those to use, instead of all that are found")
    parser.add_argument("--tests", nargs="+", default=["python/tests"], help="what pytest runs")
    arguments = parser.parse_args()

    wheels = sorted((ROOT / "python/dist").glob("vecstore-*.whl"))
    if not wheels:
        parser.error("there is no wheel in python/dist: run `make wheel`")
    interpreters = versions_of(arguments.interpreters or found())
    outcomes = {
        version: tried(interpreter, wheels[-1], arguments.tests)
        for version, interpreter in interpreters.items()
    }
    print("\n== Interpreters")
    for version, outcome in outcomes.items():
        print(f"{version:10} {outcome or 'failed'}")
    return 0 if outcomes and all(outcomes.values()) else 1


def found() -> list[str]:
    """The interpreters on the path by their versioned names, and those that pyenv keeps."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = [f"python3.{minor}{threads}" for minor in VERSIONS for threads in ("", "t")]
    on_path = [path for name in names if (path := shutil.which(name))]
    return on_path + [str(path) for name in names for path in kept.glob(f"*/bin/{name}")]


def versions_of(interpreters: list[str]) -> dict[str, str]:
    """One interpreter of each version, oldest first. A shim of pyenv may lead nowhere, and then is none."""
    versions: dict[str, str] = {}
    for interpreter in interpreters:
        asked = subprocess.run([interpreter, "-c", WHAT_IT_IS], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            versions.setdefault(asked.stdout.strip(), interpreter)
    return dict(
        sorted(versions.items(), key=lambda item: [int(part) for part in re.findall(r"\d+", item[0])])
    )


def tried(interpreter: str, wheel: Path, tests: list[str]) -> str:
    """The last line of pytest, or nothing if something failed."""
    print(f"\n== {interpreter}", flush=True)
    with tempfile.TemporaryDirectory(prefix="vecstore-interpreter-") as directory:
        python = str(Path(directory, "Scripts" if os.name == "nt" else "bin", "python"))
        pip = [python, "-m", "pip", "install", "--quiet"]
        if uv := shutil.which("uv"):  # the same in a tenth of the time
            pip = [uv, "pip", "install", "--quiet", "--python", python]
        pinned = [*pip, "--no-deps", "--require-hashes", "-r"]
        # In the order of the Makefile: the demo pins the numpy that the rest is resolved with.
        steps = [
            [interpreter, "-m", "venv", directory],
            [*pinned, "demo/requirements.txt"],
            [*pip, f"{wheel}[dev]"],
            [*pinned, "python/requirements-dspy.txt"],
            [python, "python/tools/smoke.py"],
        ]
        for step in steps:
            if subprocess.run(step, cwd=ROOT, check=False).returncode != 0:
                return ""
        arguments = ["-c", "python/pyproject.toml", "--rootdir=.", "-q", "-p", "no:cacheprovider", *tests]
        # As it comes, and kept for the line that sums it up.
        with subprocess.Popen(
            [python, "-m", "pytest", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        ) as running:
            assert running.stdout is not None
            last = ""
            for line in running.stdout:
                print(line, end="", flush=True)
                last = line.strip() or last
        return last if running.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
