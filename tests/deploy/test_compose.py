"""docker-compose.yml and compose.replicas.yml, as the real Compose reads them."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.prepare import VOLUMES_BY_NAME
from footfall import __version__
from footfall.environment import VARIABLES
from tests.support.compose import ELSEWHERE, MAIN, PROFILES, REPLICAS, ROOT, everything, resolved, tool

SERVICES: dict[str, Any] = everything()["services"]
ALWAYS: dict[str, Any] = resolved()["services"]
RUN_ONCE = {"prepare", "tokens", "footfall", "demo-setup", "demo-history"}
NO_HEALTHCHECK = {"demo-counters"}
INTERPOLATED = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")
SECRETS = ("influxdb-admin", "grafana-admin", "delivery")
MEGABYTE = 1024 * 1024

every_service = pytest.mark.parametrize("name", SERVICES)


def mounts(service: str) -> dict[str, Any]:
    """Return the volumes and folders of *service* by source."""
    return {mount["source"]: mount for mount in SERVICES[service].get("volumes", [])}


@pytest.mark.parametrize("files", [(MAIN,), (MAIN, REPLICAS), (MAIN, ELSEWHERE)])
@pytest.mark.parametrize("profiles", [(), ("tls",), ("tools",), ("demo",), PROFILES])
def test_compose_accepts_every_profile(files: tuple[str, ...], profiles: tuple[str, ...]) -> None:
    assert resolved(*files, profiles=profiles)["services"]


def test_file_follows_the_compose_specification() -> None:
    """Not the override files: they have a tag that only Compose understands."""
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(ROOT / MAIN)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout


@pytest.mark.parametrize("file", [MAIN, REPLICAS, ELSEWHERE])
def test_yaml_is_clean(file: str) -> None:
    done = subprocess.run(
        [tool("yamllint"), "--strict", "--config-file", str(ROOT / ".yamllint"), str(ROOT / file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stdout


@every_service
def test_image_is_pinned_to_a_whole_version(name: str) -> None:
    """`latest` and short tags move; influxdb:latest even became another product."""
    image = SERVICES[name]["image"]
    if image.startswith("footfall"):
        assert image in (f"footfall:{__version__}", f"footfall-demo:{__version__}")
        assert SERVICES[name]["build"]["target"] == ("demo" if image.startswith("footfall-demo") else "footfall")
    else:
        assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(-alpine)?", image)


@every_service
def test_service_runs_with_least_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"]
    assert not service.get("privileged")
    if name == "prepare":
        assert service["network_mode"] == "none"
    else:
        assert int(service["user"].partition(":")[0]) > 0
        assert service.get("cap_add", []) in ([], ["NET_BIND_SERVICE"])


@every_service
def test_service_has_resource_limits_and_log_rotation(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert 0 < limits["cpus"] <= 1, "Docker refuses more cores than the machine has, which may be one"
    assert int(limits["memory"]) > 0
    assert limits["pids"] > 0
    assert SERVICES[name]["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


def test_permanent_services_fit_into_2_gb() -> None:
    running = [ALWAYS[name] for name in ALWAYS if name not in RUN_ONCE]
    together = sum(int(service["deploy"]["resources"]["limits"]["memory"]) for service in running)
    assert together <= 1500 * MEGABYTE


@every_service
def test_service_has_a_health_check_and_restarts(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == ("no" if name in RUN_ONCE else "unless-stopped")
    assert bool(service["healthcheck"].get("disable")) == (name in RUN_ONCE | NO_HEALTHCHECK)


def test_only_ingest_and_grafana_publish_ports() -> None:
    """Ingest on all interfaces, Grafana on the loopback by default. InfluxDB publishes none."""
    published = {(name, port["host_ip"], port["target"]) for name in ALWAYS for port in ALWAYS[name].get("ports", [])}
    assert published == {("ingest", "0.0.0.0", 8080), ("grafana", "127.0.0.1", 3000)}
    assert SERVICES["influxdb"]["networks"] == {"store": None}
    assert everything()["networks"]["store"]["internal"]


def test_ingest_starts_without_influxdb() -> None:
    """Counting must work while InfluxDB is down: ingest waits only for its token, which then stays."""
    waited_for = {name for name, how in ALWAYS["ingest"]["depends_on"].items() if how["required"]}
    assert waited_for == {"prepare", "tokens"}
    assert ALWAYS["tokens"]["depends_on"]["influxdb"]["condition"] == "service_started"


@every_service
def test_environment_contains_no_secret(name: str) -> None:
    """`docker inspect` shows the environment, so it holds only paths of secret files."""
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"TOKEN|PASSWORD|SECRET|KEY", variable):
            assert variable.endswith("_FILE")
            assert str(value).startswith("/run/") or not value, variable


def test_each_secret_is_mounted_only_where_it_is_needed() -> None:
    readers = {
        volume: {name for name in SERVICES if volume in mounts(name)} - {"prepare", "influxdb", "tokens"}
        for volume in VOLUMES_BY_NAME
        if volume.startswith("token-") or volume in SECRETS
    }
    assert readers == {
        "token-ingest": {"ingest", "ingest-2", "ingest-3"},
        "token-exporter": {"exporter", "footfall"},
        "token-grafana": {"grafana"},
        "influxdb-admin": set(),
        "grafana-admin": {"grafana"},
        "delivery": {"exporter", "footfall", "demo-setup"},
    }
    for volume in readers:
        writers = {name for name in SERVICES if volume in mounts(name) and not mounts(name)[volume].get("read_only")}
        assert writers <= {"prepare", "influxdb", "demo-setup"}


def test_every_volume_is_prepared_or_owned_by_its_image() -> None:
    """A new volume belongs to root, except where the image sets the owner, as InfluxDB's and Grafana's do."""
    assert set(mounts("prepare")) == set(VOLUMES_BY_NAME)
    assert set(everything()["volumes"]) - set(VOLUMES_BY_NAME) == {"influxdb-data", "influxdb-config", "grafana-data"}
    for name in VOLUMES_BY_NAME:
        assert mounts("prepare")[name]["target"] == f"/volumes/{name}"


@every_service
def test_mounted_folders_of_the_repository_exist(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        if mount["type"] == "bind":
            assert Path(mount["source"]).exists()
            assert mount["read_only"]


def test_every_variable_for_footfall_is_one_it_reads() -> None:
    for name, service in SERVICES.items():
        if not service["image"].startswith("footfall"):
            continue
        given = {variable.removesuffix("_FILE") for variable in service.get("environment", {})}
        assert given - set(VARIABLES) - {"DEMO_URL"} == set(), name


def test_env_example_has_every_setting_with_its_default() -> None:
    """A copy of .env.example changes nothing."""
    text = (ROOT / MAIN).read_text(encoding="utf-8") + (ROOT / REPLICAS).read_text(encoding="utf-8")
    used = {(match["name"], match["default"]) for match in INTERPOLATED.finditer(text)}
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    shown = {tuple(line.split("=", 1)) for line in lines if line and not line.startswith("#")}
    assert used == shown


def test_each_replica_has_its_own_journal_and_all_share_one_address() -> None:
    replicas = [SERVICES[name] for name in ("ingest", "ingest-2", "ingest-3")]
    journals = {
        mount["source"] for one in replicas for mount in one["volumes"] if mount["target"] == "/var/lib/footfall"
    }
    assert journals == {"data", "data-2", "data-3"}
    assert [one.get("ports") for one in replicas] == [None] * 3
    assert SERVICES["balancer"]["ports"][0]["target"] == 8080
    for one in replicas:
        assert one["environment"] == replicas[0]["environment"]
        assert one["environment"]["FOOTFALL_READS"] == "influxdb"
        assert one["image"] == replicas[0]["image"]


def test_influxdb_elsewhere_removes_the_local_one() -> None:
    """The tokens are files that the operator provides, and no service waits for a local InfluxDB."""
    services = resolved(MAIN, ELSEWHERE, profiles=("tools",))["services"]
    assert not {"influxdb", "tokens"} & set(services)
    for name in ("ingest", "exporter", "grafana"):
        assert services[name]["depends_on"].keys() == {"prepare"}
        (secrets,) = [mount for mount in services[name]["volumes"] if mount["target"] == "/run/secrets"]
        assert (secrets["type"], secrets["source"]) == ("bind", str(ROOT / "secrets" / name))
        assert secrets["read_only"]


def test_settings_can_name_folders_of_the_host() -> None:
    """A path instead of a volume, so that footfall.toml can be edited in place."""
    ingest = resolved(FOOTFALL_CONFIG_DIR="./config")["services"]["ingest"]
    (config,) = [mount for mount in ingest["volumes"] if mount["target"] == "/etc/footfall"]
    assert (config["type"], config["source"]) == ("bind", str(ROOT / "config"))


def test_grafana_gets_everything_its_provisioning_needs() -> None:
    """The variables, without which Grafana does not start, the token file and the dashboards' folder."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "grafana" / "provisioning").glob("*/*.yaml"))]
    text = "\n".join(line for one in texts for line in one.splitlines() if not line.lstrip().startswith("#"))
    named = set(re.findall(r"(?<!\$)\$\{?([A-Z][A-Z_]+)\b", text))
    assert named
    assert named <= set(SERVICES["grafana"]["environment"])
    targets = {mount["target"] for mount in SERVICES["grafana"]["volumes"]}
    files = {Path(name) for name in re.findall(r"\$__file\{([^}]+)\}", text)}
    assert files == {Path("/run/secrets/grafana_influxdb_token")}
    assert "/run/secrets" in targets
    assert set(re.findall(r"^ *path: (\S+)$", text, re.MULTILINE)) <= targets
