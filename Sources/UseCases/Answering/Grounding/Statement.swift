import Core

/// What a text says that can be right or wrong to the letter: its numbers and names.
///
/// Numbers are compared by value as far as writing goes: `1,234.50`, `1.234,5` and `1234.5` are one number, `twelve` is
/// `12`, `2 million` is also `2000000`. A name is a word with a capital that does not begin a sentence, or a word of
/// letters and digits such as `T5`.
struct Statement {
  /// Every number in all the forms it may be compared in.
  private(set) var numbers: Set<String> = []
  /// The numbers in order, each with its forms.
  private(set) var writtenNumbers: [(written: String, forms: Set<String>)] = []
  /// The names in order, as written.
  private(set) var names: [String] = []
  /// All words in lower case, and their stems.
  private(set) var words: Set<String> = []
  /// Whether so many words have capitals that these tell nothing, as in German or in tables.
  private(set) var capitalises = false

  init(_ text: String) {
    let tokens = Self.tokens(of: text)
    var inside = 0
    var capitals = 0
    for (place, token) in tokens.enumerated() {
      let lower = token.text.lowercased()
      words.insert(lower)
      words.insert(Words.stem(lower))
      if let value = Self.value(of: tokens, at: place) {
        var forms: Set<String> = [value]
        if let factor = Self.multiplier(after: place, in: tokens), let product = Self.product(value, zeros: factor) {
          forms.insert(product)
        }
        numbers.formUnion(forms)
        writtenNumbers.append((token.text, forms))
        continue
      }
      if token.hasDigit {
        names.append(token.text)
        continue
      }
      guard !token.isOpening, !token.text.isEmpty else { continue }
      inside += 1
      guard token.isCapitalised else { continue }
      capitals += 1
      if token.text.count >= 2, !Words.isStopWord(lower), !Self.calendar.contains(lower) { names.append(token.text) }
    }
    capitalises = inside >= 8 && capitals * 4 > inside
  }

  /// Whether a name of another text stands here.
  func has(name: String) -> Bool {
    let lower = name.lowercased()
    return words.contains(lower) || words.contains(Words.stem(lower))
  }

  // MARK: - Tokens

  private struct Token {
    var text: String
    var isNumber = false
    var hasDigit = false
    var isCapitalised = false
    /// Whether it begins a sentence, a line or a quotation, where capitals tell nothing.
    var isOpening = false
  }

  /// Runs of letters and digits; separators within numbers belong to them.
  private static func tokens(of text: String) -> [Token] {
    let scalars = Array(text.unicodeScalars)
    func isDigit(_ place: Int) -> Bool { scalars.indices.contains(place) && ("0"..."9").contains(scalars[place]) }
    func isLetter(_ place: Int) -> Bool {
      scalars.indices.contains(place)
        && (scalars[place].properties.isAlphabetic || scalars[place].properties.generalCategory == .nonspacingMark)
    }
    var tokens: [Token] = []
    var opens = true
    var place = 0
    while place < scalars.count {
      guard isDigit(place) || isLetter(place) else {
        if sentenceEnds.contains(scalars[place]) { opens = true }
        place += 1
        continue
      }
      let start = place
      var token = Token(text: "", isOpening: opens)
      while isDigit(place) || isLetter(place)
        || (separators.contains(scalars[min(place, scalars.count - 1)]) && isDigit(place - 1) && isDigit(place + 1))
      {
        if isDigit(place) { token.hasDigit = true }
        place += 1
      }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[start..<place])
      token.text = String(view)
      token.isCapitalised = scalars[start].properties.isUppercase
      // `40m` and `19th` are numbers, `T5` and `10b5` are names.
      token.isNumber =
        isDigit(start) && token.text.drop { !$0.isLetter }.allSatisfy(\.isLetter)
        && token.text.count(where: \.isLetter) <= 3
      tokens.append(token)
      opens = false
    }
    return tokens
  }

  private static let separators: Set<Unicode.Scalar> = [",", ".", "'", "\u{2019}", "\u{A0}", "\u{202F}", "\u{2009}"]
  private static let sentenceEnds: Set<Unicode.Scalar> = [
    ".", "!", "?", ":", ";", "\n", "\"", "“", "„", "«", "•", "*", "(", "。", "！", "？",
  ]

  // MARK: - Numbers

  private static func value(of tokens: [Token], at place: Int) -> String? {
    let token = tokens[place]
    if token.isNumber { return canonical(token.text) }
    guard let value = numberWords[token.text.lowercased()] else { return nil }
    let previous = place > 0 ? numberWords[tokens[place - 1].text.lowercased()] : nil
    let next = place + 1 < tokens.count ? numberWords[tokens[place + 1].text.lowercased()] : nil
    // "twenty-five" is one number; its second word is told with the first.
    if value < 10, let previous, previous >= 20 { return String(previous + value) }
    if value >= 20, let next, (1..<10).contains(next) { return String(value + next) }
    return String(value)
  }

  /// A number without separators of thousands, zeros in front and zeros at the end of its decimals.
  private static func canonical(_ written: String) -> String {
    var groups: [String] = [""]
    var marks: [Unicode.Scalar] = []
    for scalar in written.unicodeScalars {
      if ("0"..."9").contains(scalar) {
        groups[groups.count - 1].unicodeScalars.append(scalar)
      } else if separators.contains(scalar) {
        marks.append(scalar)
        groups.append("")
      } else {
        break
      }
    }
    var whole = groups[0]
    var decimals = ""
    for (offset, group) in groups.dropFirst().enumerated() {
      let isLast = offset == groups.count - 2
      // Three digits after a separator are a group of thousands, unless another separator came before.
      let isDecimal = isLast && (group.count != 3 || (offset > 0 && marks[offset] != marks[offset - 1]))
      if isDecimal, [",", "."].contains(marks[offset]) { decimals = group } else { whole += group }
    }
    while whole.count > 1, whole.first == "0" { whole.removeFirst() }
    while decimals.last == "0" { decimals.removeLast() }
    return decimals.isEmpty ? whole : "\(whole).\(decimals)"
  }

  private static func multiplier(after place: Int, in tokens: [Token]) -> Int? {
    guard place + 1 < tokens.count else { return nil }
    return multipliers[tokens[place + 1].text.lowercased()]
  }

  /// The number with its decimal point moved.
  private static func product(_ value: String, zeros: Int) -> String? {
    let parts = value.split(separator: ".", omittingEmptySubsequences: false)
    let decimals = parts.count > 1 ? String(parts[1]) : ""
    guard decimals.count <= zeros else { return nil }
    return canonical(parts[0] + decimals + String(repeating: "0", count: zeros - decimals.count))
  }

  private static let multipliers: [String: Int] = [
    "hundred": 2, "thousand": 3, "million": 6, "millions": 6, "billion": 9, "hundert": 2, "tausend": 3, "millionen": 6,
    "milliarde": 9, "milliarden": 9,
  ]

  /// From two on: "one" and "ein" are more often no numbers.
  private static let numberWords: [String: Int] = [
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9,
    "zehn": 10, "elf": 11, "zwölf": 12, "dreizehn": 13, "vierzehn": 14, "fünfzehn": 15, "sechzehn": 16,
    "siebzehn": 17, "achtzehn": 18, "neunzehn": 19, "zwanzig": 20, "dreißig": 30, "vierzig": 40, "fünfzig": 50,
    "sechzig": 60, "siebzig": 70, "achtzig": 80, "neunzig": 90,
  ]

  /// Capitals of English months and days are no names: dates are written in too many ways.
  private static let calendar: Set<String> = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
  ]
}
