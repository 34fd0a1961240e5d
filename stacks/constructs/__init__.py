"""Building blocks with the house defaults; they take resources, never stacks."""
