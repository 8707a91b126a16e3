import Core
import IndexEncoding
import SQLite

/// Full-text queries from questions.
package enum LexicalQuery {
  /// Longer questions are cut: each term costs a walk through its postings.
  private static let maximumTerms = 64

  /// FTS5 strings of the content words of `question`, any of which a chunk may have; none when it has no words. Stop words are left out, unless
  /// there is nothing else: they are in most chunks, cost most of the time and tell nothing.
  package static func words(_ question: String) -> [String] {
    SearchWords.of(question, limit: maximumTerms).map(SQLText.fullTextTerm)
  }

  /// The same of the n-grams of `question`; none when it has no letters of scripts without spaces.
  package static func grams(_ question: String) -> [String] {
    switch ScriptGrams.query(of: question, limit: maximumTerms) {
    case nil: []
    case .any(let grams): grams.map(SQLText.fullTextTerm)
    // A single letter: whatever begins with it.
    case .beginningWithAny(let letters): letters.map { SQLText.fullTextTerm($0) + "*" }
    }
  }
}
