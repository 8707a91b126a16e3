import Core

/// The kind of thing that a question asks for, as far as its words show (English and German): a passage that matches
/// the question without having such a thing is about the subject, and still does not answer.
enum ExpectedAnswer: Sendable, Hashable {
  /// A sum of money.
  case money
  /// A year or date.
  case date
  /// A share in per cent.
  case percentage
  /// A number or measure.
  case number
  /// A person, company or other name.
  case name

  /// The kind that `question` asks for; nil when its words do not show one.
  init?(askedBy question: String) {
    let words = Words.all(of: question)
    let all = Set(words)
    func has(_ pairs: (String, String)...) -> Bool {
      pairs.contains { pair in zip(words, words.dropFirst()).contains { $0 == pair } }
    }
    if !all.isDisjoint(with: Self.moneyWords) || question.contains(where: { "£$€".contains($0) }) {
      self = .money
    } else if all.contains("when") || all.contains("wann") || has(("which", "year"), ("what", "year"), ("what", "date"))
      || has(("welchem", "jahr"), ("welches", "jahr"))
    {
      self = .date
    } else if !all.isDisjoint(with: Self.percentageWords) || has(("per", "cent")) {
      self = .percentage
    } else if has(("how", "many"), ("how", "much"), ("number", "of"), ("wie", "viel"), ("wie", "viele"))
      || has(("how", "high"), ("how", "deep"), ("how", "thick"), ("how", "long"), ("how", "far"), ("how", "heavy"))
      || has(("how", "fast"), ("how", "wide"), ("how", "old"), ("wie", "schwer"), ("wie", "hoch"), ("wie", "lang"))
      || !all.isDisjoint(with: Self.quantityWords)
    {
      self = .number
    } else if all.contains("who") || all.contains("whose") || all.contains("wer") || has(("name", "of"))
      || has(("which", "company"), ("which", "firm"))
    {
      self = .name
    } else {
      return nil
    }
  }

  private static let moneyWords: Set<String> = [
    "cost", "costs", "fee", "fees", "price", "prices", "salary", "kostet", "kosten", "preis", "gebühr",
  ]
  private static let percentageWords: Set<String> = [
    "percent", "percentage", "proportion", "share", "prozent", "anteil",
  ]
  private static let quantityWords: Set<String> = [
    "diameter", "depth", "speed", "tonnage", "concentration", "height", "weight", "thickness", "length", "telephone",
    "durchmesser", "tiefe", "höhe", "gewicht", "länge",
  ]

  /// Whether a sentence has something of the kind that the question itself does not say.
  /// - Parameters:
  ///   - sentence: Half-open range of `text`.
  ///   - known: The words of the question, lower case.
  func isFound(in sentence: String, besides known: Set<String>) -> Bool {
    let tokens = Token.all(of: sentence)
    func number(_ place: Int) -> Bool {
      tokens.indices.contains(place) && tokens[place].isNumber && !known.contains(tokens[place].lower)
    }
    switch self {
    case .money:
      return tokens.indices.contains { place in
        number(place)
          && (tokens[place].follows("£$€") || tokens[place].precedes("£$€")
            || (place + 1 < tokens.count && Self.currencies.contains(tokens[place + 1].lower)))
      }
    case .date:
      return tokens.indices.contains { place in
        number(place)
          && (Self.isYear(tokens[place].lower) || (place + 1 < tokens.count && Self.isMonth(tokens[place + 1].lower))
            || (place > 0 && Self.isMonth(tokens[place - 1].lower)))
      }
    case .percentage:
      return tokens.indices.contains { place in
        number(place)
          && (tokens[place].precedes("%")
            || (place + 1 < tokens.count && ["per", "percent", "prozent"].contains(tokens[place + 1].lower)))
      }
    case .number:
      return tokens.indices.contains {
        number($0) || (Self.numberWords.contains(tokens[$0].lower) && !known.contains(tokens[$0].lower))
      }
    case .name:
      return tokens.dropFirst().contains { token in
        token.isCapitalised && token.lower.count > 1 && !known.contains(token.lower)
      }
    }
  }

  private static let currencies: Set<String> = ["pound", "pounds", "euro", "euros", "dollar", "dollars"]
  private static let numberWords: Set<String> = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty",
    "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million", "billion", "zwei", "drei", "vier",
    "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf", "hundert", "tausend",
  ]

  private static func isYear(_ word: String) -> Bool {
    word.utf8.count == 4 && (Int(word).map { (1000...2199).contains($0) } ?? false)
  }

  private static func isMonth(_ word: String) -> Bool {
    word.count >= 3 && months.contains(String(word.prefix(3)))
  }

  private static let months: Set<String> = [
    "jan", "feb", "mar", "mär", "apr", "may", "mai", "jun", "jul", "aug", "sep", "oct", "okt", "nov", "dec", "dez",
  ]
}

/// A run of letters and digits with what stands on both sides of it.
private struct Token {
  var lower: String
  var isNumber: Bool
  var isCapitalised: Bool
  private var before: Unicode.Scalar?
  private var after: Unicode.Scalar?

  func follows(_ marks: String) -> Bool { before.map { marks.unicodeScalars.contains($0) } ?? false }
  func precedes(_ marks: String) -> Bool { after.map { marks.unicodeScalars.contains($0) } ?? false }

  /// All tokens of a text. Points and commas within numbers belong to them; `T5` and `C-305` are names, not numbers.
  static func all(of text: String) -> [Token] {
    let scalars = Array(text.unicodeScalars)
    func isDigit(_ place: Int) -> Bool { scalars.indices.contains(place) && ("0"..."9").contains(scalars[place]) }
    func isLetter(_ place: Int) -> Bool { scalars.indices.contains(place) && scalars[place].properties.isAlphabetic }
    var tokens: [Token] = []
    var place = 0
    while place < scalars.count {
      guard isDigit(place) || isLetter(place) else {
        place += 1
        continue
      }
      let start = place
      while isDigit(place) || isLetter(place)
        || (place < scalars.count && ".,".unicodeScalars.contains(scalars[place]) && isDigit(place - 1)
          && isDigit(place + 1))
      {
        place += 1
      }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[start..<place])
      let word = String(view)
      let isNamed = start >= 2 && scalars[start - 1] == "-" && isLetter(start - 2)
      var next = place
      while next < scalars.count, scalars[next] == " " { next += 1 }
      tokens.append(
        Token(
          lower: word.lowercased(),
          isNumber: isDigit(start) && !isNamed && !word.dropFirst().contains(where: \.isLetter),
          isCapitalised: scalars[start].properties.isUppercase, before: start > 0 ? scalars[start - 1] : nil,
          after: next < scalars.count ? scalars[next] : nil))
    }
    return tokens
  }
}
