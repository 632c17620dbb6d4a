"""What the machine is, and what it can do: an fdatasync, a raw write, a plain read of memory."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benches.compare.data import FloatArray
from benches.compare.measure import fdatasync, seconds_of

# Sums float32 into 64 independent lanes: nothing but loads and adds, so memory is what it waits for.
SCAN_SOURCE = """
float scan(const float *values, long count) {
    float lanes[64] = {0};
    long at = 0;
    for (; at + 64 <= count; at += 64)
        for (int lane = 0; lane < 64; lane++) lanes[lane] += values[at + lane];
    float sum = 0;
    for (int lane = 0; lane < 64; lane++) sum += lanes[lane];
    for (; at < count; at++) sum += values[at];
    return sum;
}
"""
SYNC_RECORD_BYTES = 2_048  # a 384-d float32 vector and its metadata, about


def describe(work: Path) -> dict[str, object]:
    """The facts that a figure is worthless without."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "last_level_cache": _last_level_cache(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "filesystem": _filesystem(work),
        "python": platform.python_version(),
    }


class SyncFile:
    """A preallocated file that takes one record and one fdatasync at a time: the floor of a durable call."""

    def __init__(self, path: Path, size: int, *, written: bool = True) -> None:
        """With `written`, zeros are written and synced first: later writes change no file metadata."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._size = size
        self._offset = 0
        if written:
            _write_all(self._descriptor, bytes(size), 0)
        elif hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, 0, size)
        else:
            os.ftruncate(self._descriptor, size)
        os.fsync(self._descriptor)

    def write(self, record: bytes) -> None:
        if self._offset + len(record) > self._size:
            self._offset = 0
        _write_all(self._descriptor, record, self._offset)
        self._offset += len(record)
        fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


def scan_methods(matrix: FloatArray) -> dict[str, Callable[[], object]]:
    """The plain scans of a matrix that this machine has: each reads every float32 once."""
    flat = matrix.reshape(-1)
    vector = np.ascontiguousarray(matrix[0])
    methods: dict[str, Callable[[], object]] = {
        "numpy matrix @ vector": lambda: matrix @ vector,
        "numpy sum": lambda: flat.sum(),
    }
    compiled = _compiled_scan()
    if compiled is not None:
        address = flat.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        methods["compiled C sum"] = lambda: compiled(address, flat.size)
    return methods


def gigabytes_per_second(scan: Callable[[], object], size: int, passes: int = 9) -> float:
    """The median over `passes`, after two passes to warm up."""
    scan(), scan()
    seconds = sorted(seconds_of(scan) for _ in range(passes))
    return size / seconds[passes // 2] / 1e9


def _compiled_scan() -> Callable[..., float] | None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "scan.c"), Path(folder, "scan.so")
        source.write_text(SCAN_SOURCE, encoding="ascii")
        command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library), str(source)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
        scan = ctypes.CDLL(str(library)).scan
    scan.argtypes = [ctypes.POINTER(ctypes.c_float), ctypes.c_long]
    scan.restype = ctypes.c_float
    return scan


def _write_all(descriptor: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        offset += written
        view = view[written:]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {name.strip(): value.strip() for name, value in fields.items()}
    flags = set(named.get("flags", "").split())
    vector_units = next((unit for unit in ("avx512f", "avx2", "avx") if unit in flags), "")
    model = f"family {named.get('cpu family', '?')} model {named.get('model', '?')}"
    return f"{named.get('model name', platform.machine())} ({model}, {vector_units or 'no AVX'})"


def _last_level_cache() -> str:
    sizes = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"))
    return sizes[-1].read_text(encoding="ascii").strip() if sizes else "unknown"


def _filesystem(path: Path) -> str:
    """The type of the file system a path is on: on one in memory, a sync costs nothing and means nothing."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "unknown"
    resolved = path.resolve()
    below = [fields for fields in map(str.split, mounts) if resolved.is_relative_to(fields[1])]
    return max(below, key=lambda fields: len(fields[1]))[2] if below else "unknown"
