//! The passages that share words with a question: BM25 by tantivy, in memory.

mod identifiers;
mod listed;
mod pairs;
mod spelling;
mod terms;

use std::{fmt, sync::Arc};

use tantivy::{
    DocAddress, DocId, Index, IndexSettings, Searcher, SegmentReader, TantivyDocument, Term,
    collector::TopDocs,
    directory::RamDirectory,
    query::{
        BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query, TermQuery,
        doc_predicate_query::{DocPredicateQuery, FunctionPredicate},
    },
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{TextAnalyzer, TokenizerManager},
};

use self::{
    identifiers::Identifiers,
    pairs::Pairs,
    spelling::Spelling,
    terms::{Terms, stemmed, words},
};
use super::{Error, corpus::Chunk, documents::Documents, scope::Scope};

/// What a word in the headings counts, against 1 in the text. From 0 to 0.4 it makes no
/// difference that `make eval` could tell; beyond 0.8, answers get worse.
const HEADINGS: f32 = 0.2;

/// What a word in the file's name counts, against 1 in the text: as for the headings.
const FILE: f32 = 0.3;

/// What two words side by side count, against 1 for each of them. From 0.2 to 0.6 they are
/// equally good.
const PAIR: f32 = 0.3;

/// What an identifier counts, against 1 for a word: who types `ERR-17` wants no other error.
const IDENTIFIER: f32 = 2.0;

/// Bytes that the making of an index may take before it grows its tables.
const BUDGET_BYTES: usize = 15_000_000;

/// How much a word that is in a passage more than once can add to its score, as BM25 has it with
/// the k1 of tantivy.
const SATURATION: f32 = 2.2;

/// Words of passages, by position, and of their whole files.
pub(super) struct Keywords {
    passages: Searcher,
    documents: Searcher,
    fields: Fields,
    stemmed: TextAnalyzer,
    spelling: Spelling,
}

#[derive(Clone, Copy)]
struct Fields {
    text: Field,
    headings: Field,
    file: Field,
    pairs: Field,
    identifiers: Field,
}

/// What shares words with a question. Shares are of the question's words, weighed by how rare they
/// are: 0 to about 1.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// Positions of passages and their shares, best first.
    pub(super) passages: Vec<(usize, f32)>,
    /// Numbers of files and their shares, best first.
    pub(super) documents: Vec<(usize, f32)>,
}

impl Keywords {
    /// Indexes `chunks` in their order, and their files.
    ///
    /// # Errors
    ///
    /// If tantivy fails.
    pub(super) fn build(chunks: &[Arc<Chunk>], documents: &Documents) -> Result<Self, Error> {
        Self::indexed(chunks, documents).map_err(failed)
    }

    fn indexed(chunks: &[Arc<Chunk>], documents: &Documents) -> tantivy::Result<Self> {
        let (schema, fields) = schema();
        let mut spelling = Spelling::default();
        let passages = chunks.iter().map(|chunk| {
            spelling.learn(&chunk.section);
            spelling.learn(chunk.text());
            let mut passage = TantivyDocument::new();
            passage.add_text(fields.text, chunk.text());
            passage.add_text(fields.headings, &chunk.section);
            passage.add_text(fields.file, &*chunk.file);
            passage.add_text(fields.pairs, chunk.text());
            passage.add_text(fields.identifiers, chunk.text());
            passage.add_text(fields.identifiers, &chunk.section);
            passage
        });
        let passages = index(&schema, passages)?;
        let documents = documents.openings().map(|opening| {
            let mut document = TantivyDocument::new();
            document.add_text(fields.text, &chunks[opening].document.text);
            document
        });
        Ok(Self {
            passages,
            documents: index(&schema, documents)?,
            fields,
            stemmed: stemmed(),
            spelling,
        })
    }

    /// Returns `question` with its misspelt words mended: words that stand in no passage in any
    /// form, that `is_word` does not know, and that are near to one that does.
    ///
    /// # Errors
    ///
    /// If tantivy fails.
    pub(super) fn mended(
        &self,
        question: &Arc<str>,
        is_word: impl Fn(&str) -> bool,
    ) -> Result<Arc<str>, Error> {
        let mut mended: Option<String> = None;
        for word in words(question) {
            let alone = !Spelling::may_be_slip(word) || self.spelling.knows(word);
            if alone || is_word(word) || self.has_form_of(word)? {
                continue;
            }
            if let Some(meant) = self.spelling.meant(word) {
                let text = mended.as_deref().unwrap_or(question);
                mended = Some(text.replacen(word, meant, 1));
            }
        }
        Ok(mended.map_or_else(|| Arc::clone(question), Arc::from))
    }

