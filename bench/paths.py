"""What the API server of the benchmark has, by path; ``peer/upstream.go`` has the same."""

SMALL = "/api/v1/namespaces/default/pods?limit=500"
LARGE = "/api/v1/namespaces/default/secrets"
UPLOAD = "/api/v1/namespaces/default/configmaps"
WATCH = "/api/v1/watch/namespaces/default/pods"
TUNNEL = "/api/v1/namespaces/default/pods/web-0/exec"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
