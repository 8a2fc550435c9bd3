"""Which source files a module depends on: the module, and all it imports from here.

A result depends on the code that made it. Rules and training fingerprints get that code
from the import statements, so no list of files is kept by hand.
"""

import ast
import importlib.util
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


def imports_of(module: str) -> list[str]:
    """Return the files a module needs: its own and, recursively, those it imports.

    Only files of this repository, and of the folder of the module itself, are followed:
    packages that are installed elsewhere have versions instead. Imports inside of
    functions count. A package counts with its `__init__.py`.

    Args:
        module: dotted name, such as `evaluation.certify`.

    Returns:
        Sorted paths, relative to the repository where they are in it. Empty where the
        module cannot be found or is installed.
    """
    start = find(module)
    if start is None or "site-packages" in start.parts:
        return []
    # The folder that dotted names start at.
    own = start.parent.parent if start.name == "__init__.py" else start.parent
    for _ in range(module.count(".")):
        own = own.parent
    seen: set[Path] = set()
    todo = [*chain(module, own)]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imported(path, ROOT if path.is_relative_to(ROOT) else own):
            todo += chain(name, own)
    return sorted(
        str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
        for path in seen
    )


def source_hash(*modules: str) -> str:
    """Return one sha256 of all files of `imports_of`: of their contents, not places."""
    from hashlib import sha256

    from seqdis.files import sha256_of  # imports NumPy, which planning need not

    files = {file for module in modules for file in imports_of(module)}
    digests = [sha256_of(ROOT / file) for file in sorted(files)]
    return sha256("".join(digests).encode()).hexdigest()


def find(module: str) -> Path | None:
    """Return the file of a module that can be imported here, without importing it."""
    inside = within(module, ROOT)
    if inside is not None:
        return inside
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    origin = spec.origin if spec else None
    return Path(origin).resolve() if origin and origin.endswith(".py") else None


@cache
def within(module: str, folder: Path) -> Path | None:
    """Return the file of a module below a folder, or None."""
    path = folder.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file.resolve()
    return None


@cache
def chain(module: str, own: Path) -> tuple[Path, ...]:
    """Return the files that importing a module runs: its packages' and its own."""
    names = module.split(".")
    packages = (".".join(names[:length]) for length in range(1, len(names) + 1))
    files = (within(package, ROOT) or within(package, own) for package in packages)
    return tuple(file for file in files if file)


@cache
def imported(path: Path, folder: Path = ROOT) -> tuple[str, ...]:
    """Return the dotted names that a file imports; of `from a import b`, a and a.b.

    Args:
        path: of the file.
        folder: where the names of its own package start, for relative imports.
    """
    names: list[str] = []
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = path.parent.relative_to(folder).parts
                kept = parts[: len(parts) - node.level + 1]
                base = ".".join([*kept, *([base] if base else [])])
            names += [base] + [f"{base}.{alias.name}" for alias in node.names]
        else:  # statements alone: expressions are most of a file and import nothing
            for block in ("body", "orelse", "finalbody", "handlers", "cases"):
                inner = getattr(node, block, [])
                todo += inner if isinstance(inner, list) else []
    return tuple(name for name in names if name)
