"""A home knows the images that it has built."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlrunner.core.containers.image_records import RELEASE, ImageRecord, forget, read_records, record_use


def test_a_record_has_all_images_of_a_tag_and_its_last_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    assert read_records(tmp_path) == {}
    image = ImageRecord("mlrunner-a:1", RELEASE, "a", 1)
    for image_id in ("", "sha256:2", "sha256:1", "sha256:2"):
        record_use(image, image_id)
    record_use(ImageRecord("mlrunner-a:2", RELEASE, "a", 2))
    records = read_records(tmp_path)
    assert records["mlrunner-a:1"].ids == ("sha256:1", "sha256:2")
    assert time.time() - records["mlrunner-a:1"].used < 60
    forget(tmp_path, "mlrunner-a:1")
    assert list(read_records(tmp_path)) == ["mlrunner-a:2"]


def test_a_record_that_was_cut_off_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    image = ImageRecord("mlrunner-a:1", RELEASE, "a", 1)
    record_use(image, "sha256:1")
    (file,) = (tmp_path / ".mlrunner" / "images").iterdir()
    file.write_text(file.read_text()[:20])
    assert read_records(tmp_path) == {}
    record_use(image, "sha256:2")
    assert read_records(tmp_path)["mlrunner-a:1"].ids == ("sha256:2",)
