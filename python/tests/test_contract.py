"""Names, the order of arguments, and defaults that code is written against.

A method may take more by keyword than stands here, never less, nothing between, and no other default. `...`
is a default that no literal can say.
"""

from __future__ import annotations

import inspect
import typing

import pytest

import vecstore
import vecstore.collection
import vecstore.store

# Of stores and collections alike.
RECORDS = """
upsert(id, vector, metadata=None, *, text=None, sparse=None, ttl_seconds=None)
upsert_many(ids, vectors, metadatas=None, *, texts=None, sparse=None, progress=False)
batch_upsert(records)
upsert_with_ttl(id, vector, metadata, ttl_seconds)
set_ttl(id, ttl_seconds)
expire_ttl_records()
update_metadata(id, metadata)
patch_metadata(id, changes)
update_vector(id, vector)
delete(id)
delete_many(ids)
delete_where(filter)
remove(id)
soft_delete(id)
restore(id)
batch_execute(operations)
get(id)
get_many(ids)
scroll(filter=None, *, limit=100, cursor=None, with_vectors=False)
list_all()
list_active()
list_deleted()
len()
count(filter=None)
is_empty()
active_count()
deleted_count()
dimension()
stats()
distinct(path)
facets(path)
query(vector, k=10, filter=None, *, recall=0.95, exact=False, offset=0, min_score=None, include=...)
query_batch(vectors, k=10)
query_with_filter(vector, k, filter)
query_with_params(query, params)
hybrid_query(vector, keywords, k=10, alpha=0.7, filter=None, *, fusion="rrf")
text_query(keywords, k=10, filter=None)
sparse_query(indices_values, k=10, filter=None)
recommend(positive, negative=(), k=10, filter=None)
mmr_query(vector, k=10, fetch_k=50, lambda_=0.5, filter=None)
group_query(vector, by, groups=10, group_size=3, filter=None)
prefetch_query(query)
index_text(id, text)
has_text(id)
get_text(id)
explain_query(query)
query_explain(query)
estimate_query(query)
save()
flush()
compact()
optimize()
maybe_compact()
create_snapshot(name)
list_snapshots()
restore_snapshot(name)
delete_snapshot(name)
backup(path, incremental=True)
verify()
export_jsonl(path)
export_parquet(path)
export_numpy(path)
import_jsonl(path)
import_parquet(path)
import_arrow(data)
import_numpy(path)
to_arrow()
to_pandas()
to_polars()
create_index(path)
drop_index(path)
list_indexes()
"""

STORE = """
close()
open(path, *, dim=None, metric=..., durability="commit", read_only=False, wait=0.0, quantization="auto",
     memory_budget=None, threads=None, analyzer=..., partition_by=None)
restore_backup(path, to)
repair(path)
"""

DATABASE = """
open(path)
create_collection(name, config=None)
get_collection(name)
get_or_create_collection(name, config=None)
list_collections()
collection_names()
delete_collection(name)
rename_collection(name, new_name)
aggregate_stats()
update_quotas(name, quotas)
update_status(name, status)
backup_collection(name, path)
restore_collection(name, path)
close()
"""

COLLECTION = """
name()
upsert_chunks(doc_id, text, splitter, embedder)
batch_upsert_texts(items, embedder)
query_text(text, embedder, k=10, filter=None)
"""

NAMES = """
VecStore VecDatabase Collection CollectionConfig NamespaceQuotas NamespaceStatus NamespaceStats
Neighbor SearchResult Record Query HybridQuery PrefetchQuery QueryStage HNSWSearchParams
BatchOperation BatchResult BatchError QueryPlan QueryStep QueryEstimate QueryExplanation
ExplainedNeighbor CompactionConfig CompactionResult Config Distance FilterExpr parse_filter F
QueryBatch VerifyReport VecStoreError InvalidInputError DimensionMismatchError FilterError
NotFoundError AlreadyExistsError StoreLockedError ClosedError CorruptionError StorageError
UnsupportedError AsyncVecStore AsyncVecDatabase AsyncCollection
"""


def expected(text: str) -> list[tuple[str, inspect.Signature]]:
    """Returns the names and the signatures of a text."""
    found = []
    for line in text.replace(",\n", ", ").split("\n"):
        if line:
            scope: dict[str, typing.Any] = {}
            exec(f"def {line}: ...", scope)
            name = line.partition("(")[0]
            found.append((name, inspect.signature(scope[name])))
    return found


CASES = [
    (owner, name, signature)
    for owner, text in (
        (vecstore.VecStore, RECORDS + STORE),
        (vecstore.Collection, RECORDS + COLLECTION),
        (vecstore.VecDatabase, DATABASE),
    )
    for name, signature in expected(text)
]


@pytest.mark.parametrize(
    ("owner", "name", "signature"), CASES, ids=[f"{owner.__name__}.{name}" for owner, name, _ in CASES]
)
def test_a_method_takes_what_it_took(owner: type, name: str, signature: inspect.Signature) -> None:
    parameter = inspect.Parameter
    found = [one for one in inspect.signature(getattr(owner, name)).parameters.values() if one.name != "self"]
    wanted = list(signature.parameters.values())
    positional = [one.name for one in wanted if one.kind is parameter.POSITIONAL_OR_KEYWORD]
    given = [one.name for one in found if one.kind is parameter.POSITIONAL_OR_KEYWORD]
    assert given[: len(positional)] == positional
    by_name = {one.name: one for one in found}
    for one in wanted:
        assert one.name in by_name
        if one.default is not ...:
            assert by_name[one.name].default == one.default, one.name
    # What is there besides may be left out.
    for one in found:
        assert one.name in signature.parameters or one.default is not parameter.empty, one.name


def test_every_name_is_there() -> None:
    assert not [name for name in NAMES.split() if not hasattr(vecstore, name)]
    assert vecstore.SearchResult is vecstore.Neighbor
    assert vecstore.store.VecStore is vecstore.VecStore
    assert vecstore.collection.Collection is vecstore.Collection
    for owner in (vecstore.VecStore, vecstore.Collection):
        for name in ("config", "distance_metric", "__len__", "__iter__", "__contains__"):
            assert hasattr(owner, name), name
    assert hasattr(vecstore.Collection, "namespace")
