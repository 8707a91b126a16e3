/// An archived answer beside the one that its question gets today.
public struct ReplayReport: Sendable, Hashable, Codable {
  /// What became of a passage.
  public enum PassageStatus: String, Sendable, Codable {
    /// At the same rank.
    case kept
    /// At another rank.
    case moved
    /// Another chunk of the same document and pages stands for it, since the document was cut anew.
    case replaced
    /// No longer among the passages.
    case gone
    /// Was not among them.
    case new
  }

  /// A passage, then and now.
  public struct Passage: Sendable, Hashable, Codable {
    /// What became of it.
    public var status: PassageStatus
    /// Its document's name, now if it is there now.
    public var documentName: String
    /// Its document.
    public var documentID: String
    /// Its pages, 1-based, now if it is there now.
    public var pages: [Int]
    /// The chunk, now if it is there now.
    public var chunkID: String
    /// Its rank then, from 1.
    public var rankBefore: Int?
    /// Its rank now, from 1.
    public var rankAfter: Int?
    /// Its cosine then; of another embedding model, when that changed.
    public var similarityBefore: Float?
    /// Its cosine now.
    public var similarityAfter: Float?

    private enum CodingKeys: String, CodingKey {
      case status, pages
      case documentName = "document_name"
      case documentID = "document_id"
      case chunkID = "chunk_id"
      case rankBefore = "rank_before"
      case rankAfter = "rank_after"
      case similarityBefore = "similarity_before"
      case similarityAfter = "similarity_after"
    }
  }

  /// Something about the answers that is not the same.
  public struct Change: Sendable, Hashable, Codable {
    /// What: `outcome`, `model`, `template`, `index_generation`, `embedding_identity`, `quarry_version`, `confidence`,
    /// `citations`, or a retrieval parameter.
    public var what: String
    /// Then; absent when there was none.
    public var before: String?
    /// Now; absent when there is none.
    public var after: String?
  }

  /// The archived answer.
  public var answerID: String
  /// The answer of the replay, which is recorded as traffic of its own kind.
  public var replayID: String
  /// The question as asked again.
  public var question: String
  /// What changed, but for texts and passages.
  public var changes: [Change]
  /// Whether the texts of both answers are equal; absent when the archived one was redacted.
  public var isSameText: Bool?
  /// The archived text.
  public var answerBefore: String
  /// Today's text.
  public var answerAfter: String
  /// The passages: today's by rank, then those that are gone.
  public var passages: [Passage]
  /// What this replay cannot tell, and why.
  public var notes: [String]

  private enum CodingKeys: String, CodingKey {
    case question, changes, passages, notes
    case answerID = "answer_id"
    case replayID = "replay_id"
    case isSameText = "same_text"
    case answerBefore = "answer_before"
    case answerAfter = "answer_after"
  }

  /// Whether outcome, text and passages are as they were, as far as that can be told.
  public var isUnchanged: Bool {
    isSameText != false && !changes.contains { $0.what == "outcome" } && passages.allSatisfy { $0.status == .kept }
  }
}