    fn has_form_of(&self, word: &str) -> Result<bool, Error> {
        let terms = Terms::of(word, &mut self.stemmed.clone());
        for word in &terms.words {
            let term = Term::from_field_text(self.fields.text, word);
            if self.passages.doc_freq(&term).map_err(failed)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the `count` passages in `scope` that share most with `question`, and the `count`
    /// files.
    ///
    /// # Errors
    ///
    /// If tantivy fails.
    pub(super) fn matching(
        &self,
        question: &str,
        scope: &Scope,
        count: usize,
    ) -> Result<Matches, Error> {
        let terms = Terms::of(question, &mut self.stemmed.clone());
        if terms.is_empty() {
            return Ok(Matches::default());
        }
        let (passages, documents, text) = (&self.passages, &self.documents, self.fields.text);
        let words = having(passages, text, &terms.words).map_err(failed)?;
        let most = self.most(&words);
        let best = |searcher: &Searcher, query: &dyn Query| {
            let best = TopDocs::with_limit(count.max(1)).order_by_score();
            let found = searcher.search(query, &best).map_err(failed)?;
            let share =
                |(score, address): (f32, DocAddress)| (address.doc_id as usize, score / most);
            Ok::<_, Error>(found.into_iter().map(share).collect())
        };
        let query = self.query(words, &terms, scope).map_err(failed)?;
        let words = having(documents, text, &terms.words).map_err(failed)?;
        let of_documents = BooleanQuery::new(counting(words, 1.0).collect());
        Ok(Matches {
            passages: best(passages, &query)?,
            documents: best(documents, &of_documents)?,
        })
    }

    /// `words` are those of `terms`.
    fn query(
        &self,
        words: Vec<(Term, u64)>,
        terms: &Terms,
        scope: &Scope,
    ) -> tantivy::Result<BooleanQuery> {
        let fields = self.fields;
        let others = [
            (fields.headings, HEADINGS, &terms.words),
            (fields.file, FILE, &terms.words),
            (fields.pairs, PAIR, &terms.pairs),
            (fields.identifiers, IDENTIFIER, &terms.identifiers),
        ];
        let mut clauses: Vec<_> = counting(words, 1.0).collect();
        for (field, boost, terms) in others {
            clauses.extend(counting(having(&self.passages, field, terms)?, boost));
        }
        let words = BooleanQuery::new(clauses);
        Ok(match scope.allowed() {
            None => words,
            Some(allowed) => {
                let allowed = Arc::clone(allowed);
                let predicate = move |_: &SegmentReader| {
                    let allowed = Arc::clone(&allowed);
                    Ok(move |document: DocId| allowed[document as usize])
                };
                let predicate = DocPredicateQuery::from(FunctionPredicate::from(predicate));
                let filter = ConstScoreQuery::new(Box::new(predicate), 0.0);
                BooleanQuery::new(vec![
                    (Occur::Must, Box::new(words) as Box<dyn Query>),
                    (Occur::Must, Box::new(filter)),
                ])
            }
        })
    }

    /// Returns the score of a passage that is full of all the words. One that stands nowhere
    /// counts too: then no passage has all that was asked for.
    fn most(&self, words: &[(Term, u64)]) -> f32 {
        let passages = self.passages.num_docs() as f32;
        let full = |(_, having): &(Term, u64)| {
            let having = *having as f32;
            SATURATION * (1.0 + (passages - having + 0.5) / (having + 0.5)).ln()
        };
        f32::max(words.iter().map(full).sum(), f32::MIN_POSITIVE)
    }
}

impl fmt::Debug for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keywords = f.debug_struct("Keywords");
        keywords
            .field("passages", &self.passages.num_docs())
            .finish_non_exhaustive()
    }
}

/// Returns each of `terms` with the number of documents that have it in the field.
fn having(
    searcher: &Searcher,
    field: Field,
    terms: &[String],
) -> tantivy::Result<Vec<(Term, u64)>> {
    let having = |term: &String| {
        let term = Term::from_field_text(field, term);
        let having = searcher.doc_freq(&term)?;
        Ok((term, having))
    };
    terms.iter().map(having).collect()
}

/// Returns what counts each of `terms` that stands anywhere: to weigh one that stands nowhere takes
/// longer than to see that it does not, and most pairs and words of headings do not.
fn counting(terms: Vec<(Term, u64)>, boost: f32) -> impl Iterator<Item = (Occur, Box<dyn Query>)> {
    let there = terms.into_iter().filter(|(_, having)| *having > 0);
    there.map(move |(term, _)| {
        let term = TermQuery::new(term, IndexRecordOption::WithFreqs);
        let boosted = BoostQuery::new(Box::new(term), boost);
        (Occur::Should, Box::new(boosted) as Box<dyn Query>)
    })
}

