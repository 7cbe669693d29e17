//! Full text of documents: FTS5 in SQLite, `tsvector` in PostgreSQL, behind one function.
//!
//! What somebody searches for is data. It is taken apart into words here, so that no sign of either database's language is
//! ever in a query; the two stem English words in the same way and differ in how they weigh.

use crate::db::{Db, Store, StoreError, id};
use quaymaster_core::id::{DocumentId, OrgId};

/// Words of one query; the rest is left out.
const MOST_WORDS: usize = 32;
/// Characters of a word that count.
const MOST_OF_WORD: usize = 64;

/// Words without which a question says the same (and which PostgreSQL leaves out itself).
const EMPTY: [&str; 44] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has",
    "have", "how", "i", "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "that",
    "the", "their", "there", "this", "to", "was", "we", "were", "what", "when", "where", "which",
    "who", "will", "with", "you",
];

/// The words of a query: runs of letters and digits, in lower case, each once.
pub fn words(query: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in query.split(|c: char| !c.is_alphanumeric()) {
        let word: String = word.to_lowercase().chars().take(MOST_OF_WORD).collect();
        if !word.is_empty() && !all.contains(&word) {
            all.push(word);
        }
        if all.len() == MOST_WORDS {
            break;
        }
    }
    let telling = |word: &&String| !EMPTY.contains(&word.as_str());
    if all.iter().any(|word| telling(&word)) {
        all.retain(|word| telling(&word));
    }
    all
}

/// A piece of a document that has some of the words.
#[derive(Debug, Clone)]
pub struct Hit {
    pub document: DocumentId,
    pub path: String,
    pub title: String,
    /// Of the document's bytes.
    pub sha256: String,
    pub n: i64,
    pub heading: String,
    pub text: String,
    /// Comparable within one answer: more is better.
    pub score: f64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    path: String,
    title: String,
    sha256: String,
    n: i64,
    heading: String,
    text: String,
    score: f64,
}

impl TryFrom<Row> for Hit {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Hit {
            document: id(&row.id)?,
            path: row.path,
            title: row.title,
            sha256: row.sha256,
            n: row.n,
            heading: row.heading,
            text: row.text,
            score: row.score,
        })
    }
}

impl Store {
    /// Pieces with any of the [`words`], best first, of documents whose paths begin with `prefix`.
    pub async fn search_documents(
        &self,
        org: &OrgId,
        words: &[String],
        prefix: &str,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Hit>, StoreError> {
        // Texts are read for the few rows of the answer only.
        const SQLITE: &str = "SELECT d.id, d.path, d.title, d.sha256, c.n, c.heading, c.text, best.score FROM \
             (SELECT w.rowid AS seq, -bm25(document_words, 0.0, 2.0, 1.0) AS score FROM document_words w \
             JOIN document_chunks c ON c.seq = w.rowid \
             JOIN documents d ON d.id = c.document_id AND d.generation = c.generation \
             WHERE document_words MATCH $2 AND c.org_id = $1 AND d.org_id = $1 \
             AND substr(d.path, 1, length($3)) = $3 \
             ORDER BY score DESC, w.rowid LIMIT $4 OFFSET $5) AS best \
             JOIN document_chunks c ON c.seq = best.seq JOIN documents d ON d.id = c.document_id \
             ORDER BY best.score DESC, best.seq";
        // A piece with every word comes before any other. Its organization is a word of each piece, so that the index reads none of
        // others; where a query has no word that counts, nothing is looked for.
        const POSTGRES: &str = "SELECT d.id, d.path, d.title, d.sha256, c.n, c.heading, c.text, best.score FROM \
             (SELECT c.seq, CAST(ts_rank(c.words, asked.any_of, 1) AS DOUBLE PRECISION) \
             + CASE WHEN c.words @@ asked.all_of THEN 1 ELSE 0 END AS score \
             FROM (SELECT all_of, any_of, CASE WHEN numnode(any_of) = 0 THEN any_of \
             ELSE ('''' || $1 || '''')::tsquery && any_of END AS ours \
             FROM (SELECT plainto_tsquery('english', $2) AS all_of, \
             replace(plainto_tsquery('english', $2)::text, '&', '|')::tsquery AS any_of) AS words) AS asked \
             JOIN document_chunks c ON c.words @@ asked.ours \
             JOIN documents d ON d.id = c.document_id AND d.generation = c.generation \
             WHERE c.org_id = $1 AND d.org_id = $1 AND substr(d.path, 1, length($3)) = $3 \
             ORDER BY score DESC, c.seq LIMIT $4 OFFSET $5) AS best \
             JOIN document_chunks c ON c.seq = best.seq JOIN documents d ON d.id = c.document_id \
             ORDER BY best.score DESC, best.seq";
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let (sql, asked) = match &self.db {
            Db::Sqlite { .. } => (SQLITE, quoted(org, words)),
            Db::Postgres(_) => (POSTGRES, words.join(" ")),
        };
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(sql)
                .bind(org.as_str())
                .bind(&asked)
                .bind(prefix)
                .bind(limit)
                .bind(offset)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Hit::try_from).collect()
    }
}

/// In the language of FTS5, each word a string of it. Pieces of other organizations are left out by the index.
fn quoted(org: &OrgId, words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!(
        "org_id : \"{org}\" AND {{heading text}} : ({})",
        words.join(" OR ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_its_words_and_nothing_of_its_signs() {
        assert_eq!(words("How do I reset the 2FA?"), ["reset", "2fa"]);
        assert_eq!(
            words("\"a\" OR b* NEAR(c) -d:e^2"),
            ["b", "near", "c", "d", "e", "2"]
        );
        assert_eq!(words("to the"), ["to", "the"]);
        assert_eq!(words("🎉 \" ' -- ;"), Vec::<String>::new());
        assert_eq!(words("Straße straße ÉTÉ"), ["straße", "été"]);
        assert_eq!(words(&"x ".repeat(10)), ["x"]);
        let long: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
        assert_eq!(words(&long.join(" ")).len(), MOST_WORDS);
        assert_eq!(words(&"y".repeat(10_000))[0].len(), MOST_OF_WORD);
    }
}
