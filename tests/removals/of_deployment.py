"""What the samples of deploy/ and the audit of packages hold off, and how it is removed: data."""

from __future__ import annotations

from tests.removals.of_broker import Mutation

NGINX, HAPROXY = "deploy/nginx/tunnus.conf", "deploy/haproxy/haproxy.cfg"
AUDIT = "requirements/audit.py"
COMPOSE = "tests/deploy/test_compose.py"


def removal(what: str, file: str, old: str, new: str, rows: str) -> Mutation:
    """One removal in a sample."""
    return Mutation(what, file, old, new, rows, "tests/deploy/test_proxies.py")


DEPLOYMENT = (
    removal(
        "nginx: the client's own claim of an address ends",
        NGINX,
        "X-Forwarded-For $remote_addr;",
        "X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_sees",
    ),
    removal(
        "nginx: no other header of an address", NGINX, 'proxy_set_header Forwarded "";\n', "", "proxy_sees and nginx"
    ),
    removal(
        "nginx: slow headers end",
        NGINX,
        "client_header_timeout 10s;",
        "client_header_timeout 1000s; # client_header_timeout 10s",
        "slowly and nginx",
    ),
    removal(
        "nginx: no POST is sent twice",
        NGINX,
        "proxy_next_upstream error timeout;",
        "proxy_next_upstream error timeout non_idempotent;",
        "never_sent_twice",
    ),
    removal("nginx: no address in the log", NGINX, "$request_method $status", "$request $status", "no_log and nginx"),
    removal(
        "nginx: no address in the log of errors",
        NGINX,
        "tunnus-error.log crit;",
        "tunnus-error.log error;",
        "no_log and nginx",
    ),
    removal(
        "nginx: without TLS only what services need",
        NGINX,
        "    location / {\n        return 404;\n    }\n",
        "    location / {\n        proxy_pass http://tunnus_broker;\n    }\n",
        "without_tls",
    ),
    removal(
        "HAProxy: no POST is sent twice",
        HAPROXY,
        "retry-on conn-failure",
        "retry-on conn-failure empty-response",
        "never_sent_twice",
    ),
    removal("HAProxy: no address in the log", HAPROXY, "%HM %ST", "%HM %ST %HU", "no_log"),
    removal(
        "HAProxy: a request is in the buffer before it goes on",
        HAPROXY,
        "    option http-buffer-request\n",
        "",
        "slowly and haproxy",
    ),
    removal(
        "HAProxy: who is not ready gets nothing",
        HAPROXY,
        "http-check expect status 200",
        "http-check expect rstatus [0-9]",
        "asks_readiness",
    ),
    removal(
        "nginx: customer service's pages are for the company's network",
        NGINX,
        "    allow 198.51.100.0/24;\n    deny all;\n",
        "    allow 198.51.100.0/24;\n",
        "companys_network and nginx",
    ),
    removal(
        "HAProxy: customer service's pages are for the company's network",
        HAPROXY,
        "deny_status 403 unless { src 198.51.100.0/24 }",
        "deny_status 403 if { src 198.51.100.0/24 }",
        "companys_network and haproxy",
    ),
    Mutation(
        "compose: customer service reaches no more of registration than staff's API",
        "deploy/compose/haproxy.cfg",
        "    http-request deny deny_status 404 unless { path_beg /api/staff/ }\n",
        "",
        "staffs_api_alone",
        tests=COMPOSE,
    ),
    Mutation(
        "compose: registration is given customer service's public keys",
        "deploy/compose/compose.yaml",
        "    - customer-service-public:/var/lib/tunnus/customer-service/public:ro\n    - erasures",
        "    - erasures",
        "others_keys",
        tests=COMPOSE,
    ),
    Mutation(
        "Kubernetes: no second process of customer service",
        "deploy/kubernetes/customer-service.yaml",
        "  strategy: { type: Recreate }\n",
        "",
        "never_two",
        tests="tests/deploy/test_kubernetes.py",
    ),
    Mutation(
        "a vulnerability fails the audit",
        AUDIT,
        "status = status if reason else 1",
        "status = 0",
        "that_an_advisory_names",
        tests="tests/deploy/test_audit.py",
    ),
    Mutation(
        "an advisory's range is read",
        AUDIT,
        " or any(\n        _is_within(",
        " or any(\n        False and _is_within(",
        "introduced_and_fixed",
        tests="tests/deploy/test_audit.py",
    ),
    Mutation(
        "an audit without data says so",
        AUDIT,
        "    if not advisories:\n",
        "    if False:\n",
        "without_data",
        tests="tests/deploy/test_audit.py",
    ),
    Mutation(
        "a file that is no advisory is no data",
        AUDIT,
        'raise ValueError("holds something that is no advisory of OSV")',
        "continue",
        "holds_something_else",
        tests="tests/deploy/test_audit.py",
    ),
)
