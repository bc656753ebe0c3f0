"""What Grafana reads when it starts: data source, dashboards, alert rules, contact point.

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
    """yamllint has nothing to say, and each file says its version."""
    text = path.read_text(encoding="utf-8")
    assert [str(problem) for problem in linter.run(text, STYLE)] == []
    assert yaml.safe_load(text)["apiVersion"] == 1


def test_data_source_speaks_influxql_with_a_token_from_a_file() -> None:
    """InfluxQL on jsonData.dbName with the token in a header; the token is in no file here, nor in the environment."""
    told = read("datasources/footfall.yaml")
    (source,) = told["datasources"]
    assert told["prune"] is True
    assert source["uid"] == "footfall-influxdb"
    assert (source["type"], source["access"], source["editable"]) == ("influxdb", "proxy", False)
    assert source["url"] == "${FOOTFALL_INFLUXDB_URL}"
    json_data = source["jsonData"]
    assert (json_data["version"], json_data["httpMode"]) == ("InfluxQL", "POST")
    assert json_data["dbName"] == "${FOOTFALL_INFLUXDB_BUCKET}"
    assert json_data["httpHeaderName1"] == "Authorization"
    assert source["secureJsonData"] == {"httpHeaderValue1": f"Token $__file{{{TOKEN_FILE}}}"}


def test_dashboards_come_from_the_folder_that_is_mounted() -> None:
    """Provisioned dashboards cannot be changed in the browser and then silently fall back."""
    (provider,) = read("dashboards/footfall.yaml")["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    assert provider["allowUiUpdates"] is False
    assert provider["folderUid"] == "footfall"


def test_every_variable_is_told_in_the_readme() -> None:
    """Who runs Grafana elsewhere learns from one table what it needs."""
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


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """A page that sends people to what is not there is worse than none."""
    links = re.findall(r"\]\(([^)#]+)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 4
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_readme_lists_the_rules_there_are() -> None:
    """Whoever gets an alert finds what it means, by its title."""
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([A-Z][^|]+) \|", page.split("## Alerts")[1].split("## What was")[0], re.MULTILINE)
    assert listed == [rule["title"] for rule in RULES.values()]


def test_contact_point_comes_from_the_environment() -> None:
    """One receiver whose kind and target are set outside, so that no address stands in this repository."""
    (point,) = read("alerting/contact-points.yaml")["contactPoints"]
    (receiver,) = point["receivers"]
    assert point["name"] == "Footfall"
    assert receiver["type"] == "${FOOTFALL_ALERT_TYPE}"
    assert set(receiver["settings"].values()) == {"${FOOTFALL_ALERT_TO}"}
    assert set(receiver["settings"]) == {"addresses", "url"}  # what email and webhook read


@pytest.mark.parametrize("uid", RULES)
def test_rule_is_whole(uid: str) -> None:
    """What Grafana needs to start with a rule, and what a person needs to act on it."""
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
        assert "$timeFilter" in node["model"]["query"], "only what Grafana's server fills in: there are no variables"
        assert node["relativeTimeRange"]["to"] == 0


def test_rules_have_titles_and_uids_of_their_own() -> None:
    """Grafana refuses two rules with one title in a folder."""
    told = read("alerting/rules.yaml")["groups"]
    every = [rule for group in told for rule in group["rules"]]
    assert len({rule["uid"] for rule in every}) == len({rule["title"] for rule in every}) == len(every)


@pytest.mark.parametrize("uid", RULES)
def test_labels_in_annotations_are_those_the_query_groups_by(uid: str) -> None:
    """An alert names who it is about. Written without a dollar sign, which some versions take for the environment."""
    rule = RULES[uid]
    told = " ".join(rule["annotations"].values())
    assert "$" not in told
    used = set(re.findall(r"\{\{ \.Labels\.(\w+) \}\}", told))
    first = rule["data"][0]["model"]["query"].split("GROUP BY")[1]
    assert used == set(re.findall(r'"(\w+)"', first))
