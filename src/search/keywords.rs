//! The passages that share words with a question: BM25 by tantivy, in memory.

mod identifiers;
mod spelling;
mod terms;

use std::{fmt, sync::Arc};

use tantivy::{
    DocId, Index, IndexSettings, Searcher, SegmentReader, TantivyDocument, Term,
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
    spelling::Spelling,
    terms::{Terms, stemmed, words},
};
use super::{Error, corpus::Chunk, scope::Scope};

/// What a word in the headings counts, against 1 in the text. From 0.2 to 0.6 it makes no
/// difference that `make eval` could tell; beyond 1, answers get worse.
const HEADINGS: f32 = 0.4;

/// What a word in the file's name counts, against 1 in the text: as for the headings.
const FILE: f32 = 0.3;

/// What an identifier counts, against 1 for a word: who types `ERR-17` wants no other error.
const IDENTIFIER: f32 = 2.0;

/// Bytes that the making of an index may take before it grows its tables.
const BUDGET_BYTES: usize = 15_000_000;

/// How much a word that is in a passage more than once can add to its score, as BM25 has it with
/// the k1 of tantivy.
const SATURATION: f32 = 2.2;

/// Words of passages, by position.
pub(super) struct Keywords {
    searcher: Searcher,
    fields: Fields,
    stemmed: TextAnalyzer,
    spelling: Spelling,
}

#[derive(Clone, Copy)]
struct Fields {
    text: Field,
    headings: Field,
    file: Field,
    identifiers: Field,
}

/// A passage that shares words with a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    pub(super) position: usize,
    /// What share of the question's words it has, weighed by how rare they are: 0 to about 1.
    pub(super) coverage: f32,
}

impl Keywords {
    /// Indexes `chunks` in their order.
    ///
    /// # Errors
    ///
    /// If tantivy fails.
    pub(super) fn build(chunks: &[Arc<Chunk>]) -> Result<Self, Error> {
        Self::indexed(chunks).map_err(failed)
    }

    fn indexed(chunks: &[Arc<Chunk>]) -> tantivy::Result<Self> {
        let (schema, fields) = schema();
        let tokenizers = TokenizerManager::new();
        tokenizers.register("stemmed", stemmed());
        tokenizers.register("identifiers", TextAnalyzer::from(Identifiers));
        let mut writer = Index::builder()
            .schema(schema)
            .tokenizers(tokenizers)
            .settings(IndexSettings::default())
            .single_segment_index_writer(RamDirectory::create(), BUDGET_BYTES)?;
        let mut spelling = Spelling::default();
        for chunk in chunks {
            spelling.learn(&chunk.section);
            spelling.learn(chunk.text());
            let mut document = TantivyDocument::new();
            document.add_text(fields.text, chunk.text());
            document.add_text(fields.headings, &chunk.section);
            document.add_text(fields.file, &*chunk.file);
            document.add_text(fields.identifiers, chunk.text());
            document.add_text(fields.identifiers, &chunk.section);
            writer.add_document(document)?;
        }
        let searcher = writer.finalize()?.reader()?.searcher();
        Ok(Self {
            searcher,
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
            if self.spelling.knows(word) || is_word(word) || self.has_form_of(word)? {
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
            if self.searcher.doc_freq(&term).map_err(failed)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the `count` passages in `scope` that share most with `question`, best first.
    ///
    /// # Errors
    ///
    /// If tantivy fails.
    pub(super) fn matching(
        &self,
        question: &str,
        scope: &Scope,
        count: usize,
    ) -> Result<Vec<Match>, Error> {
        let terms = Terms::of(question, &mut self.stemmed.clone());
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let best = TopDocs::with_limit(count.max(1)).order_by_score();
        let found = self.searcher.search(&self.query(&terms, scope), &best);
        let most = self.most(&terms).map_err(failed)?;
        let found = found.map_err(failed)?.into_iter();
        Ok(found
            .map(|(score, address)| Match {
                position: address.doc_id as usize,
                coverage: score / most,
            })
            .collect())
    }

    fn query(&self, terms: &Terms, scope: &Scope) -> BooleanQuery {
        let fields = self.fields;
        let counting = |field, boost| {
            let term = move |word: &String| {
                let term = Term::from_field_text(field, word);
                let term = TermQuery::new(term, IndexRecordOption::WithFreqs);
                let boosted = BoostQuery::new(Box::new(term), boost);
                (Occur::Should, Box::new(boosted) as Box<dyn Query>)
            };
            terms.words.iter().map(term)
        };
        let mut clauses: Vec<_> = counting(fields.text, 1.0)
            .chain(counting(fields.headings, HEADINGS))
            .chain(counting(fields.file, FILE))
            .collect();
        clauses.extend(terms.identifiers.iter().map(|word| {
            let term = Term::from_field_text(fields.identifiers, word);
            let term = TermQuery::new(term, IndexRecordOption::Basic);
            let boosted = BoostQuery::new(Box::new(term), IDENTIFIER);
            (Occur::Should, Box::new(boosted) as Box<dyn Query>)
        }));
        let words = BooleanQuery::new(clauses);
        match scope.allowed() {
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
        }
    }

    /// Returns the score of a passage that is full of all the words. One that stands nowhere
    /// counts too: then no passage has all that was asked for.
    fn most(&self, terms: &Terms) -> tantivy::Result<f32> {
        let documents = self.searcher.num_docs() as f32;
        let mut most = 0.0;
        for word in &terms.words {
            let term = Term::from_field_text(self.fields.text, word);
            let having = self.searcher.doc_freq(&term)? as f32;
            most += SATURATION * (1.0 + (documents - having + 0.5) / (having + 0.5)).ln();
        }
        Ok(f32::max(most, f32::MIN_POSITIVE))
    }
}

impl fmt::Debug for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keywords = f.debug_struct("Keywords");
        keywords
            .field("passages", &self.searcher.num_docs())
            .finish_non_exhaustive()
    }
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

    fn found(keywords: &Keywords, question: &str) -> Vec<usize> {
        let matches = keywords.matching(question, &Scope::default(), 10).unwrap();
        matches.iter().map(|found| found.position).collect()
    }

    #[test]
    fn an_identifier_counts_more_than_its_parts() {
        let texts = [
            "err 17 err 17 err 17",
            "of the disk: ERR-17",
            "nothing of it",
        ];
        let keywords = Keywords::build(&chunks(&texts)).unwrap();

        assert_eq!(found(&keywords, "err-17"), [1, 0]);
        assert_eq!(found(&keywords, "err 17"), [0, 1]);
    }

    #[test]
    fn coverage_is_the_share_of_the_question_that_a_passage_has() {
        let texts = ["locks and threads", "locks alone", "neither of them"];
        let keywords = Keywords::build(&chunks(&texts)).unwrap();
        let coverage = |question: &str| {
            let matches = keywords.matching(question, &Scope::default(), 1).unwrap();
            matches.first().map_or(0.0, |found| found.coverage)
        };

        assert!(coverage("locks threads") > 0.4);
        assert!(coverage("locks threads") > 2.0 * coverage("threads sourdough bread rising"));
        assert_eq!(coverage("sourdough"), 0.0);
    }

    #[test]
    fn misspelt_words_are_mended_and_all_else_stays() {
        let texts = [
            "Exponential backoff with jitter.",
            "Pooled connections in Lisbon",
        ];
        let keywords = Keywords::build(&chunks(&texts)).unwrap();
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
