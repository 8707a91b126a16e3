import Core
import FoundationEssentials

/// A retrieval test set in BEIR's layout: `queries.jsonl`, `corpus.jsonl`, `qrels/test.tsv`.
/// Source: Thakur et al., BEIR, https://arxiv.org/abs/2104.08663, and https://github.com/beir-cellar/beir/wiki
public struct BEIRDataset: Sendable {
  /// One document of the corpus.
  public struct CorpusDocument: Sendable, Hashable {
    /// Its id, as the judgements name it.
    public var id: String
    /// Its title; empty when it has none.
    public var title: String
    /// Its text.
    public var text: String
  }

  /// The folder.
  public let folder: String
  /// The judged queries, in the order of `queries.jsonl`; each right document is evidence with its grade.
  public let questions: QuestionSet

  /// Whether `path` is a folder that has the three files.
  public static func isDataset(_ path: String) -> Bool {
    let manager = FileManager.default
    return ["queries.jsonl", "corpus.jsonl", "qrels/test.tsv"].allSatisfy {
      manager.fileExists(atPath: path + "/" + $0)
    }
  }

  /// Reads queries and judgements; the corpus is read when it is indexed.
  /// - Throws: ``InsightError`` `questions.missing`, `questions.malformed` or `questions.empty`.
  public init(folder: String) throws {
    let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    self.folder = folder
    let judgements = try Self.judgements(path: folder + "/qrels/test.tsv")
    let reader = try LineReader(path: folder + "/queries.jsonl")
    var questions: [EvaluationQuestion] = []
    while let row = try reader.nextRow() {
      guard let right = judgements[row.id] else { continue }
      let evidence = right.sorted { ($1.grade, $0.document) < ($0.grade, $1.document) }
        .map { EvaluationQuestion.Evidence(document: Self.documentName($0.document), page: nil, grade: $0.grade) }
      questions.append(EvaluationQuestion(id: row.id, text: row.text, kind: "beir", evidence: evidence))
    }
    guard !questions.isEmpty else {
      throw InsightError(
        code: "questions.empty", category: .invalidInput,
        message: "\(folder): no query of queries.jsonl is judged in qrels/test.tsv",
        remedy: "Check that the files belong together.")
    }
    self.questions = QuestionSet(name: folder, questions: questions)
  }

  /// Calls `body` with each document of the corpus, in order.
  /// - Throws: ``InsightError``, or what `body` throws.
  func forEachDocument(_ body: (CorpusDocument) async throws -> Void) async throws {
    let reader = try LineReader(path: folder + "/corpus.jsonl")
    while let row = try reader.nextRow() {
      try await body(CorpusDocument(id: row.id, title: row.title ?? "", text: row.text))
    }
  }

  /// The name under which a document is indexed: its id, with what would end a URI's last part escaped.
  static func documentName(_ id: String) -> String {
    id.replacing("%", with: "%25").replacing("/", with: "%2F")
  }

  /// The right documents of each query: grades of 0 say that a document is wrong, and are left out.
  private static func judgements(path: String) throws -> [String: [(document: String, grade: Double)]] {
    let reader = try LineReader(path: path)
    var result: [String: [(document: String, grade: Double)]] = [:]
    while let line = try reader.next() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        .map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      guard fields.count == 3 else {
        throw reader.problem("a judgement has three columns (query-id, corpus-id, score) separated by tabs")
      }
      guard let grade = Double(fields[2]), grade.isFinite else {
        if reader.number == 1 { continue }  // the header
        throw reader.problem("the score '\(fields[2])' is not a number")
      }
      if grade > 0 { result[fields[0], default: []].append((fields[1], grade)) }
    }
    return result
  }
}

/// One line of `queries.jsonl` or `corpus.jsonl`.
private struct BEIRRow: Decodable {
  private enum Key: String, CodingKey {
    case title, text
    case id = "_id"
  }

  var id: String
  var title: String?
  var text: String

  init(from decoder: any Decoder) throws {
    let row = try decoder.container(keyedBy: Key.self)
    id = try row.decode(TextOrNumber.self, forKey: .id).text
    title = try row.decodeIfPresent(String.self, forKey: .title)
    text = try row.decode(String.self, forKey: .text)
  }
}

extension LineReader {
  fileprivate func nextRow() throws -> BEIRRow? {
    guard let line = try next() else { return nil }
    do {
      return try JSONDecoder().decode(BEIRRow.self, from: Data(line.utf8))
    } catch let error as DecodingError {
      throw problem(error.plainDescription, underlying: error)
    }
  }
}
