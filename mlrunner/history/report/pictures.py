"""Pictures that stand in the page itself: drawn ones as SVG, logged ones as they were logged."""

from __future__ import annotations

import base64
import io
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from markupsafe import Markup

from mlrunner.evaluation import plots
from mlrunner.history.report.trials import COMPLETE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.history.report.content import Content
    from mlrunner.tracking.records import Record

IMPORTANCE = "hyperparameter_importance"
NO_IMPORTANCE = "No importance of hyperparameters: it needs four complete trials with different scores, and two \
parameters that vary in all of them."
MAX_SVG_TRIALS = 300  # trials from which on an SVG, an element a point, is larger than a PNG
SEARCH = {
    "optimization_history": (
        "Optimisation history",
        "The score of each complete trial, in the order in which they began; the line is the best so far.",
    ),
    "pareto_front": ("Pareto front", "In red, the trials that no other dominates in all objectives."),
    IMPORTANCE: (
        "Importance of hyperparameters",
        "The share of the scores' variance that each parameter explains; a short bar was hardly worth searching.",
    ),
    "parallel_coordinates": (
        "Parallel coordinates",
        "One line per trial over the parameters that all trials have; darker is better.",
    ),
    "slices": (
        "Slices",
        "The score against each parameter; later trials are darker, and crowd where the scores are good.",
    ),
}
COST = (
    "Cost against score",
    "What the fit took and what it reached; the line is the best that can be had in so many seconds.",
)
MODEL = {
    "predicted_vs_actual": ("Predicted against actual", "Points on the line are predicted exactly."),
    "residuals": ("Residuals", "What the model leaves over; a slope or a funnel is something it has not learned."),
    "confusion_matrix": ("Confusion matrix", "Rows by their actual class and by the class that the model gives them."),
    "roc": ("ROC", "Hits against false alarms, for every threshold."),
    "pr": ("Precision and recall", "How many of the found are right, against how many of the right are found."),
    "feature_importance": ("Importance of features", "What the score loses when a column is shuffled."),
    "learning_curve": ("Learning curve", "The score as the model learns, on the rows it learns from and on others."),
}


@dataclass(frozen=True)
class Picture:
    """A picture of the page.

    Args:
        name: A word for its address in the page.
        title: Above it.
        caption: How to read it.
        image: As HTML.
        width: In pixels, as it is drawn; wider pages do not enlarge it.
    """

    name: str
    title: str
    caption: str
    image: Markup
    width: int


def search_pictures(content: Content) -> Iterator[Picture]:
    """Show what a sweep found, drawn now or, of a search, as it was logged."""
    for name, figure in content.figures.items():
        yield draw_picture(name, *_text(name), figure, len(content.trials) <= MAX_SVG_TRIALS)
    if not content.figures and content.kind == "search":
        yield from read_pictures(content.subject, SEARCH)


def importance_note(content: Content) -> str:
    """Say why the pictures of a sweep show no importance; empty where they do, or where there are no pictures."""
    if not content.figures or any(name.startswith(IMPORTANCE) for name in content.figures):
        return ""
    return NO_IMPORTANCE


def _text(name: str) -> tuple[str, str]:
    """Return title and caption of a picture; the name of one about a single model ends in the model."""
    kind = next(kind for kind in SEARCH if name == kind or name.startswith(f"{kind}_"))
    title, caption = SEARCH[kind]
    model = name[len(kind) + 1 :]
    return (f"{title}: {model}" if model else title), caption


def cost_pictures(content: Content) -> Iterator[Picture]:
    """Show what the complete trials took and reached."""
    complete = [one for one in content.trials if one.state == COMPLETE]
    fits = [one.outcome.fit_seconds for one in complete]
    whole = not any(second > 0 for second in fits)
    costs = plots.Costs(
        seconds=[one.outcome.seconds for one in complete] if whole else fits,
        values=[one.values[0] for one in complete],
        groups=[one.model for one in complete],
        metric=content.metric,
        greater_is_better=next(iter(content.goal.values()), "maximize") == "maximize",
        what="seconds in all" if whole else "seconds of fit",
    )
    figure = plots.plot_cost_against_score(costs, content.subject.place) if complete else None
    if figure is not None:
        yield draw_picture("cost_against_score", *COST, figure, len(complete) <= MAX_SVG_TRIALS)


def model_pictures(record: Record) -> Iterator[Picture]:
    """Show what a run logged of its model."""
    yield from read_pictures(record, MODEL)


def draw_picture(name: str, title: str, caption: str, figure: Figure, sharp: bool) -> Picture:
    """Put a figure into the page.

    Args:
        name: Of the picture.
        title: Above it.
        caption: How to read it.
        figure: Of matplotlib's.
        sharp: As SVG, and not as PNG.
    """
    width = round(float(figure.get_size_inches()[0]) * 100)
    image = to_svg(figure, name, title) if sharp else _png(_rendered(figure), title)
    return Picture(name, title, caption, image, width)


def to_svg(figure: Figure, name: str, title: str) -> Markup:
    """Write a figure as an element of the page: its texts are texts, and nothing in it names an address."""
    import matplotlib as mpl

    sink = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):  # ids that are the same in every rendering
        figure.savefig(sink, format="svg", metadata={"Date": None})
    text = sink.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    used = set(re.findall(r"#([\w-]+)", text))  # of the others, "axes_1" would stand there once a picture
    text = re.sub(r'(<\w+[^>]*?) id="([^"]+)"', lambda found: found[0] if found[2] in used else found[1], text)
    text = text.replace("xlink:href=", "href=")
    view = re.search(r'viewBox="[^"]*"', text)
    opened = f'<svg {view[0] if view else ""} role="img" aria-label="{title}">'
    return Markup(opened + text[text.index(">") + 1 :])


def _rendered(figure: Figure) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=150)
    return sink.getvalue()


def _png(content: bytes, title: str) -> Markup:
    address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return Markup('<img src="{}" alt="{}">').format(address, title)


def read_pictures(record: Record, wanted: dict[str, tuple[str, str]]) -> Iterator[Picture]:
    """Take pictures from a run's `plots/`; those that it has not are left out."""
    folder = urlparse(record.artifact_uri)
    if folder.scheme in ("", "file"):
        yield from _read(Path(unquote(folder.path)) / "plots", wanted)
        return
    with tempfile.TemporaryDirectory() as place:
        yield from list(_read(_fetched(record, Path(place)), wanted))


def _read(folder: Path, wanted: dict[str, tuple[str, str]]) -> Iterator[Picture]:
    for kind, (title, caption) in wanted.items():
        models = sorted(folder.glob(f"{kind}_*.png")) if wanted is SEARCH else []
        for file in (folder / f"{kind}.png", *models):
            if file.is_file():
                whole, content = title + file.stem[len(kind) :].replace("_", ": ", 1), file.read_bytes()
                yield Picture(file.stem, whole, caption, _png(content, whole), int.from_bytes(content[16:20], "big"))


def _fetched(record: Record, place: Path) -> Path:
    """Fetch the pictures of a run from a store elsewhere."""
    import mlflow

    try:
        return Path(mlflow.artifacts.download_artifacts(f"{record.artifact_uri}/plots", dst_path=str(place)))
    except Exception:  # whatever the store says of a folder that is not there
        return place
