/// Text made safe for a place in SQL that takes no parameters.
public enum SQLText {
  /// A name of a table, column or savepoint in double quotes.
  public static func identifier(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

  /// A string literal.
  public static func literal(_ text: String) -> String {
    "'\(text.replacing("\0", with: "").replacing("'", with: "''"))'"
  }

  /// An FTS5 string: whatever `term` has in it, it is searched as text (fts5.html, section 3.1).
  ///
  /// A malformed full-text query fails with SQLite's generic code 1, so quote every term that a user wrote.
  /// The tokenizer still splits it: a term of several words is a phrase, one without letters matches nothing.
  public static func fullTextTerm(_ term: String) -> String {
    "\"\(term.replacing("\0", with: " ").replacing("\"", with: "\"\""))\""
  }

  /// The text of an FTS5 string that `fullTextTerm` made.
  public static func unquotedFullTextTerm(_ term: String) -> String {
    String(term.dropFirst().dropLast().replacing("\"\"", with: "\""))
  }

  /// An FTS5 query that matches what has any of `terms`; `nil` if there are none (an empty query is an error in FTS5).
  public static func fullTextAny(of terms: some Sequence<String>) -> String? {
    let quoted = terms.map(fullTextTerm)
    return quoted.isEmpty ? nil : quoted.joined(separator: " OR ")
  }

  /// An FTS5 query that matches what has all of `terms`; `nil` if there are none.
  public static func fullTextAll(of terms: some Sequence<String>) -> String? {
    let quoted = terms.map(fullTextTerm)
    return quoted.isEmpty ? nil : quoted.joined(separator: " AND ")
  }
}
