"""Byte code for a box, written by its own Python: `python3.11 -I compiling.py TREE FOLDER [EXPLAINED...]`.

It is never held against its source: the tree is read-only, its times mean nothing. Docstrings, which are for
people, take 20 MB of a box's memory: they stay only below the folders EXPLAINED, whose commands print them.
"""

import ast
import importlib.util
import marshal
import sys
from pathlib import Path

_UNCHECKED_HASH = (1).to_bytes(4, "little")       # flags of PEP 552


def byte_code(source: bytes, name: str, docstrings: bool) -> bytes:
    """The .pyc of a module that is called `name` in tracebacks. SyntaxError: it is for another Python."""
    tree = ast.parse(source, name)
    if not docstrings:
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) \
                    and ast.get_docstring(node, clean=False) is not None:
                node.body[:1] = [] if node.body[1:] else [ast.copy_location(ast.Pass(), node.body[0])]
    code = compile(tree, name, "exec", dont_inherit=True)
    return (importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
            + marshal.dumps(code))


def main(tree: Path, folder: Path, with_docstrings: list[str]) -> None:
    for path in sorted(folder.rglob("*.py")):
        to = Path(importlib.util.cache_from_source(str(path), optimization=""))
        to.parent.mkdir(exist_ok=True)
        keep = any(path.is_relative_to(folder / one) for one in with_docstrings)
        to.write_bytes(byte_code(path.read_bytes(), f"/{path.relative_to(tree)}", keep))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
