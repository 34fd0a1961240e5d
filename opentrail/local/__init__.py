"""The laptop: all of AWS on one endpoint (moto), with OpenTrail deployed behind it.

| module | does |
|---|---|
| ``gateway``, ``capture`` | every request: parse, identify the caller, answer, make its record |
| ``events``, ``patterns``, ``templates``, ``targets`` | EventBridge: records and other events to targets |
| ``schedules``, ``cron`` | scheduled rules and Scheduler, on time |
| ``queues``, ``pollers`` | SQS event source mappings |
| ``functions``, ``worker``, ``asynchronous``, ``invocations``, ``function_logs`` | Lambda, for real |
| ``deployer`` | CloudFormation for the stacks' resource types |
| ``cloudformation``, ``installation`` | CloudFormation's API over the deployer |
| ``iam`` | who may do what (`--iam`) |
| ``cloudtrail`` | CloudTrail's own API |
| ``moto_patches``, ``backends`` | corrections of moto, and its state |
| ``transport`` | boto3 clients without a socket |
| ``runtime``, ``parts``, ``server``, ``admin``, ``up`` | the composition, and ``opentrail up`` |
"""
