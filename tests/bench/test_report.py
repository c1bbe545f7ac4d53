"""Tables, targets, and what is saved of them."""

from __future__ import annotations

import json
from pathlib import Path

from bench import plots
from bench.report import Table, Target, document, save

TABLE = Table(
    name="thing",
    title="Things, measured",
    columns=("side", "wall s", "requests", "stored MB"),
    rows=(("ours", 1.234, 12, None), ("theirs", 1234.5, 4321, 2.0)),
    targets=(Target("wall time, ours / theirs", 0.5, 0.001), Target("memory", 300, 301.2, "MB")),
    notes="Nothing else.",
    seconds=12.3,
)


def test_a_table_is_aligned_and_says_which_targets_hold() -> None:
    assert TABLE.text() == "\n".join(
        [
            "Things, measured",
            "",
            "side     wall s  requests  stored MB",
            "------  -------  --------  ---------",
            "ours       1.23        12",
            "theirs  1,234.5     4,321          2",
            "",
            "Nothing else.",
            "",
            "to be shown               at most  measured",
            "------------------------  -------  --------  ------",
            "wall time, ours / theirs    0.5 x   0.001 x   holds",
            "memory                     300 MB    301 MB  MISSED",
            "",
            "(thing: 12 s)",
        ]
    )


def test_a_target_holds_at_its_limit_unless_it_has_to_be_below() -> None:
    assert Target("", 1, 1).holds
    assert not Target("", 1, 1, below=True).holds
    assert Target("", 1, 0.99, below=True).holds
    assert not Target("", 1, 1.01).holds


def test_what_is_saved_has_every_row_by_its_columns(tmp_path: Path) -> None:
    save([TABLE], tmp_path / "figures.json", {"commit": "abc"})
    found = json.loads((tmp_path / "figures.json").read_text())
    assert found["machine"]["cores"] > 0
    (case,) = found["cases"]
    assert case["commit"] == "abc"
    assert case["rows"][1] == {"side": "theirs", "wall s": 1234.5, "requests": 4321, "stored MB": 2.0}
    assert [target["holds"] for target in case["targets"]] == [True, False]


def test_a_case_that_was_not_run_again_keeps_its_figures(tmp_path: Path) -> None:
    file = tmp_path / "some" / "figures.json"
    save([TABLE, Table("other", "", ("a",), ((1,),))], file, {"commit": "old", "versions": {"thing": "1"}})
    save([Table("thing", "new", ("a",), ((2,),))], file, {"commit": "new", "versions": {"thing": "2"}})
    found = json.loads(file.read_text())
    assert found["versions"] == {"thing": "2"}
    cases = [(case["case"], case["title"], case["commit"]) for case in found["cases"]]
    assert cases == [("other", "", "old"), ("thing", "new", "new")]


def test_how_far_a_target_is_reached() -> None:
    found = plots.ratios(document([TABLE], {})["cases"])
    assert found == [("thing: wall time, ours / theirs", 0.002), ("thing: memory", 1.004)]
