"""One folder per function; each ``handler.py`` is the edge where the domain meets AWS."""
