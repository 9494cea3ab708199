"""What `[detectors.NAME]` sets, and what is refused with the right names."""

from pathlib import Path

import pytest

from analyzer.detectors import population_detectors
from analyzer.resilience.retry_storm import RetryStormSettings
from retrospan.config import load
from store.errors import UsageError

RECORDS = {detector.name: detector.settings for detector in population_detectors()}


def filled(folder: Path, text: str) -> object:
    path = folder / "retrospan.toml"
    path.write_text(text)
    return load(path).fill_each("detectors", RECORDS)["retry_storm"]


def test_what_is_not_set_has_its_default(tmp_path: Path) -> None:
    made = filled(tmp_path, "[detectors.retry_storm]\nbins_min = 5\n")
    assert made == RetryStormSettings(bins_min=5)
    assert filled(tmp_path, "") == RetryStormSettings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[detectors.retry_strom]\n", r"no table \[detectors.retry_strom\]; .* retry_storm, "),
        ("[detectors.retry_storm]\nbins = 5\n", "may not have bins; it may have bin_ns, bins_min"),
        ("[detectors.retry_storm]\nbins_min = '5'\n", "bins_min must be int, this is str"),
        ("[detectors.retry_storm]\nbin_ns = 0\n", "bin_ns is at least 1,000,000"),
        ("[detectors]\nretry_storm = 5\n", r"must be a table, as in \[detectors.retry_storm\]"),
    ],
)
def test_a_slip_is_refused_with_the_right_names(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        filled(tmp_path, text)
