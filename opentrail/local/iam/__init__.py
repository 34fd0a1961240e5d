"""IAM on the laptop (`opentrail up --iam`): may this caller make this call?

| module | does |
|---|---|
| ``policy``, ``conditions`` | one policy against one request; pure |
| ``actions``, ``arns``, ``extra`` | a call -> the actions it needs and the resources they are about |
| ``context`` | a call -> condition keys |
| ``sources`` | moto's policies of a caller and of a resource |
| ``decide`` | all policies -> allowed, or why not |
| ``authorizer`` | the gate in the gateway; a denial in the service's own words |

Not looked at: service control policies, session policies, permissions of AWS's own services
(an event rule's right to a queue, a function's to be invoked).
"""

from opentrail.local.iam.authorizer import Authorizer

__all__ = ["Authorizer"]
