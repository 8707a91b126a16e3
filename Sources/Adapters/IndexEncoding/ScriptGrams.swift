import Core

/// The n-grams that stand for words in scripts without spaces.
package enum ScriptGrams {
  /// What a question asks for.
  package enum Query: Sendable, Hashable {
    /// Any of these n-grams.
    case any([String])
    /// Any n-gram that begins with one of these: the question has nothing but single letters.
    case beginningWithAny([String])
  }

  /// The n-grams of a question, without repetition; nil when it has no letters of scripts without spaces.
  package static func query(of question: String, limit: Int) -> Query? {
    let runs = runs(of: question)
    let grams = runs.flatMap { run in
      pieces(run, 3) + (run.isShortScript || run.scalars.count < 3 ? pieces(run, 2) : [])
    }
    if !grams.isEmpty { return .any(grams.distinct(limit: limit)) }
    let single = runs.flatMap { pieces($0, 1) }
    return single.isEmpty ? nil : .beginningWithAny(single.distinct(limit: limit))
  }

  /// What an index of n-grams holds of `text`: pairs and triples of neighbouring letters, and the last letter of each
  /// run, which begins no pair. Empty for text in other scripts, which then costs nothing there.
  package static func indexed(of text: String) -> String {
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
}

/// The words that a question is searched with.
package enum SearchWords {
  /// The content words of `question` without repetition, at most `limit`; its stop words when there is nothing else.
  package static func of(_ question: String, limit: Int) -> [String] {
    let all = Words.all(of: question)
    let content = all.filter { !Words.isStopWord($0) }
    return (content.isEmpty ? all : content).distinct(limit: limit)
  }
}

extension [String] {
  fileprivate func distinct(limit: Int) -> [String] {
    var seen = Set<String>()
    return Array(filter { seen.insert($0).inserted }.prefix(limit))
  }
}
