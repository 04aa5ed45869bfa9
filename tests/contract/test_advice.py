# ruff: noqa: E501  (a command line and a message are one line)
"""What a message or a warning says to type is typed, and gets further: in process, nothing is fitted.

Every message of the source that says what to type has a case here, or stands among the exceptions with a reason.
"""

from __future__ import annotations

import importlib
import itertools
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import hydra
import pandas as pd
import pytest
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from mlrunner.cli.hydra_app import hydra_arguments, register_sweeper
from mlrunner.composition import checks
from mlrunner.composition.checks import Checked
from mlrunner.composition.compose import open_hydra
from mlrunner.composition.composition import Launch
from mlrunner.composition.error_translation import translate
from mlrunner.composition.hydra_private import read_files_once
from mlrunner.composition.keys import VERBS
from mlrunner.core.build import build
from mlrunner.core.errors import MlrunnerError
from mlrunner.evaluation import objective, scoring
from mlrunner.evaluation.split_data import SplitData
from mlrunner.groups.cleaning.controller import DataCleaning
from mlrunner.groups.deployer.kubernetes import VALIDATOR
from mlrunner.groups.model.estimator_arguments import OPTIONAL_PACKAGES
from mlrunner.search.composer import Composer
from mlrunner.steps import held_out
from mlrunner.steps.problem import describe_problem
from tests.support import advice_templates as source
from tests.support.advice_commands import COMMANDS
from tests.support.front_door import PROJECT
from tests.support.search import HydraSweep

Compose = Callable[[list[str]], DictConfig]
# An override in a sentence: in double or single quotes, or a word without a sign that ends a sentence.
ADVICE = re.compile(
    r"\"(?P<double>[a-z_]+[\w.]*=[^\"]+)\"|'(?P<single>[a-z_]+[\w.]*=[^']+)'|(?<![\w'\"])(?P<word>[+a-z_]+[\w.]*=[^\s;]+)"
)
ROWS = 120

