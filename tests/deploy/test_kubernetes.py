"""deploy/kubernetes: valid by Kubernetes's own schemas, restricted, and stopped no faster than a process ends."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.serving.server import LAST_ANSWERS
from kit.settings.proxies import drain_seconds
from tests.harness.deployment import DEPLOY, PUBLIC_KEYS, fill_in

pytestmark = pytest.mark.deployment

FOLDER = DEPLOY / "kubernetes"
VERSIONS = ("1.30", "newest")
DRAIN = drain_seconds(None, "production")


def kustomized(folder: Path) -> Iterator[Path]:
    """The files and folders that a kustomization names."""
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        yield (folder / name).resolve()


def manifests() -> list[dict[str, Any]]:
    """Everything that is applied."""
    files = [file for folder in (FOLDER, FOLDER / "first-start") for file in kustomized(folder) if file.is_file()]
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


MANIFESTS = {f"{made['kind']}/{made['metadata']['name']}": made for made in manifests()}


def pod_of(made: dict[str, Any]) -> dict[str, Any]:
    """The specification of the pods that something makes."""
    if made["kind"] == "CronJob":
        made = made["spec"]["jobTemplate"]
    pod: dict[str, Any] = made["spec"]["template"]
    return pod


PODS = {name: pod_of(made) for name, made in MANIFESTS.items() if made["kind"] in {"Deployment", "Job", "CronJob"}}
CONTAINERS = {
    f"{name}/{container['name']}": container
    for name, pod in PODS.items()
    for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"])
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_it_is_what_kubernetes_takes(name: str, version: str) -> None:
    import kubernetes_validate  # of requirements/lint.txt, which `make test` does without

    number = kubernetes_validate.latest_version() if version == "newest" else version
    kubernetes_validate.validate(MANIFESTS[name], number, strict=True)


def test_every_file_is_applied() -> None:
    files = {file.resolve() for file in FOLDER.rglob("*.yaml") if file.name != "kustomization.yaml"}
    assert {
        file for folder in (FOLDER, FOLDER / "first-start") for file in kustomized(folder) if file.is_file()
    } == files
    assert (DEPLOY / "config").resolve() in set(kustomized(FOLDER)) & set(kustomized(FOLDER / "first-start"))


def test_the_filled_in_configuration_has_every_file_that_kubernetes_takes(tmp_path: Path) -> None:
    deploy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, deploy)
    fill_in(deploy / "config")
    made = yaml.safe_load((deploy / "config" / "kustomization.yaml").read_text())["configMapGenerator"]
    assert [file for part in made for file in part["files"] if not (deploy / "config" / file).is_file()] == []
    if (kubectl := shutil.which("kubectl")) is not None:  # there is no package of a new one in Debian
        for folder in ("kubernetes", "kubernetes/first-start"):
            command = [kubectl, "kustomize", str(deploy / folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            assert "image: tunnus\n" not in done.stdout


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_of_the_restricted_kind(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    mounted = {
        mount["name"] for key, made in CONTAINERS.items() if key.startswith(name) for mount in made["volumeMounts"]
    }
    assert mounted == {volume["name"] for volume in spec["volumes"]}
    assert not any("hostPath" in volume for volume in spec["volumes"])


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_no_more_rights_than_it_needs(name: str) -> None:
    container = CONTAINERS[name]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]
    keys = [mount for mount in container["volumeMounts"] if mount["mountPath"] == "/var/lib/tunnus/keys"]
    assert all(mount.get("readOnly") for mount in keys) or name.startswith(("CronJob/rotate-", "Job/first-start"))
    for variable in container["env"]:
        assert variable["name"].endswith("_FILE") or not variable["name"].endswith(("PASSWORD", "TOKEN"))


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_public_keys_that_a_configuration_names_are_mounted_and_only_who_shows_them_writes_them(name: str) -> None:
    container = CONTAINERS[name]
    mounted = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    program = container["args"][0]
    _, needed = PUBLIC_KEYS.get(program, (None, None))
    assert needed is None or mounted[needed]["readOnly"] is True
    for writer, path in (
        ("tunnus-registration", PUBLIC_KEYS["tunnus"][1]),
        ("tunnus-customer-service", PUBLIC_KEYS["tunnus-registration"][1]),
    ):
        assert program == writer or mounted.get(path, {"readOnly": True}).get("readOnly") is True


@pytest.mark.parametrize("name", ["broker", "registration"])
def test_a_service_goes_on_while_a_pod_is_replaced(name: str) -> None:
    deployment = MANIFESTS[f"Deployment/{name}"]["spec"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    budget = MANIFESTS[f"PodDisruptionBudget/{name}"]["spec"]
    assert budget["selector"]["matchLabels"].items() <= PODS[f"Deployment/{name}"]["metadata"]["labels"].items()
    assert budget["minAvailable"] == 1


def test_customer_service_is_one_pod_and_never_two_and_may_be_drained() -> None:
    deployment = MANIFESTS["Deployment/customer-service"]["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    assert "PodDisruptionBudget/customer-service" not in MANIFESTS


def test_customer_services_pages_are_shown_to_the_companys_network_alone() -> None:
    ingress = MANIFESTS["Ingress/customer-service"]
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/whitelist-source-range"]
    ingresses = {name: made["spec"] for name, made in MANIFESTS.items() if made["kind"] == "Ingress"}
    hosts = {name: {rule["host"] for rule in spec["rules"]} for name, spec in ingresses.items()}
    assert hosts == {
        "Ingress/tunnus": {"id.energy.example", "registration.energy.example"},
        "Ingress/customer-service": {"customer-service.energy.example"},
    }


@pytest.mark.parametrize(("name", "port"), [("broker", 8000), ("registration", 8001), ("customer-service", 8005)])
def test_a_service_is_found_is_probed_and_ends_in_its_time(name: str, port: int) -> None:
    pod = PODS[f"Deployment/{name}"]["spec"]
    container = CONTAINERS[f"Deployment/{name}/{name}"]
    labels = PODS[f"Deployment/{name}"]["metadata"]["labels"].items()
    service = MANIFESTS[f"Service/{name}"]["spec"]
    assert service["selector"].items() <= labels
    assert [(made["port"], made["targetPort"]) for made in service["ports"]] == [(port, "http")]
    assert [(made["name"], made["containerPort"]) for made in container["ports"]] == [
        ("http", port),
        ("operations", port + 1000),
    ]
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "operations"}
    command, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    assert pod["terminationGracePeriodSeconds"] >= int(seconds) + DRAIN + LAST_ANSWERS + 10


def test_nobody_talks_to_anybody_but_for_what_is_said() -> None:
    policies = {name: made["spec"] for name, made in MANIFESTS.items() if made["kind"] == "NetworkPolicy"}
    assert policies["NetworkPolicy/nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ways = {
        name.partition("/")[2]: {port["port"] for way in spec.get("egress", ()) for port in way["ports"]}
        for name, spec in policies.items()
    }
    assert ways == {
        "nobody": set(),
        "names": {53},
        "from-outside": set(),
        "broker": {443, 6379},
        "registration": {443, 5432},
        "customer-service": {443},
        "send-mail": {587, 5432},
        "migrate": {5432},
    }
    (reached,) = policies["NetworkPolicy/from-outside"]["podSelector"]["matchExpressions"]
    services = {made["metadata"]["name"] for made in MANIFESTS.values() if made["kind"] == "Service"}
    assert set(reached["values"]) == services
    for sources in policies["NetworkPolicy/from-outside"]["ingress"]:
        assert sources["from"]
        assert len(sources["ports"]) == 1
