# ruff: noqa: E501  (a command line is one line)
"""Commands that are refused, and what their messages say to type; names in braces are those of `advice_home`."""

WINE = "check dataset=wine model=dummy"
DEPLOY = "deploy {winner} deployer=registry deployer.name=taken"
# By words of the message: the command that says it, then what it says to type; the last line says it no more.
COMMANDS: dict[str, tuple[str, ...]] = {
    "Cannot write {} ({}); set MLRUNNER_HOME": ("MLRUNNER_HOME=/proc/none env", "MLRUNNER_HOME={home} env"),
    "install the newer one, or set MLRUNNER_HOME": ("MLRUNNER_HOME={newer} runs", "MLRUNNER_HOME={home} runs"),
    "MLflow's store {} cannot be read": ("MLRUNNER_HOME={broken} runs", "MLFLOW_TRACKING_URI=sqlite:///{home}/.mlrunner/mlflow.db MLRUNNER_HOME={broken} runs"),
    "needs kubectl": (f"PATH=/none {WINE} deployer=kubernetes deployer.context=x", f"PATH=/none {WINE} deployer=kubernetes deployer.context=null"),
    "names a folder of pickles": ("reproduce {memory} --strict", "MLRUNNER_TRUSTED=joblib reproduce {memory} --strict"),
    "and is of neither mlrunner": ("reproduce {foreign} --strict", "MLRUNNER_TRUSTED=elsewhere reproduce {foreign} --strict"),
    "reads the variable {} of your": ("ALPHA=2 reproduce {variable} --strict", "ALPHA=2 MLRUNNER_TRUSTED=env:ALPHA reproduce {variable} --strict"),
    "{} is of neither mlrunner nor a library of models; if you trust it, set {}={}": ("explain {wine}", "MLRUNNER_TRUSTED=elsewhere explain {wine}"),
    "lies on a server that is not your": ("reproduce {far}", "MLRUNNER_TRUSTED=host:127.0.0.1 reproduce {far}"),
    "and would be read with your rights": ("reproduce {address} --strict", "reproduce {address} --strict --trust"),
    "holds a secret, which is not recorded": ("reproduce {secret} --strict", "reproduce {secret} --strict dataset.path=orders.csv"),
    "if its data have moved": ("reproduce {moved} --strict", "reproduce {moved} --strict dataset.path={table}"),
    "stack.{} is not set; give it": ("runs stack=mlflow_server stack.username=x stack.tracking_uri=http://127.0.0.1:9", "MLFLOW_TRACKING_PASSWORD=x runs stack=mlflow_server stack.username=x stack.tracking_uri=http://127.0.0.1:9"),
    "stack.url is not set": ("runs stack=zenml_server", "runs stack=zenml_server stack.url=http://127.0.0.1:9"),
    "as a store; use": ("MLFLOW_TRACKING_URI=file:{home}/mlruns runs", "MLFLOW_TRACKING_URI=sqlite:///{home}/.mlrunner/mlflow.db runs"),
    "is no option of conf/{}/; add": ("deploy {option}", "deploy {option} gate=threshold"),
    "its clients would get wrong answers": (DEPLOY, f"{DEPLOY} deployer.replace=true"),
    "has never served; deploy a run with deployer": ("playground taken", "--cfg job deployer=local", "--cfg job deployer=docker"),
    "saved no model; run it": ("explain {unsaved}", "explain {ridge}"),
    "it takes one sweep, --where": ("runs {sweep} {sweep}", "runs {sweep}", "runs --where 'metrics.r2 > 0'"),
    "give an id, or --where": ("prune twin", "prune {twin}", "prune --where \"attributes.run_name = 'twin'\""),
    "--resolve shows": ("--resolve model=rf", "--resolve model=rf --cfg job"),
    "--shell-completion does not": ("--shell-completion", "--shell-completion uninstall=bash", "--shell-completion install=bash"),
    "{} replaces all of its keys": ("--multirun dataset=wine hydra.sweeper=5", "--multirun hydra/sweeper=optuna dataset=wine hydra.sweeper.n_trials=x"),
    "--experimental-rerun={} {}; name": ("--experimental-rerun=none.pickle", "reproduce {memory}"),
    "--config-path={} is relative": ("--config-path=conf", "--config-path={home}/work/conf", "--config-dir={home}/work/team --cfg job"),
    "Name a FILE to predict": ("predict", "predict orders.csv"),
    "after -- give overrides": ("diff {ridge} -- --model=rf", "diff {ridge} -- model=rf -cd {home}/work/team"),
    "is not a tag; write NAME=VALUE": ("tag {twin} note", 'tag {twin} invalid="the target leaks"'),
    "--data holds a password": ("init shop --data postgresql://u:p@127.0.0.1:9/x --query 'select 1'", "DATABASE_URL=postgresql://u:p@127.0.0.1:9/x init shop --data '${{oc.env:DATABASE_URL}}' --query 'select 1'"),
    "--query needs the database": ("init shop --query 'select 1'", "init shop --query 'select 1' --data sqlite:///shop.db"),
    "--data names a database": ("init shop --data sqlite:///shop.db", "init shop --data sqlite:///shop.db --query 'SELECT 1 AS a ORDER BY a'"),
    "sets hydra.searchpath, which": (f"MLRUNNER_PROJECT={{home}}/work/project {WINE}", f"{WINE} 'hydra.searchpath=[file://{{home}}/work/team]'"),
    "was deleted in MLflow; restore": ("dataset=wine model=dummy tracking.experiment=gone", "dataset=wine model=dummy tracking.experiment=gone-2 split.test=x"),
}  # fmt: skip
