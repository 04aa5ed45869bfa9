"""`mlrunner init`."""

from __future__ import annotations

import io
import runpy
import sys
from pathlib import Path

import pytest

from mlrunner.cli.commands import check, init
from mlrunner.core.errors import ConfigError

TABLE = "id,plan,price,churned\n" + "".join(
    f"{row},{'ab'[row % 2]},{row * 37 % 61 / 4},{('no', 'yes')[row * 7 % 13 % 2]}\n" for row in range(100)
)


class Terminal(io.StringIO):
    """A stream of a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a table in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "customers.csv").write_text(TABLE)
    return tmp_path / "customers.csv"


def test_a_new_project_passes_its_own_check_and_test(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder whose name has a blank and an umlaut."""
    assert init.main(["Ö shop", "--data", str(data), "--target", "churned", "dataset.dtypes={plan: str}"]) == 0
    out = capsys.readouterr().out
    assert "ignored   id numbers the rows in their order" in out
    assert "cd 'Ö shop' && mlrunner check" in out
    project = data.parent / "Ö shop"
    monkeypatch.setenv("MLRUNNER_PROJECT", str(project))
    monkeypatch.setattr(sys, "path", [*sys.path, str(project)])
    assert check.main(["--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = ["the default composition", "dataset=oe_shop", "cleaning=oe_shop", "experiment=baseline"]
    assert [line.split("  ")[0] for line in lines] == [f"✓ {name}" for name in names]
    assert {line.split("  ")[1] for line in lines} == {"64 train, 16 validation, 20 test"}
    runpy.run_path(str(project / "tests/test_cleaning.py"))["test_missing_values_are_counted"]()


def test_a_terminal_is_asked(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("shop\ncustomers.csv\n\n"))
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert init.main([]) == 0
    assert "target: churned" in (data.parent / "shop/conf/dataset/shop.yaml").read_text()  # the last column


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "mlrunner init needs a name, like mlrunner init churn."),
        (["a", "b"], "takes one name, not a, b; quote a name with blanks"),
        (["a", "--data", "customers.csv"], "--target is missing; name the column to predict, one of id, plan, price"),
        ([".", "--data", "customers.csv"], "is not empty, and init replaces no files"),
        (["a", "--data", "customer.csv", "--target", "churned"], "customer.csv"),
    ],
)
@pytest.mark.usefixtures("data")
def test_a_pipe_is_not_asked(arguments: list[str], message: str) -> None:
    with pytest.raises(Exception, match=message) as caught:
        init.main(arguments)
    assert getattr(caught.value, "exit_code", None) == 2
    assert not Path("a").exists()


def test_the_embedded_table_is_the_default(data: Path) -> None:
    assert init.main(["reviews"]) == 0
    text = (data.parent / "reviews/conf/dataset/reviews.yaml").read_text()
    assert "  - olist #" in text
    assert "group: order_id" in text
    with pytest.raises(ConfigError, match="is not empty"):
        init.main(["reviews"])