CSV = "dataset=csv dataset.path=good.csv dataset.target=y model=ridge"
DATED = "dataset=csv dataset.path=dates.csv dataset.target=y model=ridge"
ORDERED = "dataset=csv dataset.path=ordered.csv dataset.target=label dataset.time=day model=logistic_regression"
SEARCH = f"sweep=optuna {CSV}"
# A command line with a mistake and, where the message leaves a value open, what is typed then, by words of the message;
# `-key` takes an override away.
MISTAKES: dict[str, str | tuple[str, str]] = {
    "dataset.target is not set; name the column": "dataset=csv dataset.path=good.csv model=ridge",
    "dataset.path is not set; name a file": "dataset=csv dataset.target=y model=ridge",
    "dataset.url is not set": "dataset=sql 'dataset.query=select 1' dataset.target=y model=ridge",
    "dataset.query is not set": "dataset=sql dataset.url=sqlite:///file.db dataset.target=y model=ridge",
    "has one column only, but {} when split at {}": CSV.replace("good", "semicolons"),
    "set the right encoding": CSV.replace("good", "latin"),
    "text but UTF-16": CSV.replace("good", "utf16"),
    "correct it or set dataset.options.sep": (CSV.replace("good", "ragged"), "'dataset.options.sep=;'"),
    "if each begins with the row's name": (CSV.replace("good", "named"), "dataset.options.index_col=0"),
    "has one column only, but {} when split at blanks": CSV.replace("good", "aligned"),
    "is not Parquet but": (f"{CSV} dataset.format=parquet", "dataset.format=csv"),
    "is not CSV but": (CSV.replace("good.csv", "parquet.csv"), "dataset.format=parquet"),
    "whose suffix is not that of": (CSV.replace("good.csv", "good.xyz") + " dataset.format=null", "dataset.format=csv"),
    "splits a name at its dot": f"{CSV} dataset.dtypes.zip.code=str",
    "in another folder, relative paths": f"{CSV} hydra.job.chdir=true",
    "set dataset.task=regression or ": f"{CSV} dataset.task=classification model=rf",
    "dataset.task is regression, but": f"{CSV} dataset.target=rare dataset.task=regression",
    "They look like numbers with a decimal comma": CSV.replace("good", "comma") + " dataset.task=regression",
    "dataset has infinite values": (CSV.replace("good", "infinite"), "dataset.ignore=[a]"),
    "leave fewer out in cleaning.drop": (CSV.replace("good", "small") + " cleaning.drop=[a,b]", "-cleaning.drop"),
    "list fewer in dataset.ignore": (CSV.replace("good", "small") + " dataset.ignore=[a,b]", "-dataset.ignore"),
    'leave it out with "dataset.ignore=': CSV.replace("csv dataset.path=good.csv", "parquet dataset.path=lists.parquet"),
    "as dates, but it holds numbers": f"{DATED} cleaning.dates=[number]",
    "treat it as no date with": DATED.replace("dates", "broken_dates") + " cleaning.dates=[day]",
    "cleaning.date_format is": (f"{CSV} cleaning=preprocess cleaning.date_format=%d", "-cleaning.date_format"),
    "split.time is not set, but": (f"{DATED} split=time_ordered", "dataset.time=day"),
    "{}, or choose split=80_20.": f"{DATED} split=time_ordered",
    "split.group is not set, but": (f"{CSV} split=grouped", "dataset.group=b"),
    "{}, or choose split=80_20 or split=kfold.": f"{CSV} split=grouped",
    "If its codes differ by leading zeros": f"{CSV} split=grouped dataset.group=two",
    "choose split.folds={} or fewer": f"{CSV} split=kfold split.folds=500",
    "choose split.folds={}": f"{CSV} dataset.target=four model=rf split=stratified_kfold split.folds=5 dataset.task=classification",
    "choose split=80_20": f"{CSV} dataset.target=rare model=rf split=stratified dataset.task=classification",
    "a regression has no classes; leave it null, or": f"{CSV} dataset.positive=1",
    "is not in the composition, but every run": ("~dataset model=ridge", "dataset=diabetes -~dataset"),
    "is not set; name a class, as in": f"{CSV} model=custom",
    "a model is fitted on training rows only": (
        f"{CSV} model=xgboost +model.estimator.early_stopping_rounds=5",
        "model.early_stopping=5 -+model.estimator.early_stopping_rounds",
    ),
    "because the encoders of model.features": (
        f"{CSV} model=xgboost +model.estimator.enable_categorical=true",
        "model.features.low_cardinality=5 -+model.estimator.enable_categorical",
    ),
    "takes no validation rows to stop on": (
        f"{CSV} +model.early_stopping=5", "model=xgboost model.early_stopping=5 -+model.early_stopping",
    ),
    "the deployer needs the saved model": f"{CSV} deployer=registry tracking.log_model=false",
    "gate: it compares with what is deployed": f"{CSV} gate=champion",
    "{}.gates sets no condition": f"{CSV} gate=all_of deployer=registry",
    "name a class, like mlrunner.groups.gate": (
        f"{CSV} gate=all_of deployer=registry +gate.gates.mine={{metric:r2}}",
        "+gate.gates.mine={_target_:mlrunner.groups.gate.thresholds.Threshold,metric:r2,threshold:0.1}",
    ),
    "but a gate uses one metric": f"{CSV} gate=threshold gate.metric=[r2,mae] gate.threshold=0 deployer=registry",
    "choose gate=threshold gate.metric=r2": (
        f"{CSV} gate=min_accuracy deployer=registry", "gate=threshold gate.metric=r2 gate.threshold=0.1",
    ),
    "add --multirun": (f"{CSV} model.estimator.alpha=1,2", "--multirun"),
    "is not an override; write GROUP=OPTION": ("model=[rf", "model=rf"),
    " For a search, add sweep=optuna.": (f"{CSV} hydra.sweeper.n_trials=3", "sweep=optuna"),
    "is not a key of the default": "--multirun model=rf,hist_gradient_boosting model.estimator.min_samples_leaf=3",
    "for the chosen {} has none": (f"{CSV} gate.threshold=3", "gate=threshold gate.metric=mae deployer=registry"),
    " To add it on purpose, write +{}=VALUE.": (f"{CSV} model.estimator.zzz=2", "+model.estimator.zzz=2"),
    "only a search takes such ranges": f"{CSV} size=zip(model.estimator.alpha=choice(1,2),seed=choice(1,2))",
    "the defaults list has {} already": f"{CSV} +cleaning=full",
    "a group is added with a single +": (f"{CSV} ++model@m2=rf", "+model@m2=rf -++model@m2"),
    "takes a range directly": f"{CSV} model.estimator.alpha=sort(tag(log,range(1,6)))",
    "is the form of Hydra 1.1": (
        f"{SEARCH} '+hydra.sweeper.search_space={{model.estimator.alpha: {{type: int, low: 1, high: 5}}}}'",
        "'+hydra.sweeper.params={model.estimator.alpha: \"range(1,5)\"}' -+hydra.sweeper.search_space",
    ),
    "Optuna has no {} any more": (f"{SEARCH} hydra/sweeper/sampler=motpe", "hydra/sweeper/sampler=tpe"),
    "a search over seeds": (f"{SEARCH} seed=1,2", "hydra.sweeper.repeats=5 -seed"),
    "choice(…) takes no null": (f"{SEARCH} cleaning.clip=choice(null,8)", "split.date_format=null,8 -cleaning.clip"),
    "is not an override{}; write key=choice": (f"{SEARCH} model.estimator.alpha=interval(1", "model.estimator.alpha=interval(0.1,1)"),
    "{}: {}; write {}=zip": (f"{SEARCH} size=zip(a=1)", "size=zip(model.estimator.alpha=choice(1,2),model.features.impute=choice(mean,median))"),
    "needs one direction for each metric": f"{SEARCH} hydra.sweeper.direction=[maximize,minimize]",
    "contradicts {}, whose direction": f"{SEARCH} objective.metric=mae hydra.sweeper.direction=maximize",
    "nothing to search: model=": (SEARCH.replace("ridge", "dummy"), "model=ridge,rf"),
    "is not a combination; write it like": (f"{SEARCH} hydra.sweeper.exclude=[rf]", "\"hydra.sweeper.exclude=['model=rf,cleaning=full']\""),
    "is not a finished sweep": (f"{SEARCH} hydra.sweeper.warm_start=nosuch", "\"hydra.sweeper.warm_start=['model=ridge,model.estimator.alpha=8']\""),
    "but they predict {}; search each": (f"{SEARCH} dataset.target=y,a", "-sweep --multirun"),
    "is not a key; {} has none. To": (f"{CSV} model=dummy model.search.x=1", "+model.search.x=1"),
    # Said when the rows are split or scored.
    "which is not a date in {} of": f"{DATED.replace('dates', 'soon')} split=time_ordered dataset.time=day",
    "set how they are written, as in": (f"{DATED.replace('dates', 'words')} split=time_ordered dataset.time=day", "'split.date_format=%d of %B %Y'"),
    "whose dates have two readings": f"{DATED.replace('dates', 'readings')} cleaning=preprocess split=time_ordered dataset.time=day",
    "set split.validation_size={}": f"{ORDERED} dataset.target=late split=expanding split.gap=12",
    "set split.max_train_size=null": f"{ORDERED} split=expanding split.max_train_size=10",
    "set model.early_stopping=null": f"{ORDERED} dataset.target=late split=expanding model=lightgbm model.early_stopping=5",
    "choose split=stratified_kfold{}": (
        f"{ORDERED} split=rolling split.max_train_size=10", "split=stratified_kfold -split.max_train_size",
    ),
    "choose split=stratified": f"{ORDERED} dataset.target=late split=time_ordered split.train=0.3 split.validation=0.3 split.test=null",
    "is not a composition; write it like": (
        f"{SEARCH} hydra.sweeper.warm_start=[3]", "\"hydra.sweeper.warm_start=['model=ridge,model.estimator.alpha=8']\"",
    ),
    "moments, but": f"{DATED} split=time_ordered dataset.time=once",
    "set objective.metric={}": f"{CSV} dataset.target=below objective.metric=rmsle",
    "set {}, or objective.metric=log_loss": f"{ORDERED} split=time_ordered objective.metric=roc_auc",
    "set objective.metric=log_loss": f"{ORDERED} dataset.target=pair split=time_ordered objective.metric=roc_auc",
    "needs held-out rows of both classes": f"{ORDERED} split=time_ordered model.threshold=tuned",
    "is undefined for every threshold": (
        f"{ORDERED} split=80_20 model.threshold=tuned model.threshold_metric=mine +metric.mine={{_target_:tests.support.metrics.nan,direction:minimize,task:classification}}",
        "model.threshold_metric=f1",
    ),
    "needs validation rows or two folds": (
        f"{CSV} split=kfold split.folds=2 model=hist_gradient_boosting model.early_stopping=5", "split.folds=3",
    ),
}  # fmt: skip
# Messages that are not typed, by the reason. The unit test of their module asserts what they say to type, or the file below.
EXCEPTIONS = {
    "pip would download a package; `test_extras_that_messages_name_hold_the_package` holds, too": (
        "the package {} is not installed for", "playground needs Streamlit", "which is not installed; run pip install 'mlrunner[", "needs the package {}, which is not",
        "deployer=kubernetes needs", "executor=dask needs", "executor=ray needs",
    ),
    "needs an engine, which is not installed everywhere": ("use sweep=grid, which", "this grid runs as sweep=grid"),
    "a full disk": ("No disk space left while", "No disk space for the stores"),
    "needs a server: of ZenML, MLflow, S3 or Kubernetes, or one of a model that is slow or stops while it predicts": (
        "stack.api_key is not accepted", "does not accept stack.username", "stack.artifact_store={} cannot be read",
        "needs ZenML's MLflow model deployer", "The pods of {}", "did not answer within", "was stopped; nothing was writ",
        "The header Host names", "may not ask; add its name",
    ),
    "said by Python: the API, or ZenML's client that loads an artifact": (
        "which is no data frame", "saved no model; set tracking", "This run did not save its model",
    ),
    "needs two searches, which `apps/test_search_robust.py` runs, too": (
        "or accept it with {}.allow_changes", "as in {}.study_name={}-2", "has dataset.{}={}, not {}; name a sweep", "too few rows show the noise",
    ),
    "needs an orchestrator of containers, which `apps/test_orchestrators.py` has, too": (
        "predicts in a container, which does not reach", "runs each step in a container, and a search is",
    ),
    "needs a second machine, which `apps/test_resume_elsewhere.py` has, too": ("cannot be read here: it is in a file",),
    "needs a deployed model, which `apps/test_predict.py` has, too": (
        "is a folder; name another file with --out", "exists; overwrite it with --force", "give it one type, such as dataset.dtypes",
    ),
    "whole runs of `apps/test_reproduce.py` and of the gates' tests": (
        "is not reproduced because of --strict", "deploy with another gate, such as",
    ),
    "said when Hydra itself refuses a value, before there is a composition": ("would replace all of its keys",),
    "said when a model is fitted": ("with classes of the training rows, but",),
    "said in another Hydra program": ("is offered by two installed plugins",),
    "a warning, which `test_what_a_warning_says_to_type_silences_it` holds, too": ("if they are codes, set",),
}  # fmt: skip
# Exceptions that another file than the unit test of their module asserts.
ASSERTED_BY = {
    "stack.artifact_store={} cannot be read": "apps/test_object_store.py",
    "give it one type, such as dataset.dtypes": "unit/steps/prediction/test_output.py",
    "runs each step in a container, and a search is": "apps/test_orchestrators.py",
    "is not reproduced because of --strict": "apps/test_reproduce.py",
    "deploy with another gate, such as": "support/gates.py",
}
TEMPLATES = source.list_templates()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    table = pd.DataFrame({"a": [n * 37 % 101 for n in range(ROWS)], "b": [n % 7 for n in range(ROWS)]})
    table["price"] = table["y"] = table["a"] * 1.5 + table["b"]
    table["größe"], table["zip.code"], table["two"] = table["y"], "007", [n % 2 for n in range(ROWS)]
    table["rare"] = ["once", *["often", "daily"] * ((ROWS - 1) // 2), "often"]
    table["below"] = -table["y"] - 1
    table["four"] = ["few"] * 4 + ["many"] * (ROWS - 4)
    for name in ("good.csv", "a=b.csv", "good.xyz"):
        table.to_csv(folder / name, index=False)
    table.to_csv(folder / "semicolons.csv", index=False, sep=";")
    table.to_csv(folder / "latin.csv", index=False, encoding="latin-1")
    table.to_csv(folder / "utf16.csv", index=False, encoding="utf-16")
    table.to_parquet(folder / "parquet.csv")
    small = table[["a", "b", "y"]]
    small.to_csv(folder / "small.csv", index=False)
    small.assign(y=small["y"].map("{:.1f}".format).str.replace(".", ",")).to_csv(folder / "comma.csv", index=False)
    small.assign(a=small["a"].replace(37, float("inf"))).to_csv(folder / "infinite.csv", index=False)
    small.assign(a=[[n] for n in range(ROWS)]).to_parquet(folder / "lists.parquet")
    (folder / "aligned.csv").write_text(small.to_string(index=False))
    small.to_csv(folder / "named.csv", header=False)
    (folder / "named.csv").write_text(f"a,b,y\n{(folder / 'named.csv').read_text()}")
    (folder / "ragged.csv").write_text("a,b,y\n1,2,3\n1,2,3,4,5\n")
    days = pd.date_range("2020-01-01", periods=ROWS)
    dates = small.assign(day=days.strftime("%Y-%m-%d"), number=days.strftime("%Y%m%d").astype(int), once="2020-01-01")
    dates.to_csv(folder / "dates.csv", index=False)
    small.assign(day=["soon", *days.strftime("%Y-%m-%d")[1:]]).to_csv(folder / "soon.csv", index=False)
    small.assign(day=days.strftime("%d of %B %Y")).to_csv(folder / "words.csv", index=False)
    small.assign(day=[f"{n % 12 + 1:02}/{n // 12 + 1:02}/2020" for n in range(ROWS)]).to_csv(
        folder / "readings.csv", index=False
    )
    labels = [*["yes", "no"] * 20, *["no"] * (ROWS - 40)]  # the last two thirds have one class
    late = ["no"] * 40 + ["yes", "no"] * ((ROWS - 40) // 2)
    pair = ["yes"] * 2 + ["no"] * (ROWS - 2)
    small.assign(day=dates["day"], label=labels, pair=pair, late=late).to_csv(folder / "ordered.csv", index=False)
    broken = days.strftime("%Y-%m-%d").tolist()[:-3] + ["2020-13-45"] * 3
    small.assign(day=broken).to_csv(folder / "broken_dates.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    """Compose as Hydra does: by the composer of searches, which is quicker, where there is nothing to refuse."""
    register_sweeper()
    with open_hydra() as opened:
        loader = opened.config_loader()
        read_files_once(loader)
        composer = open_sweep(loader, []).composer
        yield lambda overrides: _compose(loader, composer, overrides)


def open_sweep(loader: Any, overrides: list[str]) -> HydraSweep:
    """Return Hydra as a sweeper receives it."""
    config = loader.load_configuration("mlrunner", overrides, RunMode.MULTIRUN)
    return HydraSweep(HydraContext(config_loader=loader, callbacks=Callbacks()), config, ())


def _compose(loader: Any, composer: Composer, typed: list[str]) -> DictConfig:
    overrides = [text for text in typed if text != "--multirun"]
    with suppress(HydraException, OmegaConfBaseException, ValueError):  # Hydra's own composition tells why
        parsed = OverridesParser.create(loader).parse_overrides(overrides)
        if not any(each.is_sweep_override() or each.key_or_group.startswith("hydra") for each in parsed):
            return composer.compose(tuple(overrides)).cfg
    if overrides == typed:
        return hydra.compose("mlrunner", overrides)
    cfg: DictConfig = loader.load_configuration("mlrunner", overrides, RunMode.MULTIRUN)  # without what varies
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg


@pytest.fixture(autouse=True)
def place(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.chdir(tables)


def check(compose: Compose, words: list[str]) -> Checked:
    """Compose and check words of a command line, as a run does before its first step."""
    typed = hydra_arguments(words)
    try:
        return checks.check(compose(typed), Launch({}, typed, Path("run")))
    except MlrunnerError:
        raise
    except Exception as error:
        known = translate(error, typed)
        raise (known or error) from error


def plan(words: list[str]) -> None:
    """Read the space of a search and check it, as a search does before its first trial."""
    typed = [text for text in hydra_arguments(words) if text != "--multirun"]
    of_sweep = [text for text in typed if text.lstrip("+").startswith(("sweep=", "hydra"))]
    sweep = open_sweep(GlobalHydra.instance().config_loader(), of_sweep)
    sweep.plan(*[text for text in typed if not text.lstrip("+").startswith("hydra")])


def score(checked: Checked) -> None:
    """Divide the rows, fit and score, as the steps of a run do."""
    data, composition = checked.data, checked.composition
    problem = describe_problem(composition["dataset"], composition["metric"])
    cleaned = DataCleaning(data.table, build(composition["cleaning"], "cleaning"), problem.roles).handle_data()
    division = build(composition["split"], "split").handle_data(cleaned)
    folds = division.train.iloc[:0, :0] if division.folds is None else division.folds
    parts = SplitData(division.train, division.validation, division.test, folds, problem.roles, scoring=problem.scoring)
    model, (features, target) = build(composition["model"], "model"), parts.of("final_train")
    metric = composition.settings.objective.metrics[0]
    estimator = model.build(features, problem.task)
    held_out.stop_early(model, estimator, parts)
    estimator.fit(features, target)
    validated = held_out.tune_threshold(model, estimator, parts, problem, metric)
    objective.refuse_undefined(metric, scoring.evaluate(estimator, parts, model, problem.task, validated), parts)


def find_problems(compose: Compose, words: list[str], is_run: bool = False) -> list[str]:
    try:
        if any(word.startswith("sweep=") for word in words):
            plan(words)
        else:
            checked = check(compose, words)
            _ = score(checked) if is_run else None
    except MlrunnerError as error:
        return list(getattr(error, "problems", [str(error)]))
    return []


def list_advice(sentence: str) -> list[str]:
    """List the overrides that a sentence says to type, as a shell passes them; those of what was found come before."""
    found = [match.group(match.lastgroup or 0).rstrip(".,;:") for match in ADVICE.finditer(sentence)]
    found = [text.rstrip(")") if text.count(")") > text.count("(") else text for text in found]
    return [text for text in found if not re.search(r"=[A-Z]+$|…", text)]


def list_choices(sentence: str) -> list[list[str]]:
    """List what a sentence says to type: each of the alternatives for a key, with the other overrides."""
    _, _, hint = sentence.partition("; ") if "; " in sentence else ("", "", sentence)
    by_key: dict[str, list[str]] = {}
    for text in list_advice(hint):
        by_key.setdefault(text.lstrip("+").partition("=")[0], []).append(text)
    choices = [list(each) for each in itertools.product(*by_key.values())] if by_key else []
    return choices or ([["--multirun"]] if "--multirun" in hint else [])


def type_advice(words: list[str], advice: list[str]) -> list[str]:
    """Replace each override by the one of the same key, and add the others; `-key` removes one."""
    removed = {text[1:] for text in advice if re.match(r"-[+~a-z]", text)}
    added = [text for text in advice if text[1:] not in removed]
    keys = {text.partition("=")[0].lstrip("+") for text in added}
    kept = [word for word in words if word.partition("=")[0] not in removed]
    kept = [word for word in kept if word.partition("=")[0].lstrip("+") not in keys]
    return [*(word for word in kept if not _is_nested(word, keys)), *added]


def _is_nested(word: str, keys: set[str]) -> bool:
    return any(word.startswith(f"{key}.") for key in keys)


@pytest.mark.parametrize("case", MISTAKES)
def test_what_a_message_says_to_type_gets_further(case: str, compose: Compose) -> None:
    mistake = MISTAKES[case]
    line, typed = (mistake, "") if isinstance(mistake, str) else mistake
    words, template = shlex.split(line), source.find_template(TEMPLATES, case)
    sentences = [text for text in find_problems(compose, words) if source.matches(template, text)]
    if is_run := not sentences:
        sentences = [text for text in find_problems(compose, words, is_run) if source.matches(template, text)]
    assert sentences, (find_problems(compose, words, is_run), template)
    choices = [shlex.split(typed)] if typed else list_choices(sentences[0])
    assert choices, f"nothing to type: {sentences[0]}"
    for advice in choices:
        after = find_problems(compose, type_advice(words, advice), is_run)
        assert not [text for text in after if source.matches(template, text)], (advice, after)


def test_every_message_that_says_what_to_type_has_a_case() -> None:
    commands = {template for template in TEMPLATES if source.list_commands(template)}
    known = {
        source.find_template(TEMPLATES, words): words
        for words in (*MISTAKES, *COMMANDS, *itertools.chain(*EXCEPTIONS.values()))
    }
    missing = {template: place for template, place in TEMPLATES.items() if template not in {*commands, *known}}
    assert not missing, "add a case to MISTAKES or COMMANDS, or an exception with its reason"
    assert len(known) == len(MISTAKES) + len(COMMANDS) + sum(map(len, EXCEPTIONS.values())), (
        "a message has a case twice"
    )


@pytest.mark.parametrize("words", [*itertools.chain(*EXCEPTIONS.values())])
def test_what_an_exception_says_to_type_is_asserted_by_a_test(words: str) -> None:
    template = source.find_template(TEMPLATES, words)
    named = ASSERTED_BY.get(words)
    file = PROJECT / "tests" / named if named else source.find_unit_test(TEMPLATES[template])
    assert source.asserts_advice(file, template), f"{file} should assert: {template}"


def test_what_a_warning_says_to_type_silences_it(compose: Compose, tables: Path) -> None:
    days = pd.date_range("2020-01-01", periods=ROWS)
    table = pd.DataFrame({"Unnamed: 0": range(ROWS), "same": "x", "a": [n * 37 % 101 for n in range(ROWS)]})
    table["name"] = [f"Name {n}" for n in range(ROWS)]
    table["again"], table["y"], table["day"] = table["a"], table["a"] * 2.5, days
    table["end"] = (days + pd.to_timedelta(table["y"] // 1, unit="D")).dt.strftime("%d.%m.%Y")
    table["comma"] = [f"{n % 30},{n % 7}" for n in range(ROWS)]
    table.to_parquet(tables / "advice.parquet")
    words = ["dataset=parquet", "dataset.path=advice.parquet", "dataset.target=y", "model=ridge"]
    notices = check(compose, words).notices
    names = {notice.name for notice in notices}
    assert names >= {"index_columns", "constant_columns", "id_columns", "duplicate_columns", "leaking_columns"}
    assert {"sorted_by_time", "numbers_as_text"} <= names
    assert any("day and end together give y, as the days" in notice.text for notice in notices)
    for notice in notices:
        if notice.name != "numbers_as_text":  # its options are those of CSV files
            after = check(compose, type_advice(words, list_advice(notice.text))).notices
            assert notice not in after, notice


def read_help(verb: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Read what a verb prints for `--help`."""
    with pytest.raises(SystemExit):
        importlib.import_module(f"mlrunner.cli.commands.{verb}").main(["--help"])
    return capsys.readouterr().out


def test_verbs_that_messages_name_exist_with_their_flags(capsys: pytest.CaptureFixture[str]) -> None:
    for template, place in TEMPLATES.items():
        for verb, flags in source.list_commands(template):
            assert verb in VERBS, (template, place)
            assert [flag for flag in flags if flag != "--" and flag not in read_help(verb, capsys)] == [], place


# The verb that a module belongs to, whose flags its messages name.
FLAGS = {"steps/prediction": "predict", "history/pruning": "prune", "cli/commands/runs": "runs"}


@pytest.mark.parametrize("module", FLAGS)
def test_flags_that_messages_name_exist(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    printed = read_help(FLAGS[module], capsys)
    for template, place in TEMPLATES.items():
        if place.startswith(f"mlrunner/{module}"):
            flags = re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"mlrunner .*", "", template))
            assert [flag for flag in flags if flag not in printed] == [], place


def test_extras_that_messages_name_hold_the_package() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    packages = {"playground": "streamlit", "kubernetes": VALIDATOR, "dask": "distributed"}
    for extra, package in {**packages, **{name: name for name in OPTIONAL_PACKAGES}}.items():
        assert any(text.startswith(package.replace("_", "-")) for text in extras[extra]), extra
    assert {*re.findall(r"mlrunner\[(\w+)\]", " ".join(TEMPLATES))} <= {*extras}
