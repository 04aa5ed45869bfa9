"""Embed pictures in a page: figures as SVG, logged images as they are."""

from __future__ import annotations

import base64
import io
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from mlrunner.evaluation import plots
from mlrunner.history.report.captions import CONTRIBUTIONS, COST, IMPORTANCE, NO_IMPORTANCE, SEARCH
from mlrunner.history.report.trials import COMPLETE
from mlrunner.tracking.records.artifact_location import local_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.history.report.content import Content
    from mlrunner.tracking.records import Record

MAX_SVG_TRIALS = 300  # with more trials, an SVG is larger than a PNG


@dataclass(frozen=True)
class Picture:
    """A picture of a page.

    Args:
        name: Anchor in the page.
        title: Title above the picture.
        caption: Explanation below the picture.
        image: HTML of the image.
        width: Largest width in pixels.
    """

    name: str
    title: str
    caption: str
    image: Markup
    width: int


def search_pictures(content: Content) -> Iterator[Picture]:
    """Yield the figures of a sweep; for a search without figures, the pictures that it logged."""
    for name, figure in content.figures.items():
        yield draw_picture(name, *_caption(name), figure, len(content.trials) <= MAX_SVG_TRIALS)
    if not content.figures and content.kind == "search":
        yield from read_pictures(content.subject, SEARCH)


def importance_note(content: Content) -> str:
    """Explain why the importance of hyperparameters is missing; empty if it is shown, or no figure is."""
    if not content.figures or any(name.startswith(IMPORTANCE) for name in content.figures):
        return ""
    return NO_IMPORTANCE


def _caption(name: str) -> tuple[str, str]:
    """Return title and caption of a picture; its name ends with the model if it is about a single model."""
    kind = next(kind for kind in SEARCH if name == kind or name.startswith(f"{kind}_"))
    title, caption = SEARCH[kind]
    model = name[len(kind) + 1 :]
    return (f"{title}: {model}" if model else title), caption


def cost_pictures(content: Content) -> Iterator[Picture]:
    """Yield the figure of cost against score of the complete trials."""
    complete = [trial for trial in content.trials if trial.state == COMPLETE and len(content.questions) == 1]
    fits = [trial.outcome.fit_seconds for trial in complete]
    use_total = not any(seconds > 0 for seconds in fits)
    costs = plots.Costs(
        seconds=[trial.outcome.seconds for trial in complete] if use_total else fits,
        values=[trial.values[0] for trial in complete],
        groups=[trial.model for trial in complete],
        metric=content.metric,
        greater_is_better=next(iter(content.goal.values()), "maximize") == "maximize",
        what="seconds in all" if use_total else "seconds of fit",
    )
    figure = plots.plot_cost_against_score(costs, content.subject.place) if complete else None
    if figure is not None:
        yield draw_picture("cost_against_score", *COST, figure, len(complete) <= MAX_SVG_TRIALS)


def contribution_pictures(content: Content) -> Iterator[Picture]:
    """Yield the figure of the contributions to the predictions."""
    if content.explanation is None:
        return
    from mlrunner.history.explanation_tables import measure_columns

    columns, means = zip(*measure_columns(content.explanation), strict=True)
    subject = f"{len(content.explanation.rows):,} test rows"
    unit = content.explanation.contributions.unit
    figure = plots.plot_contributions(list(columns), np.array(means), unit, subject)
    if figure is not None:
        yield draw_picture("contributions", *CONTRIBUTIONS, figure, as_svg=True)


def draw_picture(name: str, title: str, caption: str, figure: Figure, as_svg: bool) -> Picture:
    """Make a picture of a figure.

    Args:
        name: Anchor in the page.
        title: Title above the picture.
        caption: Explanation below the picture.
        figure: Matplotlib figure.
        as_svg: Whether to embed it as SVG instead of PNG.
    """
    width = round(float(figure.get_size_inches()[0]) * 100)
    image = to_svg(figure, name, title) if as_svg else _png(_render_png(figure), title)
    return Picture(name, title, caption, image, width)


def to_svg(figure: Figure, name: str, title: str) -> Markup:
    """Convert a figure to an SVG element with selectable text and without addresses."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):  # the same ids in every rendering
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    references = set(re.findall(r"#([\w-]+)", text))  # the other ids, like "axes_1", would occur in every picture
    text = re.sub(r'(<\w+[^>]*?) id="([^"]+)"', lambda match: match[0] if match[2] in references else match[1], text)
    text = text.replace("xlink:href=", "href=")
    view_box = re.search(r'viewBox="[^"]*"', text)
    tag = f'<svg {view_box[0] if view_box else ""} role="img" aria-label="{title}">'
    return Markup(tag + text[text.index(">") + 1 :])


def _render_png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def _png(content: bytes, title: str) -> Markup:
    address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return Markup('<img src="{}" alt="{}">').format(address, title)


def read_pictures(record: Record, titles: dict[str, tuple[str, str]]) -> Iterator[Picture]:
    """Read the pictures in a run's `plots/`; missing ones are left out."""
    if (folder := local_path(record.artifact_uri)) is not None:
        yield from _read_files(folder / "plots", titles)
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield from list(_read_files(_download(record, Path(temporary)), titles))


def _read_files(folder: Path, titles: dict[str, tuple[str, str]]) -> Iterator[Picture]:
    for kind, (title, caption) in titles.items():
        models = sorted(folder.glob(f"{kind}_*.png")) if titles is SEARCH else []
        for file in (folder / f"{kind}.png", *models):
            if file.is_file():
                full_title, png = title + file.stem[len(kind) :].replace("_", ": ", 1), file.read_bytes()
                yield Picture(file.stem, full_title, caption, _png(png, full_title), int.from_bytes(png[16:20], "big"))


def _download(record: Record, target: Path) -> Path:
    """Download the pictures of a run from a remote store."""
    import mlflow

    try:
        return Path(mlflow.artifacts.download_artifacts(f"{record.artifact_uri}/plots", dst_path=str(target)))
    except Exception:  # each store raises its own exception if the folder is missing
        return target
