"""Build tampered compositions under an audit hook: `python -m tests.support.tampering FOLDER`.

A process of its own, because a hook cannot be removed. It exits with 1 and prints each event that a composition which
passed the gate, or the gate itself, must not cause.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlrunner.composition.trust import refuse_foreign
from mlrunner.core.build import build
from mlrunner.core.errors import MlrunnerError
from mlrunner.groups.model import estimator_arguments

FOLDER = Path(sys.argv[1])
VICTIM, CANARY = FOLDER / "victim.txt", "zz_canary"  # a module that only an import outside of the list would find
LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost", "mlrunner")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ACTIONS = ("socket.", "subprocess.", "os.", "shutil.", "tempfile.", "sqlite3.", "urllib.", "ftplib.", "http.")
HARMLESS = ("os.listdir", "os.scandir", "os.putenv", "os.unsetenv")
events: list[str] = []
is_armed = False


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what a composition from a store must not cause."""
    if not is_armed:
        return
    if event == "open":
        path, _, flags = arguments
        if str(path).startswith(str(FOLDER)) or flags & WRITING:
            events.append(f"open {path}")
    elif event == "import" and arguments[0].partition(".")[0] in (CANARY, "antigravity", "this"):
        events.append(f"import {arguments[0]}")
    elif event.startswith(ACTIONS) and event not in HARMLESS:
        events.append(f"{event} {arguments}")


def list_names() -> tuple[list[str], list[str]]:
    """List what modules of the libraries and of ours hold: what they only import, and what they define."""
    imported, defined = [], []
    for module in [name for name in list(sys.modules) if name.partition(".")[0] in LIBRARIES]:
        for name, value in list(vars(sys.modules[module]).items()):
            if callable(value) and not name.startswith("__"):
                is_own = str(getattr(value, "__module__", "")).partition(".")[0] in LIBRARIES
                (defined if is_own else imported).append(f"{module}.{name}")
    return sorted(imported), sorted(defined)


for module in (
    *("lightgbm.sklearn", "sklearn.datasets", "sklearn.ensemble", "sklearn.gaussian_process", "sklearn.pipeline"),
    *("xgboost.callback", "xgboost.sklearn", "mlrunner.groups.deployer.local", "mlrunner.groups.cleaning.dates"),
    "mlrunner.tracking.records.mlflow_store",
):
    importlib.import_module(module)
IMPORTED, DEFINED = list_names()
FOUND = [  # H1 and H2 of the attack findings, and their kind
    "sklearn.datasets._covtype.GzipFile",
    "sklearn.datasets.load_files",
    "mlrunner.tracking.records.mlflow_store.MlflowStore",
    "mlrunner.tracking.records.mlflow_store.MlflowClient",
    "subprocess.Popen",
    "os.mkdir",
    "pathlib.Path.touch",
    "tempfile.TemporaryDirectory",
    "socket.create_server",
    "http.client.HTTPConnection",
    "builtins.open",
    f"{CANARY}.Evil",
    f"sklearn.{CANARY}",
]
ESTIMATORS = [
    name for name in DEFINED if "_" not in name and name.endswith(("Regressor", "Classifier", "Ridge", "SVR"))
]
TARGETS = st.one_of(*map(st.sampled_from, (FOUND, IMPORTED, DEFINED, ESTIMATORS)))
VALUES = st.sampled_from([str(VICTIM), f"touch {VICTIM}.x", "http://127.0.0.1:9/x", "wb", "w", True, 1, 9, None, ["a"]])
NAMES = "args cwd directory dir file filename fileobj host memory mode name path port prefix root shell uri url".split()  # noqa: SIM905


def parameters(target: str) -> list[str]:
    """Name the parameters of what a path names, so that its call is not refused for them."""
    module, _, name = target.rpartition(".")
    try:
        return list(inspect.signature(getattr(sys.modules[module], name)).parameters)[:6]
    except (KeyError, AttributeError, TypeError, ValueError):
        return []


@st.composite
def nodes(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """Draw a class with arguments, which may be such nodes."""
    target = draw(TARGETS)
    values = VALUES if depth == 0 else st.one_of(VALUES, VALUES, nodes(depth - 1))
    names = st.lists(st.sampled_from([*parameters(target), *NAMES]), max_size=3, unique=True)
    return {"_target_": target, **{name: draw(values) for name in draw(names)}}


PLACES = ("estimator", "alpha", "steps", "targets", "features", "split", "cleaning", "dataset")


def compose(place: str, node: dict[str, Any]) -> dict[str, Any]:
    """Put a node into a composition."""
    estimator: dict[str, Any] = {"_target_": "sklearn.linear_model.Ridge", "alpha": 1.0}
    config: dict[str, Any] = {"model": {"estimator": estimator, "targets": {"regression": None}}}
    if place == "estimator":
        config["model"]["estimator"] = node
    elif place == "alpha":
        estimator["alpha"] = node
    elif place == "steps":
        config["model"]["estimator"] = {"_target_": "sklearn.pipeline.Pipeline", "steps": [["a", node]]}
    elif place == "targets":
        config["model"]["targets"] = {"regression": node["_target_"]}
    elif place == "features":
        config["model"]["features"] = node
    else:
        config[place] = node
    return config


@settings(max_examples=300, database=None, derandomize=True, deadline=None, phases=[Phase.generate])
@given(st.sampled_from(PLACES), nodes())
def tampered(place: str, node: dict[str, Any]) -> None:
    """Check a composition and, if it passes, build all that a start builds."""
    global is_armed
    config = compose(place, node)
    is_armed, before = True, len(events)
    try:
        refuse_foreign(config, list(config))
        counts["passed"] += 1
        target = config["model"]["targets"]["regression"]
        for settings_ in (config["model"]["estimator"], {"_target_": target} if target else None):
            if settings_ and not estimator_arguments.problems(settings_, "model.estimator"):
                estimator_arguments.construct(settings_, "model.estimator")
        for group in {"features", "split", "cleaning", "dataset"} & {place}:
            build(node, group)
    except MlrunnerError:
        counts["refused"] += 1
    finally:
        is_armed = False
    assert len(events) == before, (config, events[before:])


counts = {"passed": 0, "refused": 0}
if __name__ == "__main__":
    VICTIM.write_text("precious")
    (FOLDER / f"{CANARY}.py").write_text("class Evil: pass\n")
    sys.path.append(str(FOLDER))
    sys.addaudithook(watch)
    tampered()
    print(counts["passed"], counts["refused"])
