/// Words of questions and passages, as far as overlap between them is measured: lower case, diacritics kept,
/// light English stemming. Indexes have their own tokenizers.
public enum Words {
  /// The content words of a text in order: no stop words; two-character pieces for scripts without spaces.
  public static func content(of text: String) -> [String] {
    all(of: text).filter { !stopWords.contains($0) }.map(stem)
  }

  /// All words of a text in order, lower case.
  public static func all(of text: String) -> [String] {
    var words: [String] = []
    var current = ""
    var previousUnspaced: Unicode.Scalar?
    func close() {
      if !current.isEmpty { words.append(current.lowercased()) }
      current = ""
    }
    for scalar in text.unicodeScalars {
      if let script = Script(of: scalar), script.lacksWordSpaces {
        close()
        if let previous = previousUnspaced {
          var pair = String.UnicodeScalarView()
          pair.append(previous)
          pair.append(scalar)
          words.append(String(pair))
        }
        previousUnspaced = scalar
        continue
      }
      previousUnspaced = nil
      if isWordScalar(scalar) {
        current.unicodeScalars.append(scalar)
      } else {
        close()
      }
    }
    close()
    return words
  }

  /// Whether a word is a stop word of English, German, Spanish or French.
  public static func isStopWord(_ word: String) -> Bool { stopWords.contains(word) }

  private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      return (0x30...0x39).contains(scalar.value) || (0x41...0x5A).contains(scalar.value)
        || (0x61...0x7A).contains(scalar.value)
    }
    if Script(of: scalar) != nil { return true }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .decimalNumber: return true
    default: return false
    }
  }

  /// Takes off plural, past and gerund endings: enough to let "costs" meet "cost".
  public static func stem(_ word: String) -> String {
    guard word.utf8.count > 3, word.utf8.allSatisfy({ (0x61...0x7A).contains($0) }) else { return word }
    var stem = word[...]
    if stem.hasSuffix("ies"), stem.count > 4 { return String(stem.dropLast(3)) + "y" }
    if stem.hasSuffix("sses") { return String(stem.dropLast(2)) }
    if stem.hasSuffix("s"), !stem.hasSuffix("ss"), !stem.hasSuffix("us"), !stem.hasSuffix("is") {
      stem = stem.dropLast()
    }
    for ending in ["ing", "ed"] where stem.hasSuffix(ending) && stem.count > ending.count + 2 {
      stem = stem.dropLast(ending.count)
      if let last = stem.last, stem.dropLast().last == last, !"lsz".contains(last) { stem = stem.dropLast() }
      break
    }
    if stem.hasSuffix("e"), stem.count > 3 { stem = stem.dropLast() }
    return String(stem)
  }

  private static let stopWords: Set<String> = Set(
    """
    a about above after again all also am an and any are as at be because been before being below between both but
    by can could did do does doing down during each few for from further had has have having he her here hers him
    his how i if in into is it its itself just me more most my no nor not of off on once only or other our out over
    own same she should so some such than that the their theirs them then there these they this those through to
    too under until up very was we were what when where which while who whom whose why will with would you your
    according many much may might must shall
    der die das des dem den ein eine einer eines einem einen und oder aber nicht ist sind war waren wird werden
    wurde wurden hat haben hatte von vom zu zum zur im in am an auf aus bei mit nach für über unter wie was wer wo
    wann warum welche welcher welches welchen viel viele sich es er sie wir ihr als auch nur noch durch man kann
    el la los las un una unos unas y o de del al en por para con sin sobre que qué cuál cuáles cómo cuándo dónde
    quién es son fue fueron ser se su sus no
    le les du et ou au aux dans pour avec sans sur qui quoi quel quelle quels quelles comment quand où est sont
    """.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init))
}
