"""The modules of the user: those that are neither installed nor mlrunner's own. They are sent along with a trial."""

from __future__ import annotations

import hashlib
import io
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from mlrunner.core.project import CODE
from mlrunner.core.worker_cache import cache_folder, mark_used, remove_unused

DATE = (1980, 1, 1, 0, 0, 0)  # so that equal modules are equal bytes


class ModulePacker:
    """Packs the user's modules that this process has imported; a module of a package brings the whole package."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._files: dict[str, bytes] = {}
        self._packed = b""

    def pack(self) -> bytes:
        """Return a zip file of the modules imported so far; empty without any."""
        new = [name for name in sys.modules if name not in self._seen]
        self._seen.update(new)
        files = {name: path for module in new for name, path in _find_files(module).items() if name not in self._files}
        if files:
            self._files |= {name: path.read_bytes() for name, path in files.items()}
            self._packed = _zip(self._files)
        return self._packed


def has_user_modules() -> bool:
    """Check whether this process has imported modules of the user, beside the script that it runs."""
    script = sys.modules.get("__main__")  # also under the name `__mp_main__`
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()) if module is not script)
    return any(file is not None and not is_installed(Path(file)) for file in files)


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, DATE), files[name])
    return buffer.getvalue()


def _find_files(name: str) -> dict[str, Path]:
    """Return the files to send for an imported module, by their names in the zip file."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None or name == "__main__" or not file.endswith(".py") or is_installed(Path(file)):
        return {}
    return _list_files(name.partition(".")[0], name, Path(file).absolute())


def is_installed(file: Path) -> bool:
    """Check whether a module belongs to Python, to an installed package, or to mlrunner."""
    if {"site-packages", "dist-packages"} & set(file.parts):
        return True
    real = file.resolve()
    return any(real.is_relative_to(folder) for folder in _installed_folders())


@cache
def _installed_folders() -> tuple[Path, ...]:
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple({Path(folder).resolve() for folder in [*folders, str(CODE)]})


def _list_files(top: str, name: str, file: Path) -> dict[str, Path]:
    if top == name and file.name != "__init__.py":
        return {f"{name}.py": file}
    levels = name.count(".") + (file.name == "__init__.py")
    root = file.parents[levels]
    if not (root / top).is_dir():
        return {}
    return {str(path.relative_to(root)): path for path in (root / top).rglob("*.py")}


def unpack_modules(code: bytes) -> tuple[str, ...]:
    """Unpack the modules into a folder that is named by their content, once for each machine.

    Returns:
        The folder, to import from; nothing without modules.
    """
    if not code:
        return ()
    folder = cache_folder("code") / hashlib.sha256(code).hexdigest()[:32]
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            zipfile.ZipFile(io.BytesIO(code)).extractall(Path(temporary) / "code")
            with suppress(OSError):  # another worker was faster
                (Path(temporary) / "code").rename(folder)
        remove_unused()
    mark_used(folder)
    return (str(folder),)
