"""Names: whether resolvers know the API's, and whether they agree."""

from functools import partial
from types import MappingProxyType

from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import ADDRESS, NAME, UNKNOWN_NAME, Plan, Records

OLD_ADDRESS = "127.0.0.2"
_RIGHT: Records = MappingProxyType({NAME: (ADDRESS,)})
_OLD: Records = MappingProxyType({NAME: (OLD_ADDRESS,)})
_DANGLING: Records = MappingProxyType({UNKNOWN_NAME: (f"CNAME gone.{UNKNOWN_NAME}.",)})
_NONE: Records = MappingProxyType({})

_fault = partial(Fault, family="names", runbook="system-health")

NAMES: tuple[tuple[Fault, Plan], ...] = (
    (
        _fault(
            "dns_not_resolving",
            "The name of the API does not resolve",
            "The record of the API is gone: its name server answers NXDOMAIN, and so does this machine's. The API "
            "itself is up, its targets are healthy and its tasks run, but nobody finds it by its name. The diagnosis "
            "should say that the name does not resolve, and that nothing else is wrong.",
            ("dns_not_resolving",),
        ),
        Plan(reached="by_unknown_name", names=(_NONE,)),
    ),
    (
        _fault(
            "dns_dangling_alias",
            "The name of the API is an alias of a name that is gone",
            "The record of the API is an alias (CNAME) of its load balancer's name, as it is on most clouds, and the load "
            "balancer got another one: the alias is still there, and what it leads to is not. The API itself is up, but "
            "nobody finds it. The diagnosis should say that the name leads nowhere, and which name does not exist.",
            ("dns_not_resolving",),
        ),
        Plan(reached="by_unknown_name", names=(_DANGLING,)),
    ),
    (
        _fault(
            "dns_disagreement",
            "Two resolvers give two addresses for the API",
            "The record of the API was changed, and one of two name servers still gives the old address, which the "
            "API has left. Whoever asks that one is refused, this machine among them, while the others work: the API "
            "is up, its targets are healthy and its tasks run. The diagnosis should say that the resolvers disagree.",
            ("dns_disagreement",),
        ),
        Plan(reached="at_old_address", names=(_RIGHT, _OLD)),
    ),
    (
        _fault(
            "dns_agreement",
            "Two resolvers give the same address for the API",
            "Two name servers are asked instead of one, and both give the right address. The API answers. It is the "
            "healthy twin of dns_disagreement, in which nothing but one record differs. The diagnosis should find "
            "nothing.",
        ),
        Plan(names=(_RIGHT, _RIGHT)),
    ),
)
"""Every fault of the family, with its plan."""
