//! Retrieval over a collection, with models that answer, fail and answer nonsense; on a thread and as a future.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use vecstore::{Include, Metadata, Query, Value, VecStore, field};
use vecstore_rag::{
    AsyncDriver, Bm25Reranker, CallbackError, ContextWindow, EmbedTexts, Embedder, Error, Expansion,
    HashingEmbedder, MmrReranker, Need, Passage, Response, Retriever, Retry, RetryPolicy, SearchMode,
    TextItem, batch_upsert_texts, drive_async, estimate_tokens, page_of, parent_documents, query_text,
    upsert_chunks, with_neighboring_chunks,
};

const TEXT: &str =
    "The log is synced.\n\nSegments are immutable.\n\nReaders never wait.\n\nPythons eat mice.";

fn paragraphs(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut at = 0;
    let range = |part: &str| {
        let start = at;
        at += part.len() + 2;
        start..start + part.len()
    };
    text.split("\n\n").map(range).collect()
}

fn store() -> (VecStore, HashingEmbedder) {
    let store = VecStore::options().open_in_memory().unwrap();
    let embedder = HashingEmbedder::new(256);
    upsert_chunks(&store, "design", TEXT, paragraphs, &embedder).unwrap();
    (store, embedder)
}

fn ids(passages: &[Passage]) -> Vec<&str> {
    passages.iter().map(|passage| passage.id.as_str()).collect()
}

fn chunk(store: &VecStore, id: &str) -> Passage {
    let neighbors = store.search(&Query::new(vec![1.0; 256]).k(9)).unwrap();
    let neighbors = neighbors.to_neighbors(Include { metadata: true, vector: false, text: true }).unwrap();
    neighbors.into_iter().map(Passage::from).find(|passage| passage.id == id).unwrap()
}

#[test]
fn a_search_by_words_asks_no_embedder() {
    let (store, _) = store();
    let failing = |_: &[String]| Err::<Vec<Vec<f32>>, CallbackError>("asked".into());
    let context = Retriever::new(&store, &failing).mode(SearchMode::Text).retrieve("pythons log").unwrap();
    let mut found = ids(&context.sources);
    found.sort_unstable();
    assert_eq!(found, ["design_0", "design_3"]);
}

#[test]
fn what_is_cut_says_where_it_ends_and_fits() {
    let (store, embedder) = store();
    let whole = |text: &str| std::iter::once(0..text.len()).collect();
    upsert_chunks(&store, "design", TEXT, whole, &embedder).unwrap();
    for budget in 3..25 {
        let window = ContextWindow::new(budget).truncate(true);
        let context = Retriever::new(&store, &embedder).window(window).retrieve("log").unwrap();
        assert!(estimate_tokens(&context.text) <= budget);
        let Some(source) = context.sources.first() else { continue };
        let place = |key: &str| source.metadata.get(key).and_then(Value::as_int).unwrap() as usize;
        assert_eq!(TEXT[place("start")..place("end")], source.text);
        assert_eq!(source.metadata.get("text").and_then(Value::as_str), Some(source.text.as_str()));
    }
}

#[test]
fn each_way_of_retrieving_finds_what_the_question_is_about() {
    let (store, embedder) = store();
    let model = |prompt: &str| {
        assert!(prompt.contains("What do pythons eat?"));
        Ok::<_, CallbackError>("1. pythons eat mice\n2. food of pythons".to_owned())
    };
    let mmr = MmrReranker::new(0.7).unwrap();
    let bm25 = Bm25Reranker::default();
    let base = || Retriever::new(&store, &embedder).k(2);
    let ways = [
        base(),
        base().reranker(&bm25),
        base().reranker(&mmr).fetch_k(4),
        base().model(&model).expansion(Expansion::Paraphrases, 2),
        base().model(&model).expansion(Expansion::HypotheticalDocuments, 2),
        base().expansion(Expansion::SubQuestions, 3),
        base().expansion(Expansion::Paraphrases, 3),
        base().expansion(Expansion::HypotheticalDocuments, 1),
        base().mode(SearchMode::Hybrid { alpha: 0.5 }),
        base().mode(SearchMode::Hybrid { alpha: 0.5 }).expansion(Expansion::HypotheticalDocuments, 1),
    ];
    for way in ways {
        let context = way.retrieve("What do pythons eat?").unwrap();
        assert_eq!(context.sources[0].id, "design_3");
        assert!(context.text.starts_with("[1] Pythons eat mice.\n\n[2] "));
        assert_eq!(context.queries[0], "What do pythons eat?");
    }
    let filtered = base().filter(field("chunk_index").lt(2)).retrieve("What do pythons eat?").unwrap();
    assert!(filtered.sources.iter().all(|source| ["design_0", "design_1"].contains(&source.id.as_str())));
    let small = base().window(ContextWindow::new(8)).retrieve("What do pythons eat?").unwrap();
    assert_eq!(ids(&small.sources), ["design_3"]);
}

