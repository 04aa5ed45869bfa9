"""Explain why Hydra refused a command line: all mistakes at once, each with the nearest valid name.

Hydra stops at the first mistake. This module checks each override separately, and only after Hydra has refused one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hydra import compose
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from mlrunner.composition.compose import COMPOSE_ERRORS, open_hydra
from mlrunner.composition.config_source import ConfigSource
from mlrunner.composition.group_diagnosis import check_group, list_places, sweep_values
from mlrunner.composition.hydra_private import read_files_once
from mlrunner.composition.override_syntax import explain_call, write_value
from mlrunner.core.conf_files import list_options
from mlrunner.core.errors import brief, nearest
from mlrunner.core.overrides import join_words, quote_option

# What to do about several values.
ADD_MULTIRUN, NAME_ONE = "add --multirun", "name one of them"
KEYLESS_OPTIONS = {"gate": "none", "deployer": "none", "executor": "local"}  # options without keys, by group


def diagnose(texts: list[str], source: ConfigSource | None = None, remedy: str | None = ADD_MULTIRUN) -> list[str]:
    """Describe what is wrong with each override.

    Args:
        texts: Overrides as they were typed.
        source: Where the command line takes its configuration from.
        remedy: What to do about an override that holds several values; None where it may.

    Returns:
        One sentence for each mistake; empty when no override is wrong by itself.
    """
    source = source or ConfigSource()
    with open_hydra(source) as hydra:
        loader = hydra.config_loader()
        read_files_once(loader)  # for the default and each option of a grid
        parsed, sentences = _parse(texts, loader)
        sweeps = [each.input_line for each in parsed if each.is_sweep_override()]
        sentences += [f"{text} holds several values, which only a grid takes; {remedy}." for text in sweeps if remedy]
        groups = [each for each in parsed if _is_group(each.key_or_group, loader)]
        values = [each for each in parsed if each not in groups and each.package is None and not _is_of_hydra(each)]
        try:
            places = list_places(loader, source.name) if groups else {}
            wrong = {each.input_line: list(check_group(each, loader, places)) for each in groups}
            sentences += [sentence for problems in wrong.values() for sentence in problems]
            configs = _compose_variants([each for each in groups if not wrong[each.input_line]], loader, source.name)
        except COMPOSE_ERRORS:  # a file of configuration is wrong, which Hydra's own message tells
            return sentences
        names = [name for name in loader.list_groups("") if name != "hydra"]
        return [*sentences, *[sentence for each in values for sentence in _check_key(each, configs, names)]]


def _is_of_hydra(override: Override) -> bool:
    return override.key_or_group.partition(".")[0] == "hydra"


def diagnose_hydra_keys(texts: list[str], source: ConfigSource) -> list[str]:
    """Describe the keys that Hydra's own configuration does not have; it has them once the groups are chosen.

    Args:
        texts: Overrides as they were typed, of which Hydra has refused a key.
        source: Where the command line takes its configuration from.
    """
    with open_hydra(source) as hydra:
        loader = hydra.config_loader()
        parsed = _parse(texts, loader)[0]
        groups = [each for each in parsed if _is_group(each.key_or_group, loader) and not each.is_sweep_override()]
        cfg = loader.load_configuration(source.name, [str(each.input_line) for each in groups], RunMode.MULTIRUN)
    sentences = [sentence for each in parsed if _is_of_hydra(each) for sentence in _find_missing(each, cfg, [])]
    for_search = "" if "n_trials" in cfg.hydra.sweeper else " For a search, add sweep=optuna."
    return [f"{each}{for_search if each.startswith('hydra.sweeper.') else ''}" for each in sentences]


def _compose_variants(groups: list[Override], loader: Any, name: str) -> dict[str, DictConfig]:
    """Compose the default, at the empty text, and each option of a grid."""
    choices = [each.input_line for each in groups if not each.is_sweep_override() and each.input_line is not None]
    variants = _list_variants([each for each in groups if each.is_sweep_override()], loader)
    return {label: compose(name, [*choices, *more]) for label, more in variants.items()}


def _is_group(key: str, loader: Any) -> bool:
    parent, _, name = key.rpartition("/")
    return name in loader.list_groups(parent)


def _list_variants(sweeps: list[Override], loader: Any) -> dict[str, list[str]]:
    """Return the overrides that choose each option of a grid, by the option; first none, for the default."""
    variants: dict[str, list[str]] = {"": []}
    for sweep in sweeps:
        known = loader.get_group_options(sweep.key_or_group)
        choices = [f"{sweep.key_or_group}={option}" for option in sweep_values(sweep) if option in known]
        variants |= {text: [quote_option(text)] for text in choices}
    return variants


def _parse(texts: list[str], loader: Any) -> tuple[list[Override], list[str]]:
    parser = OverridesParser.create(config_loader=loader)  # a glob needs the options of its group
    parsed: list[Override] = []
    sentences = []
    for text in texts:
        try:
            parsed += parser.parse_overrides([text if text.strip("+")[:1] != "=" else ""])  # Hydra takes an empty key
        except HydraException as error:
            sentences.append(explain_call(text, error) or _explain_syntax(text, parser))
    return parsed, sentences


def _explain_syntax(text: str, parser: OverridesParser) -> str:
    """Explain a text that is not an override: show its value in quotes where that is all it lacks."""
    key, sign, value = text.partition("=")
    quoted = f"{key}={write_value(value)}"
    try:
        parser.parse_overrides([quoted if key.strip("+") and sign and value[:1] not in ("[", "{", "(") else ""])
    except HydraException:
        return (
            f"'{text}' is not an override; write GROUP=OPTION or key.subkey=value, in quotes where the shell would "
            "split it."
        )
    return f"'{text}' is not an override, for its value has signs that need quotes; write {join_words([quoted])}."


def _check_key(override: Override, configs: dict[str, DictConfig], groups: list[str]) -> list[str]:
    """Refuse a key that does not exist.

    Args:
        override: Override of a value.
        configs: Configuration by option of the grid; first, at the empty text, the default. Hydra's own grid looks for
            the key in the default, even when the grid does not use it.
        groups: Names of the config groups.
    """
    default, *others = [list(_find_missing(override, cfg, groups)) for cfg in configs.values()]
    key = override.key_or_group
    labels = [label for label in configs if label and key.startswith(f"{label.partition('=')[0]}.")]
    if not labels:
        return default
    pairs = zip(list(configs)[1:], others, strict=True)
    missing = {label: sentences for label, sentences in pairs if sentences and label in labels}
    if missing:
        return [f"with {label}, {sentence}" for label, sentences in missing.items() for sentence in sentences]
    return (
        [
            f"{key} is not a key of the default, where Hydra's own grid looks for it; write ++{override.input_line}, "
            "or add sweep=grid."
        ]
        if default
        else []
    )


def _find_missing(override: Override, cfg: DictConfig, groups: list[str]) -> Iterator[str]:
    """Refuse a key that does not exist, unless the override adds it."""
    parts = override.key_or_group.replace("/", ".").split(".")
    if override.is_add() or override.is_force_add():
        return
    node: Any = OmegaConf.to_container(cfg)
    for depth, part in enumerate(parts):
        if not isinstance(node, dict):
            yield f"{'.'.join(parts[: depth + 1])} is not a key; {'.'.join(parts[:depth])} holds a value and no keys."
            return
        known = [str(name) for name in node]
        if part not in known:
            yield _describe_unknown(parts[: depth + 1], known if depth else [*known, *groups])
            return
        node = {str(name): value for name, value in node.items()}[part]
    yield from _check_new_names(override, node)


def _check_new_names(override: Override, node: Any) -> Iterator[str]:
    """Refuse new names in a dictionary: Hydra merges it into the existing one, where new names need a `+`."""
    value, key = override.value(), override.key_or_group
    if not isinstance(value, dict) or not isinstance(node, dict):
        return
    known = [str(name) for name in node]
    for name in map(str, value):
        if name not in known:
            yield (
                f"{key} has no key {name}; to add it on purpose, write '+{override.input_line}'.{nearest(name, known)}"
            )


def _describe_unknown(parts: list[str], known: list[str]) -> str:
    name, holder = ".".join(parts), ".".join(parts[:-1]) or "the composition"
    known = sorted({each for each in known if not each.startswith("_")})  # without `_target_`
    if not known and holder in KEYLESS_OPTIONS:
        others = [option for option in list_options(holder) if option != KEYLESS_OPTIONS[holder]]
        return f"{name} is not a key, for the chosen {holder} has none; choose {holder}={' or '.join(others)} with it."
    if not known:
        return f"{name} is not a key; {holder} has none. To add it on purpose, write +{name}=VALUE."
    hint = nearest(parts[-1], known) or f" To add it on purpose, write +{name}=VALUE."
    return f"{name} is not a key; {holder} has {brief(known, 16)}.{hint}"
