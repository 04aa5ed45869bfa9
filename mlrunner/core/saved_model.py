"""Read and load a model that MLflow saved, which everybody who can write to the store may have changed.

Only what mlrunner saves is accepted: scikit-learn with skops, and types that our own rule allows, whatever list of
types the model brings; its `code/` is never imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlrunner.core.allowed_classes import find_untrusted
from mlrunner.core.environment import TRUSTED_VARIABLE, trusted_modules
from mlrunner.core.errors import MlrunnerError, StoreError, first_line
from mlrunner.core.model_code import READING_KEY
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.core.skops_format import import_skops

DESCRIPTION_FILE = "MLmodel"


@dataclass(frozen=True)
class SavedModel:
    """How a saved model is loaded, and which columns it takes.

    Args:
        file: Name of the model file.
        trusted: Types that skops may load.
        columns: Columns of the signature; empty without one.
        reading: Options of `pandas.read_csv` of the training table.
    """

    file: str
    trusted: list[str]
    columns: list[dict[str, Any]]
    reading: dict[str, Any]


def read_description(folder: Path, uri: str, packages: Iterable[str] = ()) -> SavedModel:
    """Read and check the `MLmodel` of a saved model.

    Args:
        folder: Folder that MLflow saved.
        uri: Address of the model, for messages.
        packages: Modules whose types it may hold beside mlrunner's, the libraries' and those of MLRUNNER_TRUSTED.

    Raises:
        StoreError: When mlrunner did not save it, or it holds other types.
    """
    try:
        description = read_yaml((folder / DESCRIPTION_FILE).read_text())
        flavor = description["flavors"]["sklearn"]
        file, types = flavor["pickled_model"], list(map(str, flavor.get("skops_trusted_types") or []))
        columns = json.loads((description.get("signature") or {}).get("inputs") or "[]")
        reading = dict((description.get("metadata") or {}).get(READING_KEY) or {})
        is_ours = flavor["serialization_format"] == "skops" and Path(file).name == file and isinstance(columns, list)
    except (KeyError, TypeError, AttributeError, ValueError):
        is_ours = False
    if not is_ours:
        raise StoreError(f"The model {uri} was not saved by mlrunner (scikit-learn with skops); choose another run.")
    if untrusted := find_untrusted(types, packages):
        held, package = f"The model {uri} holds {', '.join(untrusted)}, which", untrusted[0].partition(".")[0]
        if package in trusted_modules():
            raise StoreError(
                f"{held} cannot be imported here; install the version of {package} that it was saved with."
            )
        raise StoreError(
            f"{held} is of neither mlrunner nor a library of models; if you trust it, set "
            f"{TRUSTED_VARIABLE}={package} in the environment."
        )
    return SavedModel(file, types, columns, reading)


def load(folder: Path, uri: str, packages: Iterable[str] = ()) -> Any:
    """Load the pipeline of a saved model.

    Args:
        folder: Folder that MLflow saved.
        uri: Address of the model, for messages.
        packages: See `read_description`.

    Raises:
        StoreError: When it must not be loaded, or cannot be.
    """
    try:
        saved = read_description(folder, uri, packages)
        return import_skops().load(folder / saved.file, trusted=saved.trusted)
    except MlrunnerError:
        raise
    except Exception as error:  # skops and missing classes raise errors of many kinds
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise StoreError(f"The model {uri} cannot be loaded ({reason}); choose another run.") from error
