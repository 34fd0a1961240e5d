"""Config: tags of configuration items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentrail.local.moto_patches.switch import replace


def apply() -> None:
    """Correct Config."""
    from moto.config.models import ConfigBackend

    # moto answers a role's and a policy's tags as a list where the API has a map: no client can read it.
    def with_tag_map(original: Callable[..., Any]) -> Callable[..., Any]:
        def history(*args: Any, **kwargs: Any) -> Any:
            answer = original(*args, **kwargs)
            for item in answer["configurationItems"]:
                if isinstance(item.get("tags"), list):
                    item["tags"] = dict(_pair(tag) for tag in item["tags"])
            return answer

        return history

    replace(ConfigBackend, "get_resource_config_history", with_tag_map)


def _pair(tag: dict[str, str]) -> tuple[str, str]:
    members = {name.lower(): value for name, value in tag.items()}
    return members["key"], members["value"]
