"""A conda channel in a folder: the Python of this machine, and pip, under their names.

    python channel.py FOLDER PREFIX

makes FOLDER/conda-forge of the CPython that lies in PREFIX and of the wheels of pip,
setuptools and wheel. It lets environment files be solved and installed where
no channel can be reached.
"""

import asyncio
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from conda_package_handling import api
from rattler.index import index_fs

SKIPPED = shutil.ignore_patterns(
    *("site-packages", "test", "tests", "__pycache__", "idle_test", "ensurepip"),
    *("idlelib", "*.a", "*.pyc"),
)
WHEELS = ("pip", "setuptools", "wheel")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def described(path: Path, root: Path) -> dict[str, object]:
    """Return a file's entry of `paths.json`."""
    link = path.is_symlink()
    return {
        "_path": path.relative_to(root).as_posix(),
        "path_type": "softlink" if link else "hardlink",
        "sha256": hashlib.sha256().hexdigest() if link else sha256(path),
        "size_in_bytes": 0 if link else path.stat().st_size,
    }


def pack(root: Path, channel: Path, name: str, version: str, needs: list[str]) -> None:
    """Pack a tree as a conda package."""
    info = root / "info"
    files = [p for p in sorted(root.rglob("*")) if p.is_symlink() or not p.is_dir()]
    info.mkdir()
    paths = {"paths": [described(p, root) for p in files], "paths_version": 1}
    about = {"name": name, "version": version, "build": "0", "build_number": 0}
    about |= {"depends": needs, "subdir": "linux-64", "arch": "x86_64"}
    about |= {"platform": "linux", "timestamp": 0, "license": "as upstream"}
    listed = "".join(f"{p.relative_to(root)}\n" for p in files)
    (info / "paths.json").write_text(json.dumps(paths))
    (info / "index.json").write_text(json.dumps(about))
    (info / "about.json").write_text("{}")
    (info / "files").write_text(listed)
    out = channel / "linux-64" / f"{name}-{version}-0.conda"
    out.parent.mkdir(parents=True, exist_ok=True)
    level = (".tar.zst", "zstd", "zstd:compression-level=3")
    api.create(str(root), None, str(out), compression_tuple=level)


def python(prefix: Path, channel: Path, root: Path) -> str:
    """Pack CPython so that it runs wherever it is put; return its 3.x."""
    ask = "import platform, sys; print(platform.python_version())"
    told = subprocess.check_output([prefix / "bin/python3", "-c", ask], text=True)
    version = told.strip()
    short = ".".join(version.split(".")[:2])
    library = root / f"lib/python{short}"
    shutil.copytree(
        prefix / f"lib/python{short}", library, symlinks=True, ignore=SKIPPED
    )
    (library / "site-packages").mkdir()
    (library / "site-packages/README").touch()
    for shared in (prefix / "lib").glob("libpython*.so*"):
        shutil.copy2(shared, root / "lib", follow_symlinks=False)
    program = root / f"bin/python{short}"
    program.parent.mkdir()
    shutil.copy2(prefix / f"bin/python{short}", program)
    for name in ("python", "python3"):
        program.with_name(name).symlink_to(program.name)
    subprocess.check_call(["patchelf", "--set-rpath", "$ORIGIN/../lib", program])
    # Byte code comes along: an environment may be one that is never written to.
    compiled = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([prefix / "bin/python3", *compiled, library], capture_output=True)
    pack(root, channel, "python", version, [])
    return short


def wheel(file: Path, channel: Path, root: Path, short: str) -> None:
    """Pack a wheel; `python -m` starts it, so it needs no scripts."""
    packages = root / f"lib/python{short}/site-packages"
    with zipfile.ZipFile(file) as archive:
        archive.extractall(packages)
    name, version = re.match(r"(.+?)-(.+?)-", file.name).groups()
    pack(root, channel, name, version, [f"python {short}.*"])


def main() -> None:
    folder, prefix = (Path(word).resolve() for word in sys.argv[1:])
    channel = folder / "conda-forge"
    shutil.rmtree(channel, ignore_errors=True)
    (channel / "noarch").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        short = python(prefix, channel, Path(work, "python"))
        wheels = Path(work, "wheels")
        fetch = ("-m", "pip", "download", "-q", "--only-binary=:all:", "-d", wheels)
        subprocess.check_call([sys.executable, *fetch, *WHEELS])
        for file in sorted(wheels.glob("*.whl")):
            wheel(file, channel, Path(work, file.stem), short)
    asyncio.run(index_fs(channel, write_zst=False, write_shards=False))


if __name__ == "__main__":
    main()
