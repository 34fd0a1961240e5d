"""Events are matched with the trails that want them and packed for delivery.

in: event
out: chunk
needs: the trails, and the members of their organizations
"""

from opentrail.pipeline.select.pack import pack_events
from opentrail.pipeline.select.scope import Members, Selection

__all__ = ["Members", "Selection", "pack_events"]
