"""SLOs for Prometheus, from our own files and from those of other tools."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzer.slo.convert import Converted, convert
from analyzer.slo.export.grafana import dashboard
from analyzer.slo.export.prometheus import rules
from analyzer.slo.model import Method, Slo
from analyzer.slo.openslo import read_slos
from store.errors import DataError
from tests.analyzer.slo.documents import SLO, read
from tests.third_party import corpora_folder, program

OWN = Path(__file__).resolve().parents[3] / "retrospan" / "slos"


def slo_of(converted: Converted, folder: Path) -> Slo:
    path = folder / "converted.yaml"
    path.write_text(yaml.safe_dump(converted.document, sort_keys=False))
    (slo,) = read_slos([path])
    return slo


def checked(found: dict[str, Any], path: Path) -> None:
    """Prometheus' own tool takes the rules."""
    promtool = program("promtool", "prometheus")
    path.write_text(yaml.safe_dump(found, sort_keys=False))
    run = subprocess.run(
        [promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_an_slo_over_flows_reads_the_counter_that_serve_offers(tmp_path: Path) -> None:
    found = rules([read(tmp_path, SLO)])
    checked(found, tmp_path / "rules.yaml")
    recordings, meta, alerts = (group["rules"] for group in found["groups"])
    assert [rule["record"] for rule in recordings] == [
        f"slo:sli_error:ratio_rate{window}" for window in ("5m", "30m", "1h", "6h", "3d", "30d")
    ]
    assert 'retrospan_slo_flows_total{slo="done",result=~"bad"}[5m]' in recordings[0]["expr"]
    assert meta[0]["expr"] == "vector(0.99)"
    assert [rule["labels"]["severity"] for rule in alerts] == ["page", "ticket"]
    assert "(14.4 * 0.01)" in alerts[0]["expr"]


def test_our_own_objectives_become_rules_where_prometheus_has_them(tmp_path: Path) -> None:
    done, in_time = read_slos([OWN / "payment.yaml"])
    checked(rules([done]), tmp_path / "rules.yaml")
    with pytest.raises(DataError, match="payment-in-time: Timeslices has no rule"):
        rules([in_time])


def test_a_window_too_short_for_prometheus_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a window of 69ms is too short for Prometheus; give"):
        rules([read(tmp_path, SLO.replace("duration: 30d", "duration: 10m"))])


@pytest.mark.parametrize("path", sorted(OWN.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sample_objective_counts_flows_and_names_a_runbook_that_is_there(
    tmp_path: Path, path: Path
) -> None:
    slos = read_slos([path])
    assert len(slos) >= 2
    for slo in slos:
        assert slo.good is not None
        assert slo.labels["team"]
        for rule in slo.rules if slo.method is Method.OCCURRENCES else ():
            assert (OWN.parents[1] / rule.runbook).is_file(), slo.name
    checked(
        rules([slo for slo in slos if slo.method is Method.OCCURRENCES]), tmp_path / "rules.yaml"
    )


def test_each_panel_of_the_dashboard_reads_what_the_rules_record(tmp_path: Path) -> None:
    slo = read(tmp_path, SLO)
    recorded = {rule["record"] for group in rules([slo])["groups"][:2] for rule in group["rules"]}
    panels = dashboard([slo])["panels"]
    assert [panel["title"] for panel in panels[1:]] == [
        "SLI over 30d",
        "Error budget left",
        "Burn rate",
    ]
    for panel in panels[1:]:
        for target in panel["targets"]:
            assert set(re.findall(r"slo:\w+:\w+", target["expr"])) <= recorded


@pytest.mark.corpora
def test_rules_of_sloths_files_are_those_sloth_makes(tmp_path: Path) -> None:
    """Same records, same alerts, same expressions; Sloth's own names and float noise aside."""
    examples = corpora_folder() / "slo" / "slok+sloth" / "examples"
    compared = 0
    for path in sorted(examples.glob("*.yml")):
        golden = {group["name"]: group["rules"] for group in groups(examples / "_gen" / path.name)}
        for converted in convert(path):
            if converted.document is None:
                assert "plugin" in converted.reason
                continue
            ours = rules([slo_of(converted, tmp_path)])
            checked(ours, tmp_path / "rules.yaml")
            for group in ours["groups"]:
                theirs = golden[group["name"].replace("retrospan-slo", "sloth-slo", 1)]
                assert [told(rule) for rule in group["rules"]] == [told(rule) for rule in theirs]
                compared += 1
    assert compared == 27


def groups(path: Path) -> Iterator[dict[str, Any]]:
    """The groups of a generated file, plain or as a PrometheusRule resource."""
    for document in yaml.safe_load_all(path.read_text()):
        yield from (document.get("spec") or document)["groups"]


def groups_or_none(path: Path) -> list[dict[str, Any]]:
    """The resources of a file that is of no tool, as far as it holds any."""
    found = yaml.safe_load_all(path.read_text())
    return [it for it in found if isinstance(it, dict) and "kind" in it]


def told(rule: dict[str, Any]) -> tuple[str, str, str]:
    """Name, expression and severity of a rule in one spelling."""
    name = rule.get("record") or rule["alert"]
    expression = rule["expr"].replace("sloth_slo=", "slo_name=").replace("sloth_slo,", "slo_name,")
    expression = expression.replace("sloth_", "slo_")
    expression = re.sub(
        r"vector\(1-([0-9.]+)\)", lambda it: f"vector({1 - float(it[1]):.9f})", expression
    )
    expression = re.sub(r"\d+\.\d+", lambda it: f"{float(it[0]):.9f}".rstrip("0"), expression)
    labels = rule["labels"]
    severity = labels.get("sloth_severity") or labels.get("slo_severity") or ""
    return name.replace("sloth_", "retrospan_"), "".join(expression.split()), severity


@pytest.mark.corpora
def test_every_slo_of_other_tools_is_converted_or_refused_by_name(tmp_path: Path) -> None:
    folder = corpora_folder() / "slo"
    converted, refused = 0, []
    for tool in ("slok+sloth", "pyrra-dev+pyrra", "google+slo-generator"):
        for path in sorted([*(folder / tool).rglob("*.yaml"), *(folder / tool).rglob("*.yml")]):
            if "_gen" in path.parts:
                continue
            try:
                slos = convert(path)
            except DataError:
                kinds = [it["kind"] for it in groups_or_none(path)]
                assert not {"ServiceLevelObjective", "PrometheusServiceLevel"} & set(kinds)
                continue
            for found in slos:
                if found.document is None:
                    refused.append(found.reason)
                    continue
                converted += 1
                assert rules([slo_of(found, tmp_path)])["groups"]
    assert converted == 69
    assert sum("is not Prometheus" in reason for reason in refused) == 39
    assert sorted(reason for reason in refused if "is not Prometheus" not in reason) == [
        "SLI plugin 'getting_started_availability' is a program of Sloth",
        "indicator latencyNative has no counterpart",
        "the v1 format is gone from slo-generator 2; migrate it first",
    ]


@pytest.mark.corpora
def test_a_file_of_another_kind_is_refused_with_the_tools_that_are_known() -> None:
    path = corpora_folder() / "slo" / "slok+sloth" / "examples" / "windows" / "7d.yaml"
    with pytest.raises(DataError, match="pyrra, slo-generator, sloth"):
        convert(path)
