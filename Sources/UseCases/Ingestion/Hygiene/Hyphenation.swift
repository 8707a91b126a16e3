/// Says how two lines are joined: words that a line end broke become whole, hyphens that are real stay, and scripts
/// without spaces get none.
struct Hyphenation {
  /// What to do where one line ends and the next begins.
  enum Join: Equatable {
    /// A space between them.
    case space
    /// Nothing between them; the last character stays.
    case nothing
    /// The last character (a hyphen) is dropped.
    case dropHyphen
  }

  let vocabulary: Vocabulary
  /// `hyphenation` and `unspacedScripts` matter here.
  let rules: Set<HygieneRule>

  /// How `next` follows `line`; both without white space at their ends.
  func join(_ line: [Unicode.Scalar], _ next: [Unicode.Scalar]) -> Join {
    guard let last = line.last, let first = next.first else { return .space }
    if Script.hasNoSpaces(last), Script.hasNoSpaces(first) {
      return rules.contains(.unspacedScripts) ? .nothing : .space
    }
    guard rules.contains(.hyphenation) else { return .space }
    if last == "\u{00AD}" { return .dropHyphen }
    let beforeLast = line.count > 1 ? line[line.count - 2] : " "
    if last == "\u{2014}" {  // an em dash without spaces stays so
      return beforeLast.properties.isAlphabetic && first.properties.isAlphabetic ? .nothing : .space
    }
    guard last == "-" || last == "\u{2010}",
      beforeLast.properties.isAlphabetic || beforeLast.properties.numericType != nil
    else { return .space }
    guard first.properties.isAlphabetic else { return .nothing }
    let head = Self.lastWord(line.dropLast())
    let tail = Self.firstWord(next)
    // "Ein- und Ausgabe", "pre- and post-war": the hyphen stands for a missing part, and a space follows.
    if ["and", "or", "und", "oder", "bzw", "et", "ou", "y", "o"].contains(tail.lowercased()) { return .space }
    guard beforeLast.properties.isAlphabetic else { return .nothing }
    return isBroken(head: head, tail: tail, first: first) ? .dropHyphen : .nothing
  }

  private func isBroken(head: String, tail: String, first: Unicode.Scalar) -> Bool {
    let joined = (head + tail).lowercased()
    let hyphenated = (head + "-" + tail).lowercased()
    let asOne = vocabulary.count(of: joined)
    let asTwo = vocabulary.count(of: hyphenated)
    if asOne > 0 || asTwo > 0 { return asOne >= asTwo }
    // A capital or a word that already has a hyphen was not broken by the typesetter.
    let isCapitals = head.allSatisfy(\.isUppercase) && tail.allSatisfy(\.isUppercase)
    if !first.properties.isLowercase { return isCapitals && head.count > 1 }
    if head.contains("-") { return false }
    // Two words that the document uses by themselves, and never as one: rather a compound.
    return
      !(head.count > 2 && tail.count > 2 && vocabulary.count(of: head.lowercased()) > 1
      && vocabulary.count(of: tail.lowercased()) > 1)
  }

  private static func isInner(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isAlphabetic || scalar == "-" }

  private static func lastWord(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var start = scalars.endIndex
    while start > scalars.startIndex, isInner(scalars[start - 1]) { start -= 1 }
    return DocumentFlow.text(Array(scalars[start...]), 0..<(scalars.endIndex - start))
  }

  private static func firstWord(_ scalars: [Unicode.Scalar]) -> String {
    let end = scalars.firstIndex { !isInner($0) } ?? scalars.endIndex
    return DocumentFlow.text(scalars, 0..<end)
  }
}
