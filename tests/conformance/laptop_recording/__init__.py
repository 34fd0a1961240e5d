"""The laptop as a user has it: what calls to it leave behind."""
