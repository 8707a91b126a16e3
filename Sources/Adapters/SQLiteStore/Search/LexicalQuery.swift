import Core
import IndexEncoding
import SQLite

/// Full-text queries from questions.
package enum LexicalQuery {
  /// Longer questions are cut: each term costs a walk through its postings.
  private static let maximumTerms = 64

  /// Matches chunks with any content word of `question`; nil when it has no words. Stop words are left out, unless
  /// there is nothing else: they are in most chunks, cost most of the time and tell nothing.
  package static func words(_ question: String) -> String? {
    SQLText.fullTextAny(of: SearchWords.of(question, limit: maximumTerms))
  }

  /// Matches chunks with any n-gram of `question`; nil when it has no letters of scripts without spaces.
  package static func grams(_ question: String) -> String? {
    switch ScriptGrams.query(of: question, limit: maximumTerms) {
    case nil: nil
    case .any(let grams): SQLText.fullTextAny(of: grams)
    // A single letter: whatever begins with it.
    case .beginningWithAny(let letters): letters.map { SQLText.fullTextTerm($0) + "*" }.joined(separator: " OR ")
    }
  }
}
