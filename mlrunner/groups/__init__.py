"""One package for each folder of conf/."""
