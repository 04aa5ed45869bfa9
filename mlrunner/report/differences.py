"""In what the run that leads differs from the default composition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from mlrunner.errors import MlrunnerError

if TYPE_CHECKING:
    from mlrunner.report.material import Material


def differences(material: Material) -> Markup | None:
    """Compare the run that leads with the default composition; None where there is nothing to compare."""
    from mlrunner import comparison
    from mlrunner.comparison import rendering, sides

    if material.lead is None:
        return None
    try:
        lead = sides.of_record(material.lead.place, material.lead, material.store)
        found = comparison.compare([sides.of_composition([]), lead])
    except MlrunnerError:  # a run that mlrunner did not make, or whose composition is gone
        return None
    return Markup(rendering.as_html(found))
