package import Core

/// Which legs can read a question.
package struct LegPlan: Sendable, Hashable {
  /// Whether the embedding model reads the question's script.
  package var dense: Bool
  /// Whether the question has words or numbers that a word index can hold.
  package var lexical: Bool
  /// Whether the question has text in a script without spaces between words.
  package var trigram: Bool
  /// The script that the embedding model cannot read; nil when it reads the question.
  package var unreadScript: Script?

  /// Plans the legs for `question`.
  ///
  /// The dense leg is dropped when less than half of the letters are in scripts the model reads: to such a
  /// model the text is a row of unknown tokens, and its nearest neighbours are noise that would push out what
  /// the lexical leg finds.
  package init(question: String, embedder: any Embedder) {
    let counts = Script.counts(in: question)
    let letters = counts.values.reduce(0, +)
    let read = counts.reduce(0) { $0 + (embedder.reads($1.key) ? $1.value : 0) }
    dense = letters == 0 || read * 2 >= letters
    trigram = counts.contains { $0.key.lacksWordSpaces && $0.value > 0 }
    lexical =
      counts.contains { !$0.key.lacksWordSpaces && $0.value > 0 }
      || question.unicodeScalars.contains { $0.properties.numericType != nil }
    unreadScript =
      dense ? nil : counts.filter { !embedder.reads($0.key) }.max { $0.value < $1.value }?.key
  }
}
