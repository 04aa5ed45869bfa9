"""One run: composed, executed, handed over, reproduced; and Hydra's own grids."""
