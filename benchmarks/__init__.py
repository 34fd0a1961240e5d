"""Ratios measured side by side in one run; no wall-clock time is ever a pass mark."""
