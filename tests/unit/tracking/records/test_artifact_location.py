"""Where files of runs and models lie, as a tampered store says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.errors import StoreError
from mlrunner.tracking.records.artifact_location import local_path, refuse_foreign_folder, refuse_foreign_host

RUN, MODEL = "a" * 32, f"m-{'b' * 32}"


@pytest.mark.parametrize(
    ("location", "tracking"),
    [
        ("/a/b", "sqlite:///x.db"),
        ("file:///a/b", "http://mine"),
        ("s3://bucket/a", "http://mine"),
        ("mlflow-artifacts:/a", "http://mine"),
        ("http://mine:5000/api/a", "https://mine"),
        ("mlflow-artifacts://mine/a", "http://mine:5000"),
    ],
)
def test_the_tracking_server_and_stores_with_their_own_logins_are_asked(location: str, tracking: str) -> None:
    refuse_foreign_host(location, tracking)


@pytest.mark.parametrize("location", ["http://evil/a", "https://mine@evil/a", "mlflow-artifacts://evil:80/a"])
def test_another_server_is_not_asked(location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for tracking in ("http://mine", "sqlite:///x.db"):
        with pytest.raises(StoreError, match=r"; if you trust it with your login, set MLRUNNER_TRUSTED=host:evil in"):
            refuse_foreign_host(location, tracking)
    monkeypatch.setenv("MLRUNNER_TRUSTED", "host:evil")
    refuse_foreign_host(location, "http://mine")


def test_files_lie_below_their_experiment(tmp_path: Path) -> None:
    root = tmp_path / "my #1 é"
    refuse_foreign_folder(RUN, f"{root}/{RUN}/artifacts", f"{root}/")
    refuse_foreign_folder(RUN, (root / RUN / "artifacts").as_uri(), str(root))
    refuse_foreign_folder(MODEL, f"{root}/models/{MODEL}/artifacts", root.as_uri())
    refuse_foreign_folder(MODEL, f"s3://bucket/1/models/{MODEL}/artifacts", "s3://bucket/1")


@pytest.mark.parametrize(
    ("name", "location"),
    [
        (RUN, "/precious"),  # H3 of the attack findings
        (RUN, "file:///precious"),
        (RUN, "/root"),
        (RUN, f"/root/{RUN}"),
        (RUN, f"/root/x/../{RUN}/artifacts/.."),
        (RUN, f"/root/{'c' * 32}/artifacts"),
        (RUN, f"s3://bucket/{RUN}/artifacts"),
        (MODEL, f"/root/{MODEL}/artifacts"),
        ("..", "/root/../artifacts"),
        ("multirun", "/root/multirun/artifacts"),
    ],
)
def test_files_elsewhere_are_not_removed(name: str, location: str) -> None:
    with pytest.raises(StoreError, match=r"^its files lie in .*, and not in /root/.*; remove them yourself$"):
        refuse_foreign_folder(name, location, "/root")


@pytest.mark.parametrize("link", [RUN, f"{RUN}/artifacts"])
def test_files_behind_a_link_are_not_removed(link: str, tmp_path: Path) -> None:
    (tmp_path / "precious" / "artifacts").mkdir(parents=True)
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="remove them yourself"):
        refuse_foreign_folder(RUN, f"{tmp_path}/{RUN}/artifacts", str(tmp_path))


def test_a_local_path_is_decoded() -> None:
    assert local_path("file:///a%20b") == Path("/a b")
    assert local_path("/a%20b") == Path("/a%20b")
    assert local_path("s3://a/b") is None
