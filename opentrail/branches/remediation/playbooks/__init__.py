"""One file per danger; each has one ``PLAYBOOK``."""
