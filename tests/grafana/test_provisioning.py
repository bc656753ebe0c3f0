"""The files Grafana reads at start-up: data source, dashboards, alert rules, contact point.

https://grafana.com/docs/grafana/v12.0/administration/provisioning/ and
https://grafana.com/docs/grafana/v12.0/alerting/set-up/provision-alerting-resources/file-provisioning/
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from yamllint import linter  # type: ignore[import-untyped]  # ships no annotations
from yamllint.config import YamlLintConfig  # type: ignore[import-untyped]  # ships no annotations

from tests.support.grafana import FOLDER
from tests.support.grafana_alerts import rules

PROVISIONING = FOLDER / "provisioning"
FILES = sorted(PROVISIONING.rglob("*.yaml"))
STYLE = YamlLintConfig("extends: default\nrules: {line-length: {max: 120}, document-start: disable}")
RULES = rules()
TOKEN_FILE = "/run/secrets/grafana_influxdb_token"


def read(name: str) -> Any:
    return yaml.safe_load((PROVISIONING / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_yaml_is_clean(path: Path) -> None:
    """yamllint finds nothing, and each file states its version."""
    text = path.read_text(encoding="utf-8")
    assert [str(problem) for problem in linter.run(text, STYLE)] == []
    assert yaml.safe_load(text)["apiVersion"] == 1


def test_data_source_speaks_influxql_with_a_token_from_a_file() -> None:
    """InfluxQL on jsonData.dbName, with the token in a header. The token is neither here nor in the environment."""
    content = read("datasources/footfall.yaml")
    (source,) = content["datasources"]
    assert content["prune"] is True
    assert source["uid"] == "footfall-influxdb"
    assert (source["type"], source["access"], source["editable"]) == ("influxdb", "proxy", False)
    assert source["url"] == "${FOOTFALL_INFLUXDB_URL}"
    json_data = source["jsonData"]
    assert (json_data["version"], json_data["httpMode"]) == ("InfluxQL", "POST")
    assert json_data["dbName"] == "${FOOTFALL_INFLUXDB_BUCKET}"
    assert json_data["httpHeaderName1"] == "Authorization"
    assert source["secureJsonData"] == {"httpHeaderValue1": f"Token $__file{{{TOKEN_FILE}}}"}


def test_dashboards_come_from_the_folder_that_is_mounted() -> None:
    """They cannot be edited in the browser, where changes would silently be lost."""
    (provider,) = read("dashboards/footfall.yaml")["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    assert provider["allowUiUpdates"] is False
    assert provider["folderUid"] == "footfall"


def test_readme_documents_every_variable() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    used = {
        name
        for path in FILES
        if path.name != "rules.yaml"
        for name in re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8"))
    }
    assert used == {
        "FOOTFALL_INFLUXDB_URL", "FOOTFALL_INFLUXDB_BUCKET", "FOOTFALL_ALERT_TYPE", "FOOTFALL_ALERT_TO",
    }  # fmt: skip
    for name in (*used, "GF_DATE_FORMATS_DEFAULT_TIMEZONE", TOKEN_FILE):
        assert f"`{name}`" in page


def test_links_of_the_readme_work() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 4
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_readme_lists_every_rule() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([A-Z][^|]+) \|", page.split("## Alerts")[1].split("## What was")[0], re.MULTILINE)
    assert listed == [rule["title"] for rule in RULES.values()]


def test_contact_point_comes_from_the_environment() -> None:
    """So no address is stored in this repository."""
    (point,) = read("alerting/contact-points.yaml")["contactPoints"]
    (receiver,) = point["receivers"]
    assert point["name"] == "Footfall"
    assert receiver["type"] == "${FOOTFALL_ALERT_TYPE}"
    assert set(receiver["settings"].values()) == {"${FOOTFALL_ALERT_TO}"}
    assert set(receiver["settings"]) == {"addresses", "url"}  # what email and webhook read


@pytest.mark.parametrize("uid", RULES)
def test_rule_is_complete(uid: str) -> None:
    """It has everything Grafana needs to load it and an operator needs to act on it."""
    rule = RULES[uid]
    assert uid.startswith("footfall-")
    assert rule["title"]
    assert rule["notification_settings"] == {"receiver": "Footfall"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert re.fullmatch(r"\d+m", rule["for"])
    assert rule["annotations"]["description"].endswith(".")
    refs = [node["refId"] for node in rule["data"]]
    assert refs == list("ABCDEFGH"[: len(refs)])
    assert rule["condition"] == refs[-1]
    for node in rule["data"]:
        assert node["model"]["refId"] == node["refId"]
        if node["datasourceUid"] == "__expr__":
            assert node["model"]["type"] in {"reduce", "math"}
            continue
        assert node["datasourceUid"] == "footfall-influxdb"
        assert "$timeFilter" in node["model"]["query"], "the server fills in $timeFilter, but no variables"
        assert node["relativeTimeRange"]["to"] == 0


def test_titles_and_uids_of_rules_are_unique() -> None:
    """Grafana refuses two rules with the same title in a folder."""
    groups = read("alerting/rules.yaml")["groups"]
    every = [rule for group in groups for rule in group["rules"]]
    assert len({rule["uid"] for rule in every}) == len({rule["title"] for rule in every}) == len(every)


@pytest.mark.parametrize("uid", RULES)
def test_labels_in_annotations_are_those_the_query_groups_by(uid: str) -> None:
    """An alert names its counter or profile. Without a dollar sign, which some versions expand from the environment."""
    rule = RULES[uid]
    text = " ".join(rule["annotations"].values())
    assert "$" not in text
    used = set(re.findall(r"\{\{ \.Labels\.(\w+) \}\}", text))
    first = rule["data"][0]["model"]["query"].split("GROUP BY")[1]
    assert used == set(re.findall(r'"(\w+)"', first))
