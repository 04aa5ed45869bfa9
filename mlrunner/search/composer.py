"""Compose trials with Hydra: every file read once, so that an edit during a sweep changes none of its trials.

Hydra composes a configuration anew, from its files, in 80 ms. What differs between most trials is values and not
choices, so each set of choices is composed by Hydra once, and the values are set in a copy, as Hydra itself does last.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra._internal.config_loader_impl import get_overrides_dirname
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf._utils import OmegaConfDumper, get_omega_conf_dumper

from mlrunner.composition import GROUPS, Launch
from mlrunner.composition.compose import ReadOnce
from mlrunner.search.grammar import ZIP, parse

if TYPE_CHECKING:
    from hydra.types import HydraContext


INSIDE = re.compile(r"(\$\{hydra\.[\w.]+\}|[^$])*")  # a text that refers to nothing but Hydra's own node


@dataclass(frozen=True)
class Composed:
    """A composition, and how it was started.

    Args:
        cfg: Without Hydra's own node.
        launch: Choices, overrides and folder.
        record: The texts that Hydra leaves in the folder of a job, by name.
    """

    cfg: DictConfig
    launch: Launch
    record: dict[str, str]


class Composer:
    """Composes the trials of one sweep."""

    def __init__(self, context: HydraContext, config: DictConfig) -> None:
        self.loader: Any = getattr(context, "config_loader")  # noqa: B009 - its class does not tell all that it has
        self.loader.repository = ReadOnce(self.loader.repository)
        self.config = config
        self._parser = OverridesParser.create(config_loader=self.loader)
        self._bases: dict[tuple[str, ...], tuple[DictConfig, DictConfig]] = {}
        self._folder: Path | None = None

    def compose(self, overrides: tuple[str, ...], number: int | None = None, record: bool = False) -> Composed:
        """Compose a trial; the result is what Hydra's own composition gives.

        Args:
            overrides: All of them.
            number: Of the trial; None for one that is only looked at.
            record: Whether the texts are wanted.

        Raises:
            HydraException: When a choice or a key is not there.
        """
        parsed = self._parser.parse_overrides(list(overrides))
        whole, task = self._base(tuple(str(one.input_line) for one in parsed if self._is_choice(one)))
        cfg = copy.deepcopy(task)
        self.loader._apply_overrides_to_config([one for one in parsed if not self._is_choice(one)], cfg)
        self._tell(whole, cfg, parsed, number)
        launch = _launch(whole, [str(one.input_line) for one in parsed], number)
        return Composed(cfg, launch, _record(whole, cfg) if record else {})

    def _base(self, choices: tuple[str, ...]) -> tuple[DictConfig, DictConfig]:
        """Compose a set of choices once: whole, and without Hydra's own node, which is most of it."""
        if choices not in self._bases:
            whole = self.loader.load_sweep_config(self.config, list(choices))
            if self._folder is not None:
                _place(whole, self._folder)
            task = copy.deepcopy(whole)
            with read_write(task), open_dict(task):
                del task["hydra"]
            self._bases[choices] = whole, task
        return self._bases[choices]

    def _is_choice(self, one: Override) -> bool:
        return one.package is not None or self.loader.repository.group_exists(one.key_or_group)

    def is_fixed_choice(self, text: str) -> bool:
        """Tell whether an override chooses one option of a group."""
        if ZIP.fullmatch(text):
            return False
        one = parse(text, self.loader)
        return self._is_choice(one) and not one.is_sweep_override()

    def _tell(self, whole: DictConfig, cfg: DictConfig, parsed: list[Override], number: int | None) -> None:
        """Write into the `hydra` node what Hydra's sweepers and launchers write."""
        said = whole.hydra.job.config.override_dirname
        with read_write(whole), open_dict(whole):
            whole.hydra.overrides.task = [one.input_line for one in parsed]
            whole.hydra.job.override_dirname = get_overrides_dirname(
                overrides=parsed, kv_sep=said.kv_sep, item_sep=said.item_sep, exclude_keys=said.exclude_keys
            )
            if number is not None:
                whole.hydra.job.id = whole.hydra.job.num = number
                whole.hydra.runtime.output_dir = str(_folder(whole, cfg).absolute())

    def settle(self, folder: Path) -> None:
        """Put the folders of all trials below another one."""
        self._folder = folder
        for whole in [self.config, *[one for one, _ in self._bases.values()]]:
            _place(whole, folder)

    def models(self, overrides: tuple[str, ...], options: list[str]) -> dict[str, Mapping[str, Any]]:
        """Compose the `model` group of some options, unresolved; of the one that is chosen when none is named."""
        found: dict[str, Mapping[str, Any]] = {}
        for texts in [(*overrides, f"model={option}") for option in options] or [overrides]:
            composed = self.compose(texts)
            group = OmegaConf.to_container(composed.cfg.model)
            if isinstance(group, dict):
                found[composed.launch.choices["model"]] = {str(key): value for key, value in group.items()}
        return found


def _place(whole: DictConfig, folder: Path) -> None:
    with read_write(whole), open_dict(whole):
        whole.hydra.sweep.dir = str(folder)


def _folder(whole: DictConfig, cfg: DictConfig) -> Path:
    """Name the folder of a trial; a `subdir` of the user's own may refer to values that only the trial has."""
    subdir = whole.hydra.sweep._get_node("subdir")
    if INSIDE.fullmatch(str(subdir._value())):
        return Path(str(whole.hydra.sweep.dir)) / str(whole.hydra.sweep.subdir)
    both = OmegaConf.create({**{key: cfg._get_node(key) for key in cfg}, "hydra": whole.hydra})
    return Path(str(whole.hydra.sweep.dir)) / str(both.hydra.sweep.subdir)


def _launch(whole: DictConfig, overrides: list[str], number: int | None) -> Launch:
    choices = {group: str(option) for group, option in whole.hydra.runtime.choices.items() if group in GROUPS}
    folder = Path(str(whole.hydra.runtime.output_dir)) if number is not None else Path()
    return Launch(choices, overrides, folder, number)


DOUBTFUL = re.compile(r"\"|'': |[^\x00-\x7f]")


class Dumper(yaml.CDumper if yaml.__with_libyaml__ else yaml.Dumper):  # type: ignore[misc]
    """OmegaConf's way of writing YAML, in C: a trial writes two files of it."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out each time, as OmegaConf does."""
        del data
        return True


get_omega_conf_dumper()  # makes ready what the representer looks at
Dumper.add_representer(str, OmegaConfDumper.str_representer)


def _record(whole: DictConfig, cfg: DictConfig) -> dict[str, str]:
    nodes = {
        "config.yaml": OmegaConf.to_container(cfg),
        "hydra.yaml": {"hydra": OmegaConf.to_container(whole.hydra, enum_to_str=True)},
        "overrides.yaml": OmegaConf.to_container(whole.hydra.overrides.task),
    }
    return {name: _written(node) for name, node in nodes.items()}


def _written(node: Any) -> str:
    """Write a node; in OmegaConf's own way where quoted texts may be broken at other places by the C library."""
    text = str(yaml.dump(node, Dumper=Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False))
    return OmegaConf.to_yaml(OmegaConf.create(node)) if DOUBTFUL.search(text) else text
