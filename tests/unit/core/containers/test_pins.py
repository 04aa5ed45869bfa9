"""Requirements that are pinned to the installed versions."""

from __future__ import annotations

import importlib.metadata

from mlrunner.core.containers.pins import Target, get_local_target, pin_requirements

BOOKWORM = Target("3.11.2", "x86_64", (2, 36))


def test_packages_are_left_out_with_what_only_they_need() -> None:
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in ("requests", "urllib3", "idna", "certifi")]
    assert {*pins} < {*pin_requirements(["requests"], BOOKWORM)}
    six = f"six=={importlib.metadata.version('six')}"
    assert pin_requirements(["requests", "six"], BOOKWORM, excluded={"requests"}) == [six]


def test_optional_packages_are_there_when_they_are_named() -> None:
    idna = f"idna=={importlib.metadata.version('idna')}"
    assert idna not in pin_requirements(["requests"], BOOKWORM, optional={"idna"})
    assert idna in pin_requirements(["requests", "idna"], BOOKWORM, optional={"idna"})


def test_the_local_target_is_this_python() -> None:
    assert get_local_target().version.startswith(f"{get_local_target().minor}.")
