import Core
import SQLite

/// Full-text queries from questions, and the n-grams that stand for words in scripts without spaces.
package enum LexicalQuery {
  /// Longer questions are cut: each term costs a walk through its postings.
  private static let maximumTerms = 64

  /// Matches chunks with any content word of `question`; nil when it has no words. Stop words are left out, unless
  /// there is nothing else: they are in most chunks, cost most of the time and tell nothing.
  package static func words(_ question: String) -> String? {
    let all = Words.all(of: question)
    let content = all.filter { !Words.isStopWord($0) }
    return SQLText.fullTextAny(of: distinct(content.isEmpty ? all : content))
  }

  /// Matches chunks with any n-gram of `question`; nil when it has no letters of scripts without spaces.
  package static func grams(_ question: String) -> String? {
    let runs = runs(of: question)
    let grams = runs.flatMap { run in
      pieces(run, 3) + (run.isShortScript || run.scalars.count < 3 ? pieces(run, 2) : [])
    }
    if !grams.isEmpty { return SQLText.fullTextAny(of: distinct(grams)) }
    // A single letter: whatever begins with it.
    let single = runs.flatMap { pieces($0, 1) }
    return single.isEmpty ? nil : distinct(single).map { SQLText.fullTextTerm($0) + "*" }.joined(separator: " OR ")
  }

  /// What the n-gram table holds of `text`: pairs and triples of neighbouring letters, and the last letter of each
  /// run, which begins no pair. Empty for text in other scripts, which then costs nothing there.
  package static func indexedGrams(of text: String) -> String {
    runs(of: text).map { run in
      (pieces(run, 2) + pieces(run, 3) + pieces(Run(scalars: [run.scalars[run.scalars.count - 1]]), 1))
        .joined(separator: " ")
    }.joined(separator: " ")
  }

  /// Neighbouring letters of scripts without spaces, with their marks.
  private struct Run {
    var scalars: [Unicode.Scalar]
    /// Chinese and Japanese words are often two letters long; those of the others are longer.
    var isShortScript = false
  }

  private static func runs(of text: String) -> [Run] {
    var runs: [Run] = []
    var current = Run(scalars: [])
    func close() {
      if !current.scalars.isEmpty { runs.append(current) }
      current = Run(scalars: [])
    }
    for scalar in text.unicodeScalars {
      // No letter below U+0E00 belongs to such a script: most text ends here.
      if scalar.value >= 0xE00, let script = Script(of: scalar), script.lacksWordSpaces {
        current.scalars.append(scalar)
        if script != .southEastAsian { current.isShortScript = true }
      } else {
        close()
      }
    }
    close()
    return runs
  }

  private static func pieces(_ run: Run, _ length: Int) -> [String] {
    guard run.scalars.count >= length else { return [] }
    return (0...run.scalars.count - length).map { start in
      var view = String.UnicodeScalarView()
      view.append(contentsOf: run.scalars[start..<start + length])
      return String(view)
    }
  }

  private static func distinct(_ terms: [String]) -> [String] {
    var seen = Set<String>()
    return Array(terms.filter { seen.insert($0).inserted }.prefix(maximumTerms))
  }
}
