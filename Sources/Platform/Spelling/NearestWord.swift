/// The number of single-character insertions, deletions, substitutions and swaps of neighbours that turn one
/// word into another, no substring being edited twice.
///
/// This is the optimal string alignment form of the distance in F. J. Damerau, "A technique for computer
/// detection and correction of spelling errors", CACM 7(3), 1964.
public func editDistance(_ first: String, _ second: String) -> Int {
  let source = Array(first.unicodeScalars)
  let target = Array(second.unicodeScalars)
  if source.isEmpty { return target.count }
  if target.isEmpty { return source.count }
  var beforePrevious = [Int](repeating: 0, count: target.count + 1)
  var previous = Array(0...target.count)
  var current = previous
  for row in 1...source.count {
    current[0] = row
    for column in 1...target.count {
      let substitution = previous[column - 1] + (source[row - 1] == target[column - 1] ? 0 : 1)
      var best = min(previous[column] + 1, current[column - 1] + 1, substitution)
      if row > 1, column > 1, source[row - 1] == target[column - 2], source[row - 2] == target[column - 1] {
        best = min(best, beforePrevious[column - 2] + 1)
      }
      current[column] = best
    }
    (beforePrevious, previous, current) = (previous, current, beforePrevious)
  }
  return previous[target.count]
}

/// The known word that a mistyped one most likely meant, or nil when none is near enough to be worth naming.
///
/// Letter case, hyphens and underscores cost nothing, so `topk` and `top_k` both find `topK`. A word is near
/// enough when at most a third of its characters (at least one) need an edit; a prefix of three characters or
/// more also counts. Ties go to the word that comes first in `words`.
public func nearestWord(to mistyped: String, in words: some Sequence<String>) -> String? {
  let sought = folded(mistyped)
  guard !sought.isEmpty, mistyped.utf8.count <= 128 else { return nil }
  var nearest: (word: String, distance: Int)?
  for word in words {
    let candidate = folded(word)
    var distance = editDistance(sought, candidate)
    let allowed = max(1, max(sought.count, candidate.count) / 3)
    if distance > allowed, sought.count >= 3, candidate.hasPrefix(sought) { distance = allowed }
    // One-letter words are a single edit from one another, which says nothing.
    if distance > allowed || distance >= max(sought.count, candidate.count) { continue }
    if let known = nearest, known.distance <= distance { continue }
    nearest = (word, distance)
  }
  return nearest?.word
}

private func folded(_ word: String) -> String {
  word.lowercased().filter { $0 != "-" && $0 != "_" }
}
