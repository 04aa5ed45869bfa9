"""Write the reference pages from the comments of `conf/*.yaml`, the parsers of the verbs and the docstrings."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import re
from pathlib import Path
from typing import Any

from yaml_keys import Key, as_yaml, comment_near, read_choices, read_keys, read_title

PROJECT = Path(__file__).resolve().parents[1]
CONF = PROJECT / "conf"
PRIMARY = "mlrunner"
DECISIONS = {  # what a group decides, in the order of a run
    "dataset": "The table, its target and the roles of its columns.",
    "cleaning": "What happens to each row before anything is learned from it.",
    "split": "Which rows train, validate and test.",
    "features": "Encoders and imputers that are fitted on the training rows; chosen as `features@model.features`.",
    "model": "The estimator, its settings and the ranges that a search uses.",
    "metric": "Metrics of your own, beside the built-in ones.",
    "gate": "The condition for a deployment.",
    "deployer": "Where a model serves.",
    "stack": "The stores of ZenML and MLflow.",
    "executor": "Where the trials of a search run.",
    "sweep": "Prepared searches.",
    "experiment": "Prepared compositions.",
}
WIDTH = "100"  # columns of the help texts
RESULTS = ("Run", "Sweep")
BASES = (
    "mlrunner.groups.strategy.CleaningStrategy",
    "mlrunner.groups.split.DataDivideStrategy",
    "mlrunner.groups.dataset.Dataset",
    "mlrunner.groups.features.Features",
    "mlrunner.groups.model.Model",
    "mlrunner.groups.gate.Gate",
    "mlrunner.groups.gate.GateInputs",
    "mlrunner.groups.gate.Decision",
    "mlrunner.groups.deployer.Deployer",
    "mlrunner.groups.deployer.Candidate",
    "mlrunner.groups.deployer.Deployment",
    "mlrunner.groups.stack.Stack",
)


def write_pages(folder: Path) -> None:
    """Write all pages; a page that has not changed keeps its time, so that Sphinx does not read it again."""
    pages = {
        "keys.md": render_keys(),
        "groups.md": render_index(),
        **{f"groups/{group}.md": render_group(group) for group in list_groups()},
        "sweeper.md": render_sweeper(),
        "verbs.md": render_verbs(),
        "api.md": render_api(),
    }
    for file in {*folder.rglob("*.md")} - {folder / name for name in pages}:
        file.unlink()  # of a group that is gone
    for name, text in pages.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_text() != text:
            file.write_text(text)


def list_groups() -> list[str]:
    """List the groups of `conf/`, the known ones in the order of a run; Hydra's own are left out."""
    found = {path.parent.name for path in CONF.glob("*/*.yaml")} - {"hydra"}
    return [*(group for group in DECISIONS if group in found), *sorted(found - {*DECISIONS})]


def escape(text: str) -> str:
    """Keep Markdown from reading anything but code into a comment."""
    return re.sub(r"`[^`]+`|[\\`*_\[\]<>|{}]", lambda match: match[0] if len(match[0]) > 1 else f"\\{match[0]}", text)


def code(text: str) -> str:
    """Write text as code in a cell of a table."""
    mark = "``" if "`" in text else "`"
    return f"{mark}{text}{mark}".replace("|", "\\|") if text else ""


def table(keys: list[Key]) -> str:
    """Write keys as a table."""
    rows = [f"| {code(key.name)} | {code(key.default)} | {escape(key.meaning)} |" for key in keys]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def render_keys() -> str:
    """Write the page of the primary configuration."""
    text = (CONF / f"{PRIMARY}.yaml").read_text()
    keys = read_keys(text)
    own = [key for key in keys if not key.name.startswith("hydra.")]
    hydra = [key for key in keys if key not in own]
    intro = "From `conf/mlrunner.yaml`. `mlrunner --cfg job` prints the whole composition with its values."
    parts = {"Default choices": read_choices(text), "Keys": own, "Hydra's keys that mlrunner sets": hydra}
    tables = [f"## {title}\n\n{table(rows)}" for title, rows in parts.items()]
    return "\n\n".join(["# Top-level keys", intro, *tables]) + "\n"


def render_index() -> str:
    """Write the page that lists the groups with their options."""
    rows = ["| group | what it decides | options |", "|---|---|---|"]
    for group in list_groups():
        options = ", ".join(code(file.stem) for file in option_files(group))
        rows.append(f"| [{group}](groups/{group}.md) | {DECISIONS.get(group, '')} | {options} |")
    tree = "\n".join(["```{toctree}", ":hidden:", "", *(f"groups/{group}" for group in list_groups()), "```"])
    intro = (
        "One folder of `conf/` is one choice, one file in it is one option. `mlrunner GROUP=OPTION` chooses it, "
        "`mlrunner GROUP.KEY=VALUE` sets one of its keys."
    )
    return "\n".join(["# Groups and options", "", intro, "", *rows, "", tree, ""])


def option_files(group: str) -> list[Path]:
    """List the files of a group."""
    return sorted((CONF / group).glob("*.yaml"))