#[test]
fn a_model_that_fails_is_asked_again_and_its_error_comes_back() {
    let (store, _) = store();
    let calls = Cell::new(0);
    let failing = |_: &[String]| -> Result<Vec<Vec<f32>>, CallbackError> {
        calls.set(calls.get() + 1);
        Err(format!("failure {}", calls.get()).into())
    };
    let policy = RetryPolicy::new().retries(2).first_pause(Duration::ZERO);
    let Err(Error::Callback(error)) = Retriever::new(&store, &failing).retry(policy).retrieve("q") else {
        panic!("the embedder's own error")
    };
    assert_eq!(error.to_string(), "failure 3");
    let short = |_: &[String]| -> Result<Vec<Vec<f32>>, CallbackError> { Ok(Vec::new()) };
    let error = Retriever::new(&store, &short).retrieve("q").unwrap_err();
    assert!(
        matches!(&error, Error::InvalidInput(message) if message.contains("expected 1 vectors")),
        "{error}"
    );
    let wrong = HashingEmbedder::new(3);
    assert!(matches!(Retriever::new(&store, &wrong).retrieve("q"), Err(Error::Store(_))));
}

#[test]
fn a_document_is_replaced_and_its_chunks_are_found_by_text() {
    let (store, embedder) = store();
    assert_eq!(
        upsert_chunks(
            &store,
            "design",
            "The log is synced.",
            |text| std::iter::once(0..text.len()).collect(),
            &embedder
        )
        .unwrap(),
        1
    );
    assert_eq!(store.len().unwrap(), 1);
    let found = query_text(&store, "synced", &embedder, 5, None).unwrap();
    assert_eq!(found[0].text.as_deref(), Some("The log is synced."));
    let bad = upsert_chunks(&store, "design", "\u{e9}", |_| std::iter::once(1..2).collect(), &embedder)
        .unwrap_err();
    assert!(bad.to_string().contains("chunk 0 is 1..2"), "{bad}");
    assert_eq!(batch_upsert_texts(&store, [] as [TextItem; 0], &embedder).unwrap(), 0);
}

#[test]
fn chunks_are_widened_and_documents_put_together() {
    let (store, _) = store();
    let wide = with_neighboring_chunks(&store, vec![chunk(&store, "design_1")], 1, 1).unwrap();
    // Two line breaks lie between the chunks: they do not touch.
    assert_eq!(wide.len(), 3);
    let other = Passage::new("other", "no chunk", 0.5);
    let parents =
        parent_documents(&store, vec![chunk(&store, "design_2"), other, chunk(&store, "design_0")]).unwrap();
    assert_eq!(parents.len(), 2);
    assert_eq!(parents[0].text, TEXT.replace('\n', " "));
}

#[test]
fn pages_are_counted_from_the_breaks() {
    let metadata = Metadata::new().with("page", 3).with("page_breaks", [10, 20]);
    let passage = Passage { metadata, ..Passage::default() };
    assert_eq!([0, 9, 10, 25].map(|at| page_of(&passage, at)), [Some(3), Some(3), Some(4), Some(5)]);
    assert_eq!(page_of(&Passage::default(), 0), None);
}

/// A model that is never ready at once.
struct Later(HashingEmbedder, usize);

impl AsyncDriver for Later {
    type Error = Error;

    async fn respond(&mut self, need: Need) -> Result<Response, Error> {
        let mut polled = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        match need {
            Need::Vectors(_) if self.1 > 0 => {
                self.1 -= 1;
                Err(Error::Callback("busy".into()))
            }
            Need::Vectors(texts) => self.0.embed(&texts).map(Response::Vectors).map_err(Error::Callback),
            Need::Pause(_) => Ok(Response::Paused),
            other => panic!("{other:?} is not needed here"),
        }
    }

    fn is_transient(&self, error: &Error) -> (bool, Option<Duration>) {
        (matches!(error, Error::Callback(_)), None)
    }
}

#[test]
fn a_flow_runs_as_a_future_of_any_runtime() {
    let texts: Vec<String> = ["a", "b", "a"].map(str::to_owned).to_vec();
    let run = |failures| {
        let mut flow = Retry::new(EmbedTexts::new(texts.clone(), 1), RetryPolicy::new());
        let mut driver = Later(HashingEmbedder::new(8), failures);
        let mut future = pin!(drive_async(&mut flow, &mut driver));
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
        }
    };
    assert_eq!(run(2).unwrap(), HashingEmbedder::new(8).embed(&texts).unwrap());
    assert!(matches!(run(3), Err(Error::Callback(error)) if error.to_string() == "busy"));
}
