"""Taps beside the line. The line does not know them, and they do not know each other."""
