"""The line: a call's record becomes part of a signed, provable file.

    record -> select -> deliver -> digest -> validate

Each stage is a package; its docstring says what comes in, what goes out and
what it needs. ``STAGES`` is their order.
"""

STAGES = ("record", "select", "deliver", "digest", "validate")
