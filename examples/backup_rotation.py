"""Nightly database dumps: kept as deltas, the oldest removed, each proven to be readable.

python backup_rotation.py                    # a fortnight of made-up nights in a temporary store
python backup_rotation.py --keep 30 --dump /backups/today.sql --endpoint-url https://s3.example.com
"""

from __future__ import annotations

import argparse
import datetime
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deltaglider import AlreadyExistsError, DeltaGliderClient, ObjectInfo, create_client

BACKUPS = "s3://backups/shop/"


def back_up(client: DeltaGliderClient, dump: Path, night: datetime.date, keep: int) -> None:
    """Stores one dump, proves it, and only then removes those beyond ``keep``.

    The directory is a date, so every night is a delta against the same reference.
    """
    summary = client.upload(dump, f"{BACKUPS}{night}/shop.sql")
    if not client.verify(summary.url).valid:
        raise SystemExit(f"{summary.url} does not come back as it was; nothing was removed")
    print(f"{night}: {summary.original_size:,} bytes, {summary.stored_size:,} stored")

    nights = [entry for entry in client.list(BACKUPS, recursive=True) if isinstance(entry, ObjectInfo)]
    for old in nights[:-keep]:  # Listings are sorted by key, and dates sort by age.
        client.delete(old.url)
        print(f"  removed {old.url}")


def nights_of_the_example(directory: Path) -> Iterator[tuple[datetime.date, Path]]:
    """A fortnight of dumps; every night some orders are added."""
    orders = random.Random(1)
    rows = [f"INSERT INTO orders VALUES ({n}, '{orders.randbytes(12).hex()}');\n" for n in range(40_000)]
    for day in range(14):
        rows += [f"INSERT INTO orders VALUES ({len(rows) + n}, '{orders.randbytes(12).hex()}');\n" for n in range(200)]
        dump = directory / "shop.sql"
        dump.write_text("".join(rows), encoding="utf-8")
        yield datetime.date(2026, 1, 1) + datetime.timedelta(days=day), dump


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", help="the store (default: a temporary directory)")
    parser.add_argument("--dump", type=Path, help="the dump of today (default: made-up ones)")
    parser.add_argument("--keep", type=int, default=7, help="nights to keep (default: %(default)s)")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        endpoint_url = arguments.endpoint_url or Path(scratch, "store").as_uri()
        with create_client(endpoint_url=endpoint_url) as client:
            try:
                client.make_bucket("backups")
            except AlreadyExistsError:
                print("The bucket is there already.")
            today = datetime.datetime.now(datetime.UTC).date()
            dumps = [(today, arguments.dump)] if arguments.dump else nights_of_the_example(Path(scratch))
            for night, dump in dumps:
                back_up(client, dump, night, arguments.keep)
            print(f"{client.stats(BACKUPS).savings_percent:.1f} % saved")


if __name__ == "__main__":
    main()
