"""OpenTrail in a test process: AWS, a trail and the records of every call, without ports and without waiting.

``plugin`` registers the pytest fixture ``opentrail``; ``world.OpenTrail`` is what the
fixture gives. Everything is the laptop's own: the gateway, the deployed templates and the
deployed handlers, which here run in the test's process. Nothing moves by itself: rules'
functions, queues and the pipeline go on when the test says ``flush``.

Imports nothing at start that a test run without the fixture would pay for.
"""
