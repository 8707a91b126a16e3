/// A question with what is known of its right answer.
public struct EvaluationQuestion: Sendable, Hashable {
  /// A place that answers the question.
  public struct Evidence: Sendable, Hashable {
    /// The document's file name.
    public var document: String
    /// 1-based PDF page; nil when any page of the document is right.
    public var page: Int?
    /// How relevant it is: the gain in nDCG, above 0. Pages of question files have 1.
    public var grade: Double
    /// The words that answer, as they stand on the page; nil when not given.
    public var quote: String?

    /// Creates evidence.
    public init(document: String, page: Int?, grade: Double = 1, quote: String? = nil) {
      self.document = document
      self.page = page
      self.grade = grade
      self.quote = quote
    }
  }

  /// Its id in the set.
  public var id: String
  /// The question as asked.
  public var text: String
  /// What sort of question it is, for results by kind; `question` when the set does not say.
  public var kind: String
  /// Whether the library answers it.
  public var isAnswerable: Bool
  /// Texts of right answers.
  public var references: [String]
  /// All right places, the set's further pages included.
  public var evidence: [Evidence]

  /// Creates a question.
  public init(
    id: String, text: String, kind: String = "question", isAnswerable: Bool = true, references: [String] = [],
    evidence: [Evidence] = []
  ) {
    self.id = id
    self.text = text
    self.kind = kind
    self.isAnswerable = isAnswerable
    self.references = references
    self.evidence = evidence
  }
}

/// Questions that are measured together.
public struct QuestionSet: Sendable, Hashable {
  /// A name for reports: the path as given.
  public var name: String
  /// The questions, in the order of the file.
  public var questions: [EvaluationQuestion]

  /// Creates a set.
  public init(name: String, questions: [EvaluationQuestion]) {
    self.name = name
    self.questions = questions
  }
}
