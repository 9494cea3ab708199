"""Recorded tables of a store as Parquet files, one per table.

Ids are lower-case hex, times nanoseconds, attributes JSON text (`store/values.py` says how types
are kept); a span's events and links are lists beside it. `ingest` reads them again. Rows have a
total order and no file names a time, so equal stores give equal bytes under one version of pyarrow.
"""

from pathlib import Path

import polars
import pyarrow as pa
import pyarrow.parquet as pq

from retrospan.export.exported import Exported, ExportedFile
from retrospan.export.parts import SQL, generation, parts
from store.errors import DataError
from store.lease import Store
from store.schema import SCHEMA_VERSION

TABLES = tuple(sorted(path.stem for path in (SQL / "parquet").glob("*.sql")))
FORMAT = "retrospan.parquet/2"


def export_parquet(store: Store, folder: Path) -> Exported:
    """Everything that was recorded, in a folder that is made when it is missing."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be made: {error.strerror or error}") from error
    before = generation(store)
    files = [_export(store, table, folder / f"{table}.parquet") for table in TABLES]
    return Exported(form="parquet", files=files, changed_meanwhile=generation(store) != before)


def _export(store: Store, table: str, path: Path) -> ExportedFile:
    aside = path.with_name(f"{path.name}.part")
    rows = 0
    writer: pq.ParquetWriter | None = None
    try:
        for frame in parts(store, table, SQL / "parquet" / f"{table}.sql"):
            data = _plain(frame, table)
            if writer is None:
                aside.touch(mode=0o600)
                writer = pq.ParquetWriter(aside, data.schema, compression="zstd", version="2.6")
            writer.write_table(data, row_group_size=max(len(data), 1))
            rows += len(data)
        if writer is not None:
            writer.close()
        aside.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)
    return ExportedFile(path=path, table=table, rows=rows)


def _plain(frame: polars.DataFrame, table: str) -> pa.Table:
    """The frame with the types every Parquet reader knows."""
    data = frame.to_arrow(compat_level=polars.CompatLevel.oldest())
    schema = pa.schema(
        [pa.field(field.name, _type(field.type)) for field in data.schema],
        {"format": FORMAT, "table": table, "store_schema": str(SCHEMA_VERSION)},
    )
    return data.cast(schema.remove_metadata()).replace_schema_metadata(schema.metadata)


def _type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(one.name, _type(one.type)) for one in kind])
    if pa.types.is_large_list(kind) or pa.types.is_list(kind):
        return pa.list_(_type(kind.value_type))
    return pa.string() if pa.types.is_large_string(kind) else kind