/// Indexes `documents` in their order.
fn index(
    schema: &Schema,
    documents: impl Iterator<Item = TantivyDocument>,
) -> tantivy::Result<Searcher> {
    let tokenizers = TokenizerManager::new();
    tokenizers.register("stemmed", stemmed());
    tokenizers.register("identifiers", TextAnalyzer::from(Identifiers));
    let pairs = Pairs { stemmed: stemmed() };
    tokenizers.register("pairs", TextAnalyzer::from(pairs));
    let mut writer = Index::builder()
        .schema(schema.clone())
        .tokenizers(tokenizers)
        .settings(IndexSettings::default())
        .single_segment_index_writer(RamDirectory::create(), BUDGET_BYTES)?;
    for document in documents {
        writer.add_document(document)?;
    }
    Ok(writer.finalize()?.reader()?.searcher())
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let indexed = |tokenizer: &str, option| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(tokenizer)
            .set_index_option(option);
        TextOptions::default().set_indexing_options(indexing)
    };
    let words = || indexed("stemmed", IndexRecordOption::WithFreqs);
    let fields = Fields {
        text: schema.add_text_field("text", words()),
        headings: schema.add_text_field("headings", words()),
        file: schema.add_text_field("file", words()),
        pairs: schema.add_text_field("pairs", indexed("pairs", IndexRecordOption::Basic)),
        identifiers: schema.add_text_field(
            "identifiers",
            indexed("identifiers", IndexRecordOption::Basic),
        ),
    };
    (schema.build(), fields)
}

fn failed(error: tantivy::TantivyError) -> Error {
    Error::Keywords(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::{super::corpus, *};

    fn chunks(texts: &[&str]) -> Vec<Arc<Chunk>> {
        let chunks = |(number, text): (usize, &&str)| {
            let file = format!("standards/{number}.md");
            corpus::chunks(&file, text).into_iter().map(Arc::new)
        };
        texts.iter().enumerate().flat_map(chunks).collect()
    }

    fn built(texts: &[&str]) -> Keywords {
        let chunks = chunks(texts);
        Keywords::build(&chunks, &Documents::of(&chunks)).unwrap()
    }

    fn matches(keywords: &Keywords, question: &str) -> Matches {
        keywords.matching(question, &Scope::default(), 10).unwrap()
    }

    fn found(keywords: &Keywords, question: &str) -> Vec<usize> {
        let passages = matches(keywords, question).passages;
        passages.iter().map(|(position, _)| *position).collect()
    }

    #[test]
    fn an_identifier_counts_more_than_its_parts() {
        let texts = [
            "err 17 err 17 err 17",
            "of the disk: ERR-17",
            "nothing of it",
        ];
        let keywords = built(&texts);

        assert_eq!(found(&keywords, "err-17"), [1, 0]);
        assert_eq!(found(&keywords, "err 17"), [0, 1]);
    }

    #[test]
    fn coverage_is_the_share_of_the_question_that_a_passage_has() {
        let texts = ["locks and threads", "locks alone", "neither of them"];
        let keywords = built(&texts);
        let coverage = |question: &str| {
            let passages = matches(&keywords, question).passages;
            passages.first().map_or(0.0, |(_, share)| *share)
        };

        assert!(coverage("locks threads") > 0.4);
        assert!(coverage("locks threads") > 2.0 * coverage("threads sourdough bread rising"));
        assert_eq!(coverage("sourdough"), 0.0);
    }

    #[test]
    fn words_side_by_side_count_more_than_apart() {
        let texts = [
            "condition of a car, and the race that it won",
            "race condition: a car was won, it and that, or so they said",
        ];
        let keywords = built(&texts);

        assert_eq!(found(&keywords, "the race condition"), [1, 0]);
    }

    #[test]
    fn a_file_shares_what_any_of_its_passages_has() {
        let filler = "word ".repeat(150);
        let both = format!("# A\n\nlocks {filler}\n\n# B\n\nthreads {filler}");
        let keywords = built(&[&both, "locks", "neither"]);

        let documents = matches(&keywords, "locks threads").documents;

        let files: Vec<_> = documents.iter().map(|(file, _)| *file).collect();
        assert_eq!(files, [0, 1]);
        assert!(documents[0].1 > documents[1].1, "{documents:?}");
    }

    #[test]
    fn misspelt_words_are_mended_and_all_else_stays() {
        let texts = [
            "Exponential backoff with jitter.",
            "Pooled connections in Lisbon",
        ];
        let keywords = built(&texts);
        let mended = |question: &str| {
            let is_word = |word: &str| word == "listen";
            let mended = keywords.mended(&question.into(), is_word).unwrap();
            (*mended).to_owned()
        };

        assert_eq!(
            mended("exponantial backof, jiter?"),
            "exponential backoff, jitter?"
        );
        assert_eq!(
            mended("pooling"),
            "pooling",
            "a form of a word that is there"
        );
        assert_eq!(mended("how do I listen?"), "how do I listen?");
        assert_eq!(mended("sourdough"), "sourdough");
    }
}
