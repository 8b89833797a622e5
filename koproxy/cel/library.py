"""All functions that expressions have in an AuthenticationConfiguration, in its order. Pure.

https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
"""

from koproxy.cel.functions import (
    conversions,
    equality,
    formats,
    formatting,
    lists,
    network,
    operators,
    optionals,
    quantities,
    regex,
    semver,
    strings,
    times,
    urls,
)
from koproxy.cel.overloads import Functions

_ROOMS = (
    operators,
    equality,
    conversions,
    times,
    lists,
    strings,
    formatting,
    regex,
    optionals,
    urls,
    network,
    quantities,
    semver,
    formats,
)

OVERLOADS = tuple([overload for room in _ROOMS for overload in room.OVERLOADS])
FUNCTIONS = Functions(OVERLOADS)
