"""Why Hydra refused a command line: all of its mistakes at once, each with the nearest right name.

Hydra stops at the first mistake; this looks at every override by itself, and only after a refusal.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from mlrunner.composition.stand_ins import options
from mlrunner.core.errors import brief, nearest
from mlrunner.core.overrides import quote_option

CONF = "conf"
CHOICES = ("gate", "deployer")  # groups with an option that has no keys


def diagnose(texts: list[str], multirun: bool = False) -> list[str]:
    """Say what is wrong with each override; nothing when the mistake is not in one of them alone.

    Args:
        texts: The overrides as they were typed.
        multirun: Whether an override may hold several values.
    """
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(Path(os.environ["MLRUNNER_PROJECT"]) / CONF), version_base="1.3"):
        loader: Any = GlobalHydra.instance().config_loader()
        parsed, sentences = _parse(texts, loader)
        sentences += [] if multirun else [_sweep(one) for one in parsed if one.is_sweep_override()]
        groups = [one for one in parsed if loader.repository.group_exists(one.key_or_group)]
        wrong = {one.input_line: list(_options(one, loader)) for one in groups}
        sentences += [sentence for found in wrong.values() for sentence in found]
        chosen = [one.input_line for one in groups if not wrong[one.input_line] and not one.is_sweep_override()]
        told = [text for text in chosen if text is not None]
        variants = _variants([one for one in groups if one.is_sweep_override()], loader)
        cfgs = {label: compose("config", [*told, *more]) for label, more in variants.items()}
        names = [name for name in _names(loader) if loader.repository.group_exists(name) and name != "hydra"]
        others = [one for one in parsed if one not in groups and one.package is None]
        return [*sentences, *[sentence for one in others for sentence in _keys(one, cfgs, names)]]


def _variants(swept: list[Override], loader: Any) -> dict[str, list[str]]:
    """Name each option of the groups that a grid goes through, with the overrides that choose it; first the default."""
    found: dict[str, list[str]] = {"": []}
    for one in swept:
        known = loader.get_group_options(one.key_or_group)
        chosen = [f"{one.key_or_group}={option}" for option in _swept(one) if option in known]
        found |= {text: [quote_option(text)] for text in chosen}
    return found


def _parse(texts: list[str], loader: Any) -> tuple[list[Override], list[str]]:
    parser = OverridesParser.create(config_loader=loader)  # which a glob asks for the options of its group
    parsed: list[Override] = []
    sentences = []
    for text in texts:
        try:
            parsed += parser.parse_overrides([text])
        except HydraException:
            sentences.append(
                f"'{text}' is not an override; write GROUP=OPTION or key.subkey=value, in quotes where the shell "
                "would split it."
            )
    return parsed, sentences


def _sweep(override: Override) -> str:
    return f"{override.input_line} holds several values, which only a grid takes; add --multirun."


def _names(loader: Any) -> list[str]:
    return [str(name) for name in loader.repository.get_group_options("", None)]


def _options(override: Override, loader: Any) -> Iterator[str]:
    """Refuse the options that a group does not have."""
    group, value = override.key_or_group, override.value()
    if override.is_delete():
        return
    known = loader.get_group_options(group)
    told = ", ".join(known) or "no options"
    if value is None:
        yield f"{group}=null is not an option; {group} has {told}."
        return
    chosen = _swept(override) if override.is_sweep_override() else _listed(value)
    for option in chosen:
        if option not in known:
            yield f"{group}={option} is not an option; {group} has {told}.{nearest(option, known)}"


def _swept(override: Override) -> list[str]:
    return [one.strip("'\"") for one in override.sweep_string_iterator()]  # 80_20 is quoted by the front door


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _keys(override: Override, cfgs: dict[str, DictConfig], groups: list[str]) -> list[str]:
    """Refuse a key that is not there; in a grid Hydra looks for it in the default option, which may not be meant."""
    default, *others = [list(_key(override, cfg, groups)) for cfg in cfgs.values()]
    key = override.key_or_group
    labels = [label for label in cfgs if label and key.startswith(f"{label.partition('=')[0]}.")]
    if not labels:
        return default
    missing = {label: found for label, found in zip(list(cfgs)[1:], others, strict=True) if found and label in labels}
    if missing:
        return [f"with {label}, {sentence}" for label, found in missing.items() for sentence in found]
    return (
        [
            f"{key} is not a key of the default, where Hydra's own grid looks for it; write ++{override.input_line}, "
            "or add sweep=grid."
        ]
        if default
        else []
    )


def _key(override: Override, cfg: DictConfig, groups: list[str]) -> Iterator[str]:
    """Refuse a key that is not there, unless it is added on purpose or belongs to Hydra."""
    parts = override.key_or_group.replace("/", ".").split(".")
    if override.is_add() or override.is_force_add() or parts[0] == "hydra":
        return
    node: Any = cfg
    for depth, part in enumerate(parts):
        known = [str(name) for name in node] if OmegaConf.is_dict(node) else []
        if part not in known:
            yield _unknown(parts[: depth + 1], known if depth else [*known, *groups])
            return
        node = node._get_node(part)
    yield from _new_names(override, node)


def _new_names(override: Override, node: Any) -> Iterator[str]:
    """Explain that a mapping is merged into the one that is there, where new names need a `+`."""
    value, key = override.value(), override.key_or_group
    if not isinstance(value, dict) or not OmegaConf.is_dict(node):
        return
    for name in [str(name) for name in value if str(name) not in node]:
        known = [str(one) for one in node]
        yield f"{key} has no key {name}; to add it on purpose, write '+{override.input_line}'.{nearest(name, known)}"


def _unknown(parts: list[str], known: list[str]) -> str:
    name, holder = ".".join(parts), ".".join(parts[:-1]) or "the composition"
    known = sorted({one for one in known if one != "_target_"})
    if not known and holder in CHOICES:
        others = [option for option in options(holder) if option != "none"]
        return f"{name} is not a key, for the chosen {holder} has none; choose {holder}={' or '.join(others)} with it."
    if not known:
        return f"{name} is not a key; {holder} holds a value and no keys."
    hint = nearest(parts[-1], known) or f" To add it on purpose, write +{name}=VALUE."
    return f"{name} is not a key; {holder} has {brief(known, 16)}.{hint}"
