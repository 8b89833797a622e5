"""Every option of koproxy, once: name, type, default and help.

The command line, the twistd plugin and their help read this table; names and defaults are
those of kube-oidc-proxy and kube-apiserver, so that a deployment switches by its image. Nothing
here opens a file or checks what an option means: who uses it does.
"""

from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, NewType


# ruff knows neither that this only describes a field, nor that a timedelta can't be changed.
# ruff: noqa: RUF009
def _option(default: Any, text: str, *, group: str, metavar: str = "", short: str = "") -> Any:
    metadata = {"help": text, "group": group, "metavar": metavar, "short": short}
    return field(default=default, metadata=metadata)


OIDC = "OpenID Connect"
SERVING = "Serving"
LIMITS = "Limits"
UPSTREAM = "API server"
PROXY = "Proxy"
OBSERVING = "Observing"
AUDIT = "Audit"

Whole = NewType("Whole", str)
"""A value that may have commas in it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of ``koproxy serve``.

    A field ``oidc_issuer_url`` is the flag ``--oidc-issuer-url``. An empty string or tuple means
    that the flag was not given. The type of a field decides how its flag is read: ``str``, ``int``,
    ``float``, ``bool``, ``timedelta`` (as Go writes durations), ``tuple[str, ...]``
    (comma-separated or repeated), ``tuple[Whole, ...]`` (repeated alone) and
    ``tuple[tuple[str, str], ...]`` (``key=value``, repeated).
    """

    oidc_issuer_url: str = _option(
        "",
        "URL of the OpenID issuer; only https. Tokens must name it as their issuer.",
        group=OIDC,
        metavar="URL",
    )
    oidc_client_id: str = _option(
        "",
        "Client ID that a token must have among its audiences.",
        group=OIDC,
        metavar="ID",
    )
    oidc_ca_file: str = _option(
        "",
        "File with the CA certificates (PEM) that the issuer's certificate is verified by. "
        "Default: the system's.",
        group=OIDC,
        metavar="FILE",
    )
    oidc_username_claim: str = _option(
        "sub",
        "Claim that is the username. Claims other than 'sub' may be neither unique nor lasting.",
        group=OIDC,
        metavar="CLAIM",
    )
    oidc_username_prefix: str = _option(
        "",
        "Prefix of every username. Without it, usernames from claims other than 'email' get the "
        "issuer's URL and '#' before them; '-' means no prefix.",
        group=OIDC,
        metavar="PREFIX",
    )
    oidc_groups_claim: str = _option(
        "",
        "Claim that names the groups: a string or a list of strings.",
        group=OIDC,
        metavar="CLAIM",
    )
    oidc_groups_prefix: str = _option("", "Prefix of every group.", group=OIDC, metavar="PREFIX")
    oidc_signing_algs: tuple[str, ...] = _option(
        ("RS256",),
        "Signing algorithms that a token may have (RFC 7518), comma-separated.",
        group=OIDC,
        metavar="ALGS",
    )
    oidc_required_claim: tuple[tuple[str, str], ...] = _option(
        (),
        "Claim that a token must have with exactly this value; may be repeated.",
        group=OIDC,
        metavar="CLAIM=VALUE",
    )
    oidc_tls_client_cert_file: str = _option(
        "",
        "File with the client certificate (PEM) to show to the issuer.",
        group=OIDC,
        metavar="FILE",
    )
    oidc_tls_client_key_file: str = _option(
        "", "File with the key of that certificate.", group=OIDC, metavar="FILE"
    )

    authentication_config: str = _option(
        "",
        "File with an AuthenticationConfiguration (apiserver.config.k8s.io): several issuers, "
        "expressions. Instead of the flags above that are about one issuer; a change of it needs "
        "no restart.",
        group=OIDC,
        metavar="FILE",
    )
    readiness_require_all_issuers: bool = _option(
        False,
        "Be ready only when the keys of all issuers are there. Without it, those of one will do.",
        group=OIDC,
    )
    issuer_outage_tolerance: timedelta = _option(
        timedelta(),
        "Time that an issuer's keys are used after they were last fetched, while it can't be "
        "reached; 0 is for as long as that takes.",
        group=OIDC,
        metavar="DURATION",
    )

    secure_port: int = _option(
        6443, "Port to serve HTTPS on; 0 takes a free one.", group=SERVING, metavar="PORT"
    )
    bind_address: str = _option(
        "0.0.0.0",  # noqa: S104 - kube-oidc-proxy's default: a proxy is there to be reached
        "IP address to serve on.",
        group=SERVING,
        metavar="IP",
    )
    tls_cert_file: str = _option(
        "",
        "File with the certificate to serve with (PEM; intermediates after it).",
        group=SERVING,
        metavar="FILE",
    )
    tls_private_key_file: str = _option(
        "", "File with the key of --tls-cert-file.", group=SERVING, metavar="FILE"
    )
    tls_sni_cert_key: tuple[Whole, ...] = _option(
        (),
        "Files with another certificate and its key, for clients that ask for one of the names "
        "after the colon, or of the certificate's own if there are none; may be repeated.",
        group=SERVING,
        metavar="CERT,KEY[:NAME,*.NAME]",
    )
    cert_dir: str = _option(
        "/var/run/kubernetes",
        "Folder where a self-signed certificate is made and kept if --tls-cert-file isn't given.",
        group=SERVING,
        metavar="FOLDER",
    )
    tls_min_version: str = _option(
        "VersionTLS12",
        "Lowest TLS version: VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13.",
        group=SERVING,
        metavar="VERSION",
    )
    tls_cipher_suites: tuple[str, ...] = _option(
        (),
        "Cipher suites up to TLS 1.2, comma-separated, by their IANA names. Default: OpenSSL's.",
        group=SERVING,
        metavar="SUITES",
    )
    client_ca_file: str = _option(
        "",
        "File with CA certificates (PEM). Who shows a client certificate of one of them is its "
        "common name, in the groups that are its organisations, and needs no token.",
        group=SERVING,
        metavar="FILE",
    )
    readiness_probe_port: int = _option(
        8080,
        "Port that answers /ready, /readyz?verbose and /livez over HTTP; 0 takes a free one.",
        group=SERVING,
        metavar="PORT",
        short="P",
    )
    shutdown_delay_duration: timedelta = _option(
        timedelta(),
        "Time to go on serving after SIGTERM, while health says no already, so that load balancers "
        "notice.",
        group=SERVING,
        metavar="DURATION",
    )
    shutdown_stream_grace_period: timedelta = _option(
        timedelta(seconds=10),
        "Time that tunnels (exec, port-forward) and followed logs have after that. Watches end "
        "after an event, all other answers have a minute.",
        group=SERVING,
        metavar="DURATION",
    )
    trusted_proxies: tuple[str, ...] = _option(
        (),
        "IP addresses and networks (CIDR) of proxies and load balancers, comma-separated. In "
        "requests from there, X-Forwarded-For says who the client is. Default: it is never "
        "believed.",
        group=SERVING,
        metavar="CIDRS",
    )
    proxy_protocol: bool = _option(
        False,
        "Every connection from --trusted-proxies begins with a PROXY header (version 1 or 2), "
        "which says who the client is. Others begin with TLS. Where it names nobody, "
        "X-Forwarded-For isn't believed either.",
        group=SERVING,
    )
    workers: int = _option(
        1, "Processes that serve on the one port, each on a core.", group=SERVING, metavar="NUMBER"
    )

    max_header_bytes: int = _option(
        65536,
        "Size of a request's head, in bytes, above which it is refused (431).",
        group=LIMITS,
        metavar="BYTES",
    )
    read_header_timeout: timedelta = _option(
        timedelta(seconds=30),
        "Time that a client has for the head of a request (408).",
        group=LIMITS,
        metavar="DURATION",
    )
    idle_timeout: timedelta = _option(
        timedelta(minutes=3),
        "Time after which a client's connection without a request is closed; 0 is never.",
        group=LIMITS,
        metavar="DURATION",
    )
    max_connections: int = _option(
        16384,
        "Connections of clients at a time; a further one is closed at once. 0 is no limit.",
        group=LIMITS,
        metavar="NUMBER",
    )
    max_connections_per_peer: int = _option(
        0,
        "The same for each IP address. 0 is no limit: behind a load balancer that hides addresses "
        "all clients have the same.",
        group=LIMITS,
        metavar="NUMBER",
    )
    max_requests_inflight: int = _option(
        4096,
        "Requests at a time that wait for the API server's answer to begin; a further one gets a "
        "429. Watches and streams have had theirs. 0 is no limit.",
        group=LIMITS,
        metavar="NUMBER",
    )
    end_streams_at_token_expiry: bool = _option(
        False,
        "Cut watches and tunnels when the token that they were asked for with expires. Without "
        "it they go on, as at kube-apiserver.",
        group=LIMITS,
    )

    kubeconfig: str = _option(
        "",
        "Kubeconfig that names the API server and the proxy's credential. "
        "Default: the ServiceAccount of the pod.",
        group=UPSTREAM,
        metavar="FILE",
    )
    context: str = _option(
        "",
        "Context of the kubeconfig. Default: its current one.",
        group=UPSTREAM,
        metavar="NAME",
    )

    kube_client_qps: float = _option(
        0.0,
        "Calls a second that the proxy makes to the API server for itself; 0 is no limit. Half of "
        "it is for questions without a good answer yet, as about tokens never seen before.",
        group=UPSTREAM,
        metavar="NUMBER",
    )
    kube_client_burst: int = _option(
        0,
        "Calls that it may make at once before it is held to --kube-client-qps; 0 stands for 10.",
        group=UPSTREAM,
        metavar="NUMBER",
    )

    allow_reserved_groups: tuple[str, ...] = _option(
        (),
        "Groups beginning with 'system:' that a token may name, comma-separated. "
        "Others of that kind are refused.",
        group=PROXY,
        metavar="GROUPS",
    )
    token_passthrough: bool = _option(
        False,
        "Have the API server review (TokenReview) a bearer token by which nobody is named; what it "
        "knows is passed on as it came, without impersonation.",
        group=PROXY,
    )
    token_passthrough_audiences: tuple[str, ...] = _option(
        (),
        "Audiences of which such a token must be for one, comma-separated. "
        "Default: those of the API server.",
        group=PROXY,
        metavar="AUDIENCES",
    )
    disable_impersonation: bool = _option(
        False,
        "Pass verified requests on with their own token, for API servers that trust the issuer, "
        "instead of impersonating.",
        group=PROXY,
    )
    extra_user_header_client_ip: bool = _option(
        False,
        "Add the client's IP address to everybody's extra fields, as remote-client-ip.",
        group=PROXY,
    )
    extra_user_headers: tuple[str, ...] = _option(
        (),
        "Extra fields to add to everybody's: key1=foo,key2=bar,key1=bar.",
        group=PROXY,
        metavar="KEY=VALUE",
    )
    allow_inbound_impersonation: bool = _option(
        False,
        "Let people impersonate (kubectl --as) what a SubjectAccessReview says they may.",
        group=PROXY,
    )
    subject_access_review_timeout: timedelta = _option(
        timedelta(seconds=5),
        "Time that all such reviews for one request have together.",
        group=PROXY,
        metavar="DURATION",
    )
    v: int = _option(
        0, "How much is logged: from 4 on, every refusal too.", group=PROXY, metavar="LEVEL"
    )

    access_log_path: str = _option(
        "",
        "File that a JSON line is appended to for each request; '-' is standard output.",
        group=OBSERVING,
        metavar="FILE",
    )
    access_log_sample_rate: float = _option(
        1.0,
        "Part of the requests that have a line there, from 0 to 1; refused, cut and failed ones "
        "all have.",
        group=OBSERVING,
        metavar="RATE",
    )

    tracing_config_file: str = _option(
        "",
        "File with a TracingConfiguration (apiserver.config.k8s.io), which says where spans are "
        "sent (OpenTelemetry) and of how many requests.",
        group=OBSERVING,
        metavar="FILE",
    )

    audit_policy_file: str = _option(
        "",
        "File with the audit policy (audit.k8s.io/v1), which says what there are events of. A "
        "change of it needs no restart.",
        group=AUDIT,
        metavar="FILE",
    )
    readiness_require_audit: bool = _option(
        False,
        "Be ready only while audit events get where they should. Without it, that is only shown.",
        group=AUDIT,
    )
    audit_log_path: str = _option(
        "",
        "File that audit events are appended to, one JSON line each; '-' is standard output.",
        group=AUDIT,
        metavar="FILE",
    )
    audit_log_format: str = _option(
        "json", "Format of that file: json.", group=AUDIT, metavar="FORMAT"
    )
    audit_log_version: str = _option(
        "audit.k8s.io/v1",
        "API version of the events in that file: audit.k8s.io/v1.",
        group=AUDIT,
        metavar="VERSION",
    )
    audit_log_mode: str = _option(
        "blocking",
        "When events are written: blocking, before what they speak of happens; blocking-strict, "
        "so too, and a request whose arrival can't be written is refused; batch, soon after.",
        group=AUDIT,
        metavar="MODE",
    )
    audit_log_maxsize: int = _option(
        100,
        "Size in megabytes above which the file is put aside and a new one begun; 0 is never.",
        group=AUDIT,
        metavar="MEGABYTES",
    )
    audit_log_maxbackup: int = _option(
        100,
        "Files put aside that are kept; 0 is all of them.",
        group=AUDIT,
        metavar="NUMBER",
    )
    audit_log_maxage: int = _option(
        366,
        "Days that files put aside are kept; 0 is for ever.",
        group=AUDIT,
        metavar="DAYS",
    )
    audit_log_compress: bool = _option(False, "Compress files put aside with gzip.", group=AUDIT)
    audit_log_batch_buffer_size: int = _option(
        10000,
        "Events that may wait to be written in batch mode; further ones are lost and counted.",
        group=AUDIT,
        metavar="NUMBER",
    )
    audit_log_batch_max_size: int = _option(
        1, "Events written at a time in batch mode.", group=AUDIT, metavar="NUMBER"
    )
    audit_log_batch_max_wait: timedelta = _option(
        timedelta(),
        "Time that an event waits for others in batch mode.",
        group=AUDIT,
        metavar="DURATION",
    )
    audit_webhook_config_file: str = _option(
        "",
        "File in the form of a kubeconfig that names where audit events are sent, and with what "
        "credential. A change of its credential needs no restart.",
        group=AUDIT,
        metavar="FILE",
    )
    audit_webhook_version: str = _option(
        "audit.k8s.io/v1",
        "API version of the events that are sent: audit.k8s.io/v1.",
        group=AUDIT,
        metavar="VERSION",
    )
    audit_webhook_mode: str = _option(
        "batch", "When events are sent: batch, soon after.", group=AUDIT, metavar="MODE"
    )
    audit_webhook_batch_buffer_size: int = _option(
        10000,
        "Events that may wait to be sent, those under way included; further ones are lost and "
        "counted.",
        group=AUDIT,
        metavar="NUMBER",
    )
    audit_webhook_batch_max_size: int = _option(
        400, "Events sent in one request.", group=AUDIT, metavar="NUMBER"
    )
    audit_webhook_batch_max_wait: timedelta = _option(
        timedelta(seconds=30),
        "Time that an event waits for others before it is sent.",
        group=AUDIT,
        metavar="DURATION",
    )
    audit_webhook_initial_backoff: timedelta = _option(
        timedelta(seconds=10),
        "Pause before events that could not be sent are sent again; later ones are longer.",
        group=AUDIT,
        metavar="DURATION",
    )


def options() -> dict[str, dict[str, Any]]:
    """The table as data: flag name to its field's name, type, default, help, group and metavar."""
    return {
        each.name.replace("_", "-"): {
            "field": each.name,
            "type": each.type,
            "default": each.default,
            **each.metadata,
        }
        for each in fields(Settings)
    }
