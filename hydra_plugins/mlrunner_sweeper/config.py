"""Offer `hydra/sweeper=optuna` to every Hydra program of this environment."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from mlrunner.search.sweeper_config import offer_sweeper_config


class SweeperOffer(SearchPathPlugin):
    """Register our sweeper when Hydra has scanned all plugins, in whatever order: another one may have its name too."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Leave the search path as it is."""
        del search_path
        offer_sweeper_config()
