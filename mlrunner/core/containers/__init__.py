"""Images that are built without a registry: the engine, a base image, and the libraries that are installed on it."""
