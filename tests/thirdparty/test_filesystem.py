"""Libraries that open files through fsspec: tables and data sets in objects, and paths of objects."""

from __future__ import annotations

from typing import Any

import fsspec
import numpy
import pandas
import pyarrow
import pyarrow.dataset
import pytest
from pyarrow.fs import FileType, FSSpecHandler, PyFileSystem
from upath import UPath

from deltaglider import DeltaGliderClient
from tests.thirdparty.conftest import SECOND


def frame(seed: int) -> pandas.DataFrame:
    """A table that does not compress, the same but for its first rows."""
    numbers = numpy.random.default_rng(7).random(10_000)
    numbers[:5] = seed
    return pandas.DataFrame({"number": numbers, "name": [f"row {row}" for row in range(len(numbers))]})


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_pandas(kind: str, options: dict[str, Any], client: DeltaGliderClient, bucket: str) -> None:
    for version in (1, 2):
        path = f"dg://{bucket}/t{version}.{kind}"
        if kind == "parquet":
            frame(version).to_parquet(path, storage_options=options)
            assert pandas.read_parquet(path, storage_options=options).equals(frame(version))
            column = pandas.read_parquet(path, columns=["number"], storage_options=options)
            assert column.equals(frame(version)[["number"]])
        else:
            frame(version).to_csv(path, index=False, storage_options=options)
            read = pandas.read_csv(path, storage_options=options)
            assert read["name"].equals(frame(version)["name"])
            assert numpy.allclose(read["number"], frame(version)["number"])


def test_pandas_over_deltas(options: dict[str, Any], client: DeltaGliderClient, bucket: str) -> None:
    more = {**options, "delta_suffixes": (".parquet",)}
    for version in (1, 2):
        frame(version).to_parquet(f"dg://{bucket}/tables/v{version}/t.parquet", storage_options=more, compression=None)
    info = client.head(f"s3://{bucket}/tables/v2/t.parquet")
    assert info.is_delta
    assert info.stored_size < info.size / 2
    assert pandas.read_parquet(f"dg://{bucket}/tables/v2/t.parquet", storage_options=options).equals(frame(2))
    fsspec.filesystem("dg", **more).close()


def test_a_data_set_of_pyarrow(options: dict[str, Any], bucket: str) -> None:
    fs = PyFileSystem(FSSpecHandler(fsspec.filesystem("dg", **options)))
    table = pyarrow.table({"year": [2025, 2026] * 500, "value": list(range(1000))})
    years = pyarrow.dataset.partitioning(pyarrow.schema([("year", pyarrow.int64())]), flavor="hive")

    pyarrow.dataset.write_dataset(
        table, f"{bucket}/data", filesystem=fs, format="parquet", partitioning=years, basename_template="part-{i}"
    )
    data = pyarrow.dataset.dataset(f"{bucket}/data", filesystem=fs, format="parquet", partitioning="hive")

    assert sorted(data.files) == [f"{bucket}/data/year={year}/part-0" for year in (2025, 2026)]
    found = data.to_table(filter=pyarrow.dataset.field("year") == 2026)
    assert found["value"].to_pylist() == list(range(1, 1000, 2))
    one, place, nothing = fs.get_file_info([f"{bucket}/v2/app.zip", f"{bucket}/v2", f"{bucket}/v9"])
    assert (one.type, one.size, place.type, nothing.type) == (
        FileType.File,
        len(SECOND),
        FileType.Directory,
        FileType.NotFound,
    )
    assert one.mtime is not None
    with fs.open_input_file(f"{bucket}/v2/app.zip") as file:
        assert file.read_at(7, 9_000) == b"changed"
    fs.delete_dir(f"{bucket}/data")
    assert fs.get_file_info(f"{bucket}/data").type == FileType.NotFound


def test_universal_pathlib(options: dict[str, Any], bucket: str) -> None:
    with pytest.warns(UserWarning, match="'dg' filesystem not explicitly implemented"):
        path = UPath(f"dg://{bucket}/v2/app.zip", **options)
    assert path.read_bytes() == SECOND
    assert path.stat().st_size == len(SECOND)
    (path.parent / "notes.txt").write_text("text")
    assert sorted(each.name for each in path.parent.iterdir()) == ["app.zip", "notes.txt"]
    (path.parent / "notes.txt").unlink()
    assert [each.name for each in path.parent.iterdir()] == ["app.zip"]
