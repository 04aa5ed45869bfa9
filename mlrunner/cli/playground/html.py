"""How the page looks: its head and its answer as HTML, and the styles of both."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from mlrunner.cli.playground import text

STYLE = """<style>
.block-container {max-width: 1240px; padding-top: 2.2rem; padding-bottom: 4rem;}
header[data-testid="stHeader"] {display: none;}
.pg-name {font-size: 1.9rem; font-weight: 700; line-height: 1.2; margin: 0; overflow-wrap: anywhere;}
.pg-tag {font-size: .85rem; font-weight: 600; padding: .15rem .6rem; border-radius: 1rem; margin-left: .5rem;
  background: rgba(47, 111, 171, .16); vertical-align: middle; white-space: nowrap;}
.pg-what {margin: .3rem 0 1rem; opacity: .8; overflow-wrap: anywhere;}
.pg-facts {display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .9rem 1.6rem;
  padding: .9rem 0; border-top: 1px solid rgba(128, 128, 128, .25); border-bottom: 1px solid rgba(128, 128, 128, .25);}
.pg-facts .pg-label, .pg-facts .pg-note {font-size: .8rem; opacity: .75; line-height: 1.35; overflow-wrap: anywhere;}
.pg-facts .pg-found {font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere;}
.pg-answer {padding: 1.1rem 1.2rem; border-radius: .6rem; background: rgba(47, 111, 171, .12);}
.pg-answer .pg-label {font-size: .85rem; opacity: .75; overflow-wrap: anywhere;}
.pg-answer .pg-value {font-size: 2.8rem; font-weight: 700; line-height: 1.15; margin: .2rem 0;
  overflow-wrap: anywhere;}
.pg-answer .pg-note {font-size: .85rem; opacity: .8; line-height: 1.4;}
.pg-empty {background: rgba(128, 128, 128, .1);}
@media (min-width: 640px) {
  [data-testid="stColumn"]:has(.st-key-answer-box) {position: sticky; top: 1.5rem; align-self: flex-start;}
}
</style>"""


def head(facts: Mapping[str, Any], since: float) -> str:
    """Tell what serves."""
    kinds = [f"model {facts['model']}" if facts.get("model") else "", str(facts.get("task") or "")]
    target = f"predicts <b>{escape(str(facts['target']))}</b>" if facts.get("target") else "predicts"
    what = " · ".join([target, *[escape(kind) for kind in reversed(kinds) if kind]])
    measured, found = text.score(facts)
    told = {
        measured: (found, ""),
        "gate": ("open", facts.get("gate") or "no reason was noted"),
        "run": (str(facts.get("run_id") or "-")[:8], facts.get("run_name") or ""),
        "serves since": (text.moment(since or facts.get("registered_at")), ""),
    }
    return (
        f'<p class="pg-name">{escape(str(facts.get("name")))}'
        f'<span class="pg-tag">version {escape(str(facts.get("version")))}</span></p>'
        f'<p class="pg-what">{what}</p>'
        f'<div class="pg-facts">{"".join(_fact(label, *value) for label, value in told.items())}</div>'
    )


def _fact(label: str, value: str, note: str) -> str:
    more = f'<div class="pg-note">{escape(note)}</div>' if note else ""
    return f'<div><div class="pg-label">{escape(label)}</div><div class="pg-found">{escape(value)}</div>{more}</div>'


def answer(facts: Mapping[str, Any], prediction: Any) -> str:
    """Show a prediction, big."""
    exact = f"exactly {prediction!r}" if isinstance(prediction, float) else ""
    notes = [exact if exact[8:] != text.number(prediction) else "", text.expectation(facts) or ""]
    if prediction is None:
        notes = ["The model gives no number for this row."]
    lines = "".join(f'<div class="pg-note">{escape(note)}</div>' for note in notes if note)
    label = escape(str(facts.get("target") or "prediction"))
    return (
        f'<div class="pg-answer"><div class="pg-label">{label}</div>'
        f'<div class="pg-value">{escape(text.number(prediction))}</div>{lines}</div>'
    )


def waiting(sentence: str) -> str:
    """Hold the place of a prediction."""
    return f'<div class="pg-answer pg-empty"><div class="pg-note">{escape(sentence)}</div></div>'
