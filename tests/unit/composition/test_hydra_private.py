"""Private names of Hydra and OmegaConf, held to the public behaviour that they replace."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from mlrunner.composition.hydra_private import apply_value_overrides, make_flag_parser, read_files_once, to_yaml
from tests.support.front_door import PROJECT

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30).filter(
    lambda text: "$" not in text
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS)
NODES = st.dictionaries(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=6),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(NODES)
@example({"a": "word " * 60, "b": "# a: b, [c] {d} & * ! | > %"})
@example({"a": "rocket 🚀", "b": "a\tb: " * 30, "c": 'it\'s: "both"'})
@example({"a": ["yes", "0x1", "~", "", "12:30", "1e5", "${b}"]})
@example({"a": [1, 2], "b": [1, 2]})
def test_yaml_is_that_of_omegaconf(node: dict[str, Any]) -> None:
    assert to_yaml(node) == OmegaConf.to_yaml(OmegaConf.create(node))


@pytest.mark.parametrize(
    "overrides",
    [
        ["seed=7", "model.estimator.n_estimators=3"],
        ["+extra={x: [1, {y: true}]}", "++extra.deep=1"],
        ["~tracking.plots", "dataset.name=x"],
    ],
    ids=["values", "additions", "deletions"],
)
def test_overrides_are_applied_as_in_compose(overrides: list[str]) -> None:
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        cfg = compose("mlrunner", ["model=rf"])
        apply_value_overrides(_loader(), OverridesParser.create().parse_overrides(overrides), cfg)
        assert OmegaConf.to_container(cfg) == OmegaConf.to_container(compose("mlrunner", ["model=rf", *overrides]))


def test_an_unknown_key_is_refused_as_in_compose() -> None:
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        with pytest.raises(HydraException) as expected:
            compose("mlrunner", ["sede=1"])
        with pytest.raises(HydraException) as raised:
            apply_value_overrides(_loader(), OverridesParser.create().parse_overrides(["sede=1"]), compose("mlrunner"))
    assert str(raised.value) == str(expected.value)


def _loader() -> Any:
    return GlobalHydra.instance().config_loader()


def test_another_version_of_hydra_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"install hydra-core 1\.3\.$"):
        apply_value_overrides(SimpleNamespace(), [], OmegaConf.create())
    with pytest.raises(RuntimeError, match=r"install hydra-core 1\.3\.$"):
        read_files_once(SimpleNamespace())


def test_the_flag_parser_reads_the_flags_of_hydra() -> None:
    parsed = make_flag_parser().parse_args(["-m", "-cd", "here", "--cfg", "job", "model=rf"])
    assert (parsed.multirun, parsed.config_dir, parsed.cfg, parsed.overrides) == (True, "here", "job", ["model=rf"])
