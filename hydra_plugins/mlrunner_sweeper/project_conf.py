"""Put the `conf/` of the user's project before ours on Hydra's search path; Hydra calls this when it starts."""

from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.plugins.search_path_plugin import SearchPathPlugin

from mlrunner.core.conf_files import list_folders
from mlrunner.core.project import CONF_URL, refuse_search_path

PROVIDER = "project"


class ProjectConf(SearchPathPlugin):
    """A file of the project replaces ours of the same name, and a new file adds an option."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepend the folder, only where our own `conf/` is the main one: other programs of Hydra call this as well."""
        mains = [element.path or "" for element in search_path.get_path() if element.provider == "main"]
        if [path if "://" in path else f"file://{path}" for path in mains] == [CONF_URL]:
            for folder in list_folders()[:-1]:
                refuse_search_path(folder)
                search_path.prepend(PROVIDER, f"file://{folder}", SearchPathQuery(provider="main"))
