"""Events are matched with the trails that want them and packed for delivery.

in: event
out: chunk
needs: the trails
"""

from opentrail.pipeline.select.pack import pack_events
from opentrail.pipeline.select.scope import Selection

__all__ = ["Selection", "pack_events"]
