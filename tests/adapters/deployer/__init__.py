"""The deployer against moto: what a template asks for is what the service then shows."""
