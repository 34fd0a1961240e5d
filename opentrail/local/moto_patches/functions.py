"""Lambda: invocation, forgotten configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentrail.local.moto_patches.switch import hooks, replace


def apply() -> None:
    """Correct Lambda."""
    from moto.awslambda.models import LambdaFunction

    # moto needs Docker, runs a function without its role, and never asynchronously.
    def invoke(_: Callable[..., Any]) -> Callable[..., Any]:
        def run(function: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
            payload = body.encode() if isinstance(body, str) else bytes(body or b"")
            headers = {name.lower(): value for name, value in dict(request_headers).items()}
            return hooks().invoke_function(function, payload, headers, response_headers)

        return run

    replace(LambdaFunction, "invoke", invoke)

    # moto drops these members of a function's configuration.
    kept = ("LoggingConfig", "DeadLetterConfig")

    def update(original: Callable[..., Any]) -> Callable[..., Any]:
        def apply(function: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
            _keep(function, config_updates)
            environment = config_updates.get("Environment")
            if environment == {}:  # moto breaks on it; AWS takes it for no variables
                config_updates = {**config_updates, "Environment": {"Variables": {}}}
            original(function, config_updates)
            answer: dict[str, Any] = function.get_configuration()
            return answer

        return apply

    def describe(original: Callable[..., Any]) -> Callable[..., Any]:
        def get(function: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {**original(function, *args, **kwargs), **function.__dict__.get("_opentrail_kept", {})}

        return get

    def create(original: Callable[..., Any]) -> Callable[..., Any]:
        def init(function: Any, account_id: str, spec: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            original(function, account_id, spec, *args, **kwargs)
            _keep(function, spec)

        return init

    def _keep(function: Any, spec: Mapping[str, Any]) -> None:
        values = function.__dict__.setdefault("_opentrail_kept", {})
        values.update({name: spec[name] for name in kept if name in spec})

    replace(LambdaFunction, "__init__", create)
    replace(LambdaFunction, "update_configuration", update)
    replace(LambdaFunction, "get_configuration", describe)
