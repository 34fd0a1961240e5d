"""The remediation functions, one per playbook."""
