"""Private names of Hydra 1.3 and OmegaConf 2.3, each checked on import or replaced by the public way."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import yaml
from hydra._internal.config_repository import CachingConfigRepository
from omegaconf import DictConfig, OmegaConf

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from hydra.core.override_parser.types import Override
    from hydra.types import HydraContext

try:
    from omegaconf._utils import OmegaConfDumper, get_omega_conf_dumper
except ImportError:  # pragma: no cover - OmegaConf has moved its dumper: `to_yaml` is used, which is slower
    OmegaConfDumper = None  # type: ignore[assignment,misc]

# PyYAML's C emitter breaks some quoted lines at other places than its Python emitter.
EMITTERS_DIFFER = re.compile(r"\"|'': |[^\x00-\x7f]")


class FastDumper(yaml.CDumper if yaml.__with_libyaml__ else yaml.Dumper):  # type: ignore[misc]
    """OmegaConf's YAML dumper on the C emitter."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out each time, as OmegaConf does."""
        del data
        return True


if OmegaConfDumper is not None:
    get_omega_conf_dumper()  # caches what the representer needs
    FastDumper.add_representer(str, OmegaConfDumper.str_representer)


def to_yaml(node: Any) -> str:
    """Write plain values exactly as `OmegaConf.to_yaml` does, several times as fast.

    Args:
        node: Dictionary or list of plain values; interpolations are texts.
    """
    if OmegaConfDumper is not None:
        text = str(yaml.dump(node, Dumper=FastDumper, default_flow_style=False, allow_unicode=True, sort_keys=False))
        if not EMITTERS_DIFFER.search(text):
            return text
    return OmegaConf.to_yaml(OmegaConf.create(node))


def apply_value_overrides(loader: Any, overrides: Sequence[Override], cfg: DictConfig) -> None:
    """Set the values of overrides in a composed configuration, as the last step of Hydra's own composition.

    Args:
        loader: Hydra's config loader.
        overrides: Overrides of values; a choice of a group is refused.
        cfg: Configuration that is changed in place.

    Raises:
        HydraException: When a key does not exist, or is added twice.
        RuntimeError: When this Hydra has no such step.
    """
    apply = getattr(loader, "_apply_overrides_to_config", None)
    if apply is None:
        raise RuntimeError("This version of Hydra applies overrides in another way; install hydra-core 1.3.")
    apply(list(overrides), cfg)


class ReadOnce(CachingConfigRepository):
    """Repository that keeps each configuration file as it was first read."""

    def __deepcopy__(self, memo: dict[int, Any]) -> ReadOnce:
        """Return itself: Hydra copies its repository for every composition."""
        return self

    def load_config(self, config_path: str) -> Any:
        """Return a copy, because Hydra merges other files into the result."""
        return copy.deepcopy(super().load_config(config_path))


def read_files_once(loader: Any) -> None:
    """Let a config loader of Hydra read each file once.

    Raises:
        RuntimeError: When this Hydra has no such repository.
    """
    if not hasattr(loader, "repository"):
        raise RuntimeError("This version of Hydra reads its files in another way; install hydra-core 1.3.")
    loader.repository = ReadOnce(loader.repository)


def make_context(loader: Any) -> HydraContext:
    """Make the context that Hydra passes to a sweeper, for a config loader and without callbacks."""
    from hydra._internal.callbacks import Callbacks
    from hydra.types import HydraContext

    return HydraContext(config_loader=loader, callbacks=Callbacks())


def make_flag_parser() -> ArgumentParser:
    """Make the parser of Hydra's own flags.

    Raises:
        RuntimeError: When this Hydra makes its parser in another way.
    """
    from hydra._internal import utils

    make = getattr(utils, "get_args_parser", None)
    if make is None:
        raise RuntimeError("This version of Hydra makes its parser in another way; install hydra-core 1.3.")
    parser: ArgumentParser = make()
    return parser
