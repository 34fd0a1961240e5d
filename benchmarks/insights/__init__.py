"""How well Insights finds incidents, on labelled weeks."""