def render_group(group: str) -> str:
    """Write the page of a group: each option with its keys."""
    parts = [f"# {group}\n\n{DECISIONS.get(group, '')}"]
    for file in option_files(group):
        text = file.read_text()
        target = re.search(r"^_target_: (\S+)", text, re.MULTILINE)
        made = f"\n\nClass: {code(target[1])}" if target else ""
        keys = [*read_choices(text), *read_keys(text)]
        title = f"## {group}={file.stem}\n\n{escape(read_title(text))}{made}"
        parts.append(f"{title}\n\n{table(keys)}" if keys else title)
    return "\n\n".join(parts) + "\n"


def read_fields(cls: Any) -> list[Key]:
    """Read the fields of a data class with their defaults and the comments in its source."""
    lines = inspect.getsource(cls).splitlines()
    keys = []
    for field in dataclasses.fields(cls):
        place = next(place for place, line in enumerate(lines) if re.match(rf" +{field.name}:", line))
        is_plain = field.default is not dataclasses.MISSING
        default = field.default if is_plain else field.default_factory()  # type: ignore[misc]
        meaning = comment_near(lines, place)
        keys.append(Key(field.name, as_yaml(default), meaning[:1].lower() + meaning[1:]))
    return [key for key in keys if not key.name.startswith("_") and key.name != "defaults"]


def render_sweeper() -> str:
    """Write the page of `hydra.sweeper`: its keys, samplers and pruners."""
    from mlrunner.search.optuna_config import PRUNERS, SAMPLERS
    from mlrunner.search.sweeper_config import OptunaSweeperConf

    keys = [key for key in read_fields(OptunaSweeperConf) if key.name not in ("sampler", "pruner", "search_space")]
    parts = [
        "# hydra.sweeper",
        "The keys of a search with `sweep=optuna`, or with `hydra/sweeper=optuna` in any Hydra program.",
        table(keys),
        _render_classes("sampler", SAMPLERS, "A sampler proposes the values of the next trial."),
        _render_classes("pruner", PRUNERS, "A pruner stops trials early."),
    ]
    return "\n\n".join(parts) + "\n"


def _render_classes(kind: str, options: dict[str, type], intro: str) -> str:
    rows = [f"| `hydra/sweeper/{kind}=` | class of Optuna | keys and defaults |", "|---|---|---|"]
    for name, cls in options.items():
        values = {field.name: field.default for field in dataclasses.fields(cls)}
        target = str(values.pop("_target_"))
        if name != "motpe":  # refused with what to choose instead
            keys = ", ".join(code(f"{key}={as_yaml(value)}") for key, value in values.items() if key != "_partial_")
            rows.append(f"| `{name}` | {code(target)} | {keys} |")
    return f"## {kind.capitalize()}s\n\n{intro} Optuna's documentation explains the keys.\n\n" + "\n".join(rows)


def help_of(verb: str) -> str:
    """Return what `mlrunner VERB --help` prints."""
    from mlrunner.cli import commands
    from mlrunner.core.environment import temporary_variables

    out = io.StringIO()
    with temporary_variables(COLUMNS=WIDTH), contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        commands.load(verb)(["--help"])
    return out.getvalue().strip()


def render_verbs() -> str:
    """Write the page of the verbs: the help of each."""
    from mlrunner.cli import commands

    intro = (
        "`mlrunner VERB --help` prints these texts. Without a verb, `mlrunner` runs a composition: "
        "`mlrunner [KEY=VALUE ...] [HYDRA FLAGS]`; `mlrunner --help` lists the choices, `--hydra-help` the flags."
    )
    parts = [f"## {verb}\n\n```text\n{help_of(verb)}\n```" for verb in sorted(commands.VERBS)]
    return "\n\n".join(["# Verbs", intro, *parts]) + "\n"


def render_api() -> str:
    """Write the page of the Python API: directives that read the docstrings."""
    from mlrunner import API

    functions = [directive("autofunction", f"mlrunner.{name}") for name in sorted(API)]
    results = [directive("autoclass", f"mlrunner.api.results.{name}", "members") for name in RESULTS]
    results.append(directive("autoclass", "mlrunner.history.diff.Comparison", "members"))
    results.append(directive("autoclass", "mlrunner.execution.deploy_run.DeploymentResult"))
    bases = [directive("autoclass", name, "members") for name in BASES]
    return (
        "\n\n".join(
            [
                "# Python API",
                "The command line as functions, for scripts and notebooks. Importing mlrunner is fast: a function is "
                "loaded on first use.",
                *("## Functions", *functions),
                *("## Results", *results),
                *("## Errors", directive("autoexception", "mlrunner.MlrunnerError")),
                "## Base classes of your own options",
                "Derive from one of these, name the class as `_target_` in a file of `conf/GROUP/`, and choose it as "
                "`GROUP=NAME`. [A cleaning strategy of your own](../guides/cleaning.md) shows the way.",
                *bases,
            ]
        )
        + "\n"
    )


def directive(kind: str, name: str, *options: str) -> str:
    """Write a directive of autodoc, which reads reStructuredText."""
    lines = [f".. {kind}:: {name}", *(f"   :{option}:" for option in options)]
    return "\n".join(["```{eval-rst}", *lines, "```"])
