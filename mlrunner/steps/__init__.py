"""The ZenML steps in the order they run: each builds its strategy, calls its one verb and returns."""

from mlrunner.steps.deploying import deploy as deploy
from mlrunner.steps.deploying import gate as gate
from mlrunner.steps.deploying import load as load
from mlrunner.steps.deploying import score as score
from mlrunner.steps.fitting import evaluate as evaluate
from mlrunner.steps.fitting import judge as judge
from mlrunner.steps.fitting import refit as refit
from mlrunner.steps.fitting import train as train
from mlrunner.steps.fitting import trial as trial
from mlrunner.steps.rows import clean as clean
from mlrunner.steps.rows import divide as divide
from mlrunner.steps.rows import ingest as ingest
