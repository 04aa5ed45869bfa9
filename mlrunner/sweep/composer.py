"""Compose trials with Hydra: every file read once, so that an edit during a sweep changes none of its trials.

Hydra composes a configuration anew, from its files, in 80 ms. What differs between most trials is values and not
choices, so each set of choices is composed by Hydra once, and the values are set in a copy, as Hydra itself does last.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.config_loader_impl import get_overrides_dirname
from hydra._internal.config_repository import CachingConfigRepository
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict, read_write

from mlrunner.composition import GROUPS, Launch
from mlrunner.sweep.grammar import ZIP, parse

if TYPE_CHECKING:
    from hydra.types import HydraContext

RECORD = (("config.yaml", None), ("hydra.yaml", "hydra"), ("overrides.yaml", "hydra.overrides.task"))


class Frozen(CachingConfigRepository):
    """The configuration files as they were when each was first read; Hydra copies its repository for each composition."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Frozen:
        return self


class Composer:
    """Composes the trials of one sweep."""

    def __init__(self, context: HydraContext, config: DictConfig) -> None:
        self.loader: Any = context.config_loader
        self.loader.repository = Frozen(self.loader.repository)
        self.config = config
        self._parser = OverridesParser.create(config_loader=self.loader)
        self._bases: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, overrides: tuple[str, ...], number: int | None = None) -> DictConfig:
        """Compose a trial.

        Args:
            overrides: All of them.
            number: Of the trial; None for one that is only looked at.

        Returns:
            What Hydra's own composition gives, its `hydra` node included.

        Raises:
            HydraException: When a choice or a key is not there.
        """
        parsed = self._parser.parse_overrides(list(overrides))
        choices = tuple(str(one.input_line) for one in parsed if self._is_choice(one))
        if choices not in self._bases:
            self._bases[choices] = self.loader.load_sweep_config(self.config, list(choices))
        cfg = copy.deepcopy(self._bases[choices])
        OmegaConf.copy_cache(self.config, cfg)
        self.loader._apply_overrides_to_config([one for one in parsed if not self._is_choice(one)], cfg)
        self._tell(cfg, parsed, number)
        return cfg

    def _is_choice(self, one: Override) -> bool:
        return one.package is not None or self.loader.repository.group_exists(one.key_or_group)

    def is_fixed_choice(self, text: str) -> bool:
        """Tell whether an override chooses one option of a group."""
        if ZIP.fullmatch(text):
            return False
        one = parse(text, self.loader)
        return self._is_choice(one) and not one.is_sweep_override()

    def _tell(self, cfg: DictConfig, parsed: list[Override], number: int | None) -> None:
        """Write into the `hydra` node what Hydra's sweepers and launchers write."""
        said = cfg.hydra.job.config.override_dirname
        with read_write(cfg), open_dict(cfg):
            cfg.hydra.overrides.task = [one.input_line for one in parsed]
            cfg.hydra.job.override_dirname = get_overrides_dirname(
                overrides=parsed, kv_sep=said.kv_sep, item_sep=said.item_sep, exclude_keys=said.exclude_keys
            )
            if number is not None:
                cfg.hydra.job.id = cfg.hydra.job.num = number
                folder = Path(str(cfg.hydra.sweep.dir)) / str(cfg.hydra.sweep.subdir)
                cfg.hydra.runtime.output_dir = str(folder.absolute())

    def launch(self, cfg: DictConfig, parent: str | None, shared: tuple[str, ...]) -> Launch:
        """Describe how a trial was started."""
        overrides = OmegaConf.to_container(cfg.hydra.overrides.task)
        choices = {group: str(option) for group, option in cfg.hydra.runtime.choices.items() if group in GROUPS}
        number = OmegaConf.select(cfg, "hydra.job.num", throw_on_missing=False)
        return Launch(
            choices,
            [str(text) for text in overrides] if isinstance(overrides, list) else [],
            Path(str(OmegaConf.select(cfg, "hydra.runtime.output_dir", throw_on_missing=False))),
            number,
            parent,
            shared,
        )

    def models(self, overrides: tuple[str, ...], options: list[str]) -> dict[str, Mapping[str, Any]]:
        """Compose the `model` group of some options, unresolved; of the one that is chosen when none is named."""
        found: dict[str, Mapping[str, Any]] = {}
        for texts in [(*overrides, f"model={option}") for option in options] or [overrides]:
            cfg = self.compose(texts)
            group = OmegaConf.to_container(cfg.model)
            if isinstance(group, dict):
                found[str(cfg.hydra.runtime.choices.model)] = {str(key): value for key, value in group.items()}
        return found


def task_config(cfg: DictConfig) -> DictConfig:
    """Take Hydra's own node off a composition."""
    found = copy.deepcopy(cfg)
    with read_write(found), open_dict(found):
        del found["hydra"]
    return found


def write(cfg: DictConfig, folder: Path) -> None:
    """Write the record that Hydra leaves in the folder of a job."""
    record = folder / str(cfg.hydra.output_subdir or ".hydra")
    record.mkdir(parents=True, exist_ok=True)
    for name, key in RECORD:
        node = task_config(cfg) if key is None else OmegaConf.select(cfg, key)
        if isinstance(node, DictConfig | ListConfig):
            (record / name).write_text(OmegaConf.to_yaml(node))
