"""Single fields of metadata, read and set in the dialect an object is in; and the keys of trash and temporaries."""

from __future__ import annotations

import pytest

from deltaglider.layout.keys import is_temporary, parse_trash_key, temporary_key, trash_key
from deltaglider.layout.metadata import Description, recorded_fields, with_fields
from tests.layout.dialects import DELTA_620, FILE, SPELLINGS


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_field_is_set_in_the_dialect_of_the_rest(spelling: str) -> None:
    spell = SPELLINGS[spelling]
    metadata = {spell(name.removeprefix("dg-").replace("-", "_")): value for name, value in DELTA_620.items()} | {
        "team": "core"
    }
    changed = with_fields(metadata, {"ref-key": "q/é/reference.bin"})
    assert changed.keys() == metadata.keys()
    description = Description.read(changed, stored_key="q/app.zip.delta")
    assert description is not None
    assert description.reference_key == "q/é/reference.bin"
    assert {name: value for name, value in changed.items() if name != spell("ref_key")} == {
        name: value for name, value in metadata.items() if name != spell("ref_key")
    }
    assert recorded_fields(changed)["file-sha256"] == FILE


def test_a_field_is_taken_away() -> None:
    metadata = {**DELTA_620, "dg-ref-path": "reference.bin", "dg_ref_path": "twice"}
    assert with_fields(metadata, {"ref-path": ""}) == DELTA_620
    assert "ref-path" not in recorded_fields(with_fields(metadata, {"ref-path": ""}))


def test_what_is_not_there_is_added_as_we_write_it() -> None:
    assert with_fields({"dg-file-sha256": FILE}, {"delta-size": "7"}) == {"dg-file-sha256": FILE, "dg-delta-size": "7"}
    assert recorded_fields({}) == {}


def test_keys_in_the_trash() -> None:
    for space in ("", "p/", "p/v1\n/"):
        assert parse_trash_key(trash_key(space, FILE, "unique")) == (space, FILE)
    for key in (
        f"p/.deltaglider/trash/{FILE}/reference.bin",
        f"p/.deltaglider/references/{FILE}/reference.bin",
        f"p/.deltaglider/trash/{FILE[1:]}/unique/reference.bin",
        f"p/.deltaglider/trash/{FILE}/unique/other.bin",
    ):
        assert parse_trash_key(key) is None


def test_temporary_keys() -> None:
    for key in (temporary_key("p/", "unique"), temporary_key("", "unique"), ".deltaglider/tmp/0f_app.zip"):
        assert is_temporary(key)
    for key in ("tmp/app.zip", "x.deltaglider/tmp/app.zip", ".deltaglider/tmp"):
        assert not is_temporary(key)
