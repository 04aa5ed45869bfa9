"""Saved models, as a writer of the store may have changed them: C1 of the attack findings."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import skops.io
import yaml
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from mlrunner.core import saved_model
from mlrunner.core.errors import StoreError

URI = "models:/m-1"


class Pwned:
    """Writes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def save(folder: Path, model: Any, types: list[str], **changes: Any) -> Path:
    skops.io.dump(model, folder / "model.skops")
    flavor = {"pickled_model": "model.skops", "serialization_format": "skops", "skops_trusted_types": types, **changes}
    signature = {"inputs": json.dumps([{"name": "x", "type": "double", "required": True}])}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": {"sklearn": flavor}, "signature": signature}))
    return folder


def fitted() -> Ridge:
    return Ridge(alpha=2.0).fit([[0.0], [1.0]], [0.0, 1.0])


def test_a_saved_model_is_loaded(tmp_path: Path) -> None:
    folder = save(tmp_path, fitted(), [])
    assert saved_model.load(folder, URI).alpha == 2.0
    description = saved_model.read_description(folder, URI)
    assert (description.file, description.columns[0]["name"], description.reading) == ("model.skops", "x", {})


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    folder, file = save(tmp_path, fitted(), [], serialization_format="pickle"), tmp_path / "pwned"
    (folder / "model.skops").write_bytes(pickle.dumps(Pwned(file)))
    with pytest.raises(StoreError, match=f"{URI} was not saved by mlrunner"):
        saved_model.load(folder, URI)
    assert not file.exists()


def test_a_type_of_the_model_s_own_code_is_refused_and_not_imported(tmp_path: Path) -> None:
    """In a process of its own, which saves with the class: here it must be unknown, as it is to a victim."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "zz_evil.py").write_text(
        "import pathlib\npathlib.Path(__file__).with_name('imported').touch()\nclass Evil:\n    pass\n"
    )
    code = "import skops.io, zz_evil; skops.io.dump(zz_evil.Evil(), 'model.skops')"
    environment = {"PYTHONPATH": str(tmp_path / "code"), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    (tmp_path / "code" / "imported").unlink()
    evil = (tmp_path / "model.skops").read_bytes()
    folder = save(tmp_path, fitted(), ["zz_evil.Evil"])
    (folder / "model.skops").write_bytes(evil)
    with pytest.raises(StoreError, match=r"holds zz_evil\.Evil, .* set MLRUNNER_TRUSTED=zz_evil in the environment"):
        saved_model.load(folder, URI)
    save(tmp_path, fitted(), [])
    (folder / "model.skops").write_bytes(evil)
    with pytest.raises(StoreError, match=r"cannot be loaded \(UntrustedTypesFoundException: .*zz_evil\.Evil"):
        saved_model.load(folder, URI)
    assert not (tmp_path / "code" / "imported").exists()


def test_a_function_that_a_library_imports_is_refused(tmp_path: Path) -> None:
    """The file says `sklearn.utils.validation.os`-like names: skops compares texts, and would import them."""
    model = Pipeline([("f", FunctionTransformer(json.dumps)), ("estimator", fitted())])
    folder = save(tmp_path, model, ["sklearn.datasets._base.dumps"])
    with zipfile.ZipFile(folder / "model.skops") as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    texts["schema.json"] = texts["schema.json"].replace(b'"json"', b'"sklearn.datasets._base"')
    with zipfile.ZipFile(folder / "model.skops", "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    with pytest.raises(StoreError, match=r"holds sklearn\.datasets\._base\.dumps"):
        saved_model.load(folder, URI)


def test_modules_that_the_caller_names_are_trusted(tmp_path: Path) -> None:
    own = f"{fitted_by_me.__module__}.fitted_by_me"
    folder = save(tmp_path, FunctionTransformer(fitted_by_me), [own])
    with pytest.raises(StoreError, match="fitted_by_me"):
        saved_model.load(folder, URI)
    assert saved_model.load(folder, URI, [__name__]).func is fitted_by_me


def fitted_by_me(table: Any) -> Any:
    return table


@pytest.mark.parametrize("changes", [{"pickled_model": "../model.skops"}, {"pickled_model": "/etc/passwd"}])
def test_a_file_elsewhere_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="was not saved by mlrunner"):
        saved_model.load(save(tmp_path, fitted(), [], **changes), URI)


@pytest.mark.parametrize("text", ["", "[]", "flavors: {}", "flavors: {sklearn: 1}", "{", "flavors: {pytorch: {}}"])
def test_another_description_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(StoreError, match=f"^The model {URI} (was not saved by mlrunner|cannot be loaded)"):
        saved_model.load(tmp_path, URI)


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    (save(tmp_path, fitted(), []) / "model.skops").write_bytes(b"x")
    with pytest.raises(StoreError, match=rf"^The model {URI} cannot be loaded \(BadZipFile"):
        saved_model.load(tmp_path, URI)
