import Core

/// The words of one document with their counts: the dictionary against which repairs are checked, in whatever
/// language the document is.
struct Vocabulary {
  private var counts: [String: Int] = [:]

  /// How often a lower-case word occurs.
  func count(of word: String) -> Int { counts[word] ?? 0 }

  /// Takes the words of a text; hyphens inside a word belong to it. Words at either end are left out where a
  /// line may have broken them.
  mutating func add(_ scalars: [Unicode.Scalar], skippingFirst: Bool = false, skippingLast: Bool = false) {
    var word = String.UnicodeScalarView()
    var isFirst = true
    func isInner(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isAlphabetic || scalar == "-" }
    func keep(_ word: String.UnicodeScalarView, _ counts: inout [String: Int]) {
      guard word.count > 1, word.first != "-" else { return }
      if counts.count < 200_000 { counts[String(word).lowercased(), default: 0] += 1 }
    }
    for scalar in scalars {
      if isInner(scalar) {
        word.append(scalar)
      } else if !word.isEmpty {
        if !(isFirst && skippingFirst) { keep(word, &counts) }
        isFirst = false
        word = .init()
      }
    }
    if !word.isEmpty, !skippingLast, word.last != "-" { keep(word, &counts) }
  }
}
