"""`mlrunner tag`: set tags of a run, such as the reason why it is invalid."""

from __future__ import annotations

from mlrunner.cli.commands.parser import Parser
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
from mlrunner.history import tagging
from mlrunner.tracking.records import separate_stack_overrides

EXAMPLES = """\
invalid=REASON takes the run out of best, gate=champion, prune's best runs and warm starts; invalid= undoes it.

examples:
  mlrunner tag best invalid="alive tells the target"
  mlrunner tag best invalid=
"""


def main(arguments: list[str]) -> int:
    """Tag a run, or all runs of a sweep.

    Raises:
        ConfigError: When there is no such run, or a tag is not possible.
    """
    usage = "mlrunner tag [-h] RUN|SWEEP NAME=VALUE [NAME=VALUE ...] [stack=…]"
    what = "Set tags of a run, or of all runs of a sweep; an empty value removes the tag."
    parser = Parser("tag", what, EXAMPLES, usage)
    parser.add_argument("words", nargs="*", metavar="RUN|SWEEP NAME=VALUE", help="run or sweep, then its tags")
    words, overrides = separate_stack_overrides(parser.parse_args(arguments).words)
    if not words:
        raise ConfigError('mlrunner tag needs a run and a tag, like mlrunner tag latest invalid="the target leaks".')
    tags = tagging.parse_tags(words[1:])
    records = tagging.tag_run(words[0], environment.home(), tags, overrides)
    changes = ", ".join(f"{key} is {value}" if value else f"{key} is removed" for key, value in tags.items())
    more = f" and its {len(records) - 1} runs" if len(records) > 1 else ""
    console().print(f"{records[0].place}{more}: {changes}", markup=False)
    return 0
