import Core
import FoundationEssentials

extension QuestionSet {
  /// Reads a file of questions, one JSON object a line.
  ///
  /// Fields: `question` (needed), `id`, `kind`, `answerable`, `evidence` (a list of `document`, `page`, `quote`),
  /// `also_pages` (further right pages of the first evidence's document), `answer` or `references` (a text, texts
  /// separated by `<OR>`, or a list). Other fields are allowed. Without `answerable`, a question of kind
  /// `unanswerable` is not answerable and every other is.
  /// - Throws: ``InsightError`` `questions.missing`, `questions.malformed` (naming `file:line`) or
  ///   `questions.empty`.
  public static func read(path: String) throws -> QuestionSet {
    let reader = try LineReader(path: path)
    let decoder = JSONDecoder()
    var questions: [EvaluationQuestion] = []
    while let line = try reader.next() {
      do {
        let row = try decoder.decode(QuestionRow.self, from: Data(line.utf8))
        questions.append(row.question(defaultID: "line-\(reader.number)"))
      } catch let error as DecodingError {
        throw reader.problem(error.plainDescription, underlying: error)
      }
    }
    guard !questions.isEmpty else {
      throw InsightError(
        code: "questions.empty", category: .invalidInput, message: "\(path) has no questions",
        remedy: "Put one JSON object on each line.")
    }
    return QuestionSet(name: path, questions: questions)
  }
}

/// One line of a question file.
private struct QuestionRow: Decodable {
  private struct EvidenceRow: Decodable {
    var document: String
    var page: Int?
    var quote: String?

    var evidence: EvaluationQuestion.Evidence {
      // A path is taken for its file name, which is what the index shows.
      let name = document.split(separator: "/").last.map(String.init) ?? document
      return .init(document: name, page: page, quote: quote)
    }
  }

  private enum Key: String, CodingKey {
    case id, question, kind, answerable, evidence, answer, references
    case alsoPages = "also_pages"
  }

  private var id: String?
  private var text: String
  private var kind: String?
  private var answerable: Bool
  private var references: [String] = []
  private var evidence: [EvaluationQuestion.Evidence]

  init(from decoder: any Decoder) throws {
    let row = try decoder.container(keyedBy: Key.self)
    text = try row.decode(String.self, forKey: .question)
    guard text.contains(where: { !$0.isWhitespace }) else {
      throw DecodingError.dataCorruptedError(forKey: .question, in: row, debugDescription: "it is blank")
    }
    id = try row.decodeIfPresent(TextOrNumber.self, forKey: .id)?.text
    kind = try row.decodeIfPresent(String.self, forKey: .kind)
    answerable = try row.decodeIfPresent(Bool.self, forKey: .answerable) ?? (kind != "unanswerable")
    evidence = try row.decodeIfPresent([EvidenceRow].self, forKey: .evidence)?.map(\.evidence) ?? []
    let further = try row.decodeIfPresent([Int].self, forKey: .alsoPages) ?? []
    for place in evidence + further.map({ .init(document: evidence.first?.document ?? "", page: $0) }) {
      if let page = place.page, page < 1 {
        throw DecodingError.dataCorruptedError(
          forKey: .evidence, in: row, debugDescription: "page \(page) is not a page: pages count from 1")
      }
    }
    if let first = evidence.first {
      evidence += further.map { .init(document: first.document, page: $0) }
    } else if !further.isEmpty {
      throw DecodingError.dataCorruptedError(
        forKey: .alsoPages, in: row, debugDescription: "it needs evidence that names the document")
    }
    for key in [Key.references, .answer] where references.isEmpty {
      references = try row.decodeIfPresent(References.self, forKey: key)?.texts ?? []
    }
  }

  func question(defaultID: String) -> EvaluationQuestion {
    EvaluationQuestion(
      id: id ?? defaultID, text: text, kind: kind ?? "question", isAnswerable: answerable, references: references,
      evidence: evidence)
  }
}

/// Reference answers as a text, texts separated by `<OR>`, a number, or a list of those.
private struct References: Decodable {
  var texts: [String]

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let given = try (try? container.decode([TextOrNumber].self)) ?? [container.decode(TextOrNumber.self)]
    texts = given.flatMap { $0.text.split(separator: "<OR>") }
      .map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      .filter { !$0.isEmpty }
  }
}

/// A JSON string, or a number taken as its digits.
struct TextOrNumber: Decodable {
  var text: String

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self.text = text
    } else if let number = try? container.decode(Int.self) {
      text = String(number)
    } else if let number = try? container.decode(Double.self) {
      text = String(number)
    } else if let isTrue = try? container.decode(Bool.self) {
      text = isTrue ? "yes" : "no"
    } else {
      throw DecodingError.typeMismatch(
        String.self, .init(codingPath: decoder.codingPath, debugDescription: "it must be a text"))
    }
  }
}

extension DecodingError {
  /// The problem in words that fit after `file:line:`.
  var plainDescription: String {
    func name(_ path: [any CodingKey]) -> String {
      path.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".")
        .replacing(".[", with: "[")
    }
    switch self {
    case .keyNotFound(let key, let context): return "'\(name(context.codingPath + [key]))' is missing"
    case .valueNotFound(_, let context): return "'\(name(context.codingPath))' is null"
    case .typeMismatch(let type, let context):
      let path = name(context.codingPath)
      return path.isEmpty
        ? "it is not a JSON object" : "'\(path)' has the wrong type; it should be \(Self.plainName(of: type))"
    case .dataCorrupted(let context):
      let path = name(context.codingPath)
      return path.isEmpty ? "it is not valid JSON" : "'\(path)': \(context.debugDescription)"
    @unknown default: return "it cannot be read"
    }
  }

  private static func plainName(of type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is Bool.Type: "true or false"
    case is any Collection.Type: "a list"
    default: "an object"
    }
  }
}
