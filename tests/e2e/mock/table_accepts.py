"""Accept fields: good ones, odd ones, and ones that no server can serve.

Not here: several with a `*` and a weight. A real server's order of these hangs on how it sorts.
"""

_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
_BETA = _TABLE.replace("v=v1", "v=v1beta1")
_ONE = _TABLE.replace("Table", "PartialObjectMetadata")
_MANY = _TABLE.replace("Table", "PartialObjectMetadataList")
_UNKNOWN = _TABLE.replace("Table", "Nope")
_ELSEWHERE = _TABLE.replace("meta.k8s.io", "nope.example")
_JSON = "application/json"

ACCEPTS = [
    *("", "*/*", "*/json", "nonsense", "text/html", "application/cbor"),
    *(_JSON, f"{_JSON};charset=utf-8", f"{_JSON};stream=watch", f"{_JSON};as="),
    *(_TABLE, _BETA, _ONE, _MANY, _UNKNOWN, _ELSEWHERE),
    *(_BETA.replace("Table", name) for name in ("PartialObjectMetadata", "Nope")),
    _TABLE.replace("v=v1", "v=v2"),
    _TABLE.replace("Table", "table"),
    _TABLE.replace("Table", '"Table"'),
    _TABLE.replace(";", " ; "),
    _TABLE.replace("as=", "AS="),
    _TABLE.replace("application/json", "*/*"),
    f"{_JSON};v=v1;g=meta.k8s.io;as=Table",
    f"{_JSON};as=Table",
    f"{_JSON};as=Table;v=v1",
    f"{_JSON};g=meta.k8s.io;v=v1",
    f"{_TABLE};more=words",
    f"{_TABLE};words",
    f"{_TABLE},",
    *(f"{one},{other}" for one in (_UNKNOWN, _ELSEWHERE, "text/html") for other in (_JSON, _TABLE)),
    *(f"{_JSON},{_TABLE}", f"{_TABLE},{_JSON}", f"{_TABLE}, {_JSON}", f"{_MANY},{_ONE}"),
    *(f"text/html,{_UNKNOWN}", f"{_UNKNOWN},{_ELSEWHERE}", f"{_UNKNOWN},*/*"),
    *(f"{_TABLE};q={weight},{_JSON}" for weight in ("0", "0.5", "1", "2", "x", "-1", "")),
    *(f"{_TABLE};q=0", f"{_UNKNOWN};q=0.5,{_TABLE};q=0.1"),
    *(f"{_JSON};q=0.1,{_TABLE};q=0.9", f"{_ONE};q=0.1,{_TABLE};q=0.2,{_JSON};q=0.15"),
    *(f"*/*,{_TABLE}", f"*/*,{_JSON};q=0.9,{_TABLE}", f"{_TABLE},*/*;q=1", f"*/*;q=1,{_JSON}"),
    f"*/*;as=Table;g=meta.k8s.io;v=v1,{_JSON}",
    "text/html, image/gif, */*; q=.2",
]
OTHERWISE = [
    *("application/*", "Application/JSON", _TABLE.replace("application/json", "application/*")),
    f"application/yaml,{_JSON}",
    f"application/vnd.kubernetes.protobuf,{_JSON}",
]
"""What the mock answers with JSON, and a real server doesn't."""
REFUSED = [_UNKNOWN, _ELSEWHERE, f"{_UNKNOWN},{_ELSEWHERE}", f"text/html,{_UNKNOWN}"]
