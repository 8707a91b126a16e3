/// What an upkeep did, or would do.
public struct UpkeepReport: Sendable, Hashable, Codable {
  /// One thing mended or cleared away.
  public struct Action: Sendable, Hashable, Codable {
    /// The finding's code, or `cache.trimmed`, `space.reclaimed`, `temporary.removed`.
    public var code: String
    /// How many.
    public var count: Int
    /// In words, with the verb.
    public var message: String

    /// Creates an action.
    public init(code: String, count: Int, message: String) {
      self.code = code
      self.count = count
      self.message = message
    }
  }

  /// What was done, in order.
  public var actions: [Action] = []
  /// Bytes given back to the file system; with a dry run, what can be given back without repairs.
  public var bytesReclaimed = 0
  /// What was found before anything was done.
  public var found = IntegrityReport()

  /// An empty report.
  public init() {}

  /// Errors found that the store cannot mend by itself, as far as they were kept.
  public var beyondRepair: [IntegrityFinding] { found.findings.filter { $0.severity == .error && !$0.isRepairable } }

  /// Adds an action.
  public mutating func add(_ code: String, _ count: Int, _ message: String) {
    actions.append(Action(code: code, count: count, message: message))
  }
}

/// Mends what an index can mend from what it has, and gives space back. Safe while others read and write: every repair
/// looks again under the writer's lock.
public protocol StoreUpkeep: Sendable {
  /// Checks the store, repairs what is repairable, trims caches, gives space back.
  /// - Parameters:
  ///   - rules: How ids follow from their parts.
  ///   - isDryRun: Whether to say only what would be done.
  ///   - progress: Told of every step.
  /// - Throws: A ``CategorizedError``; what was done before stays done.
  func tidy(
    rules: IdentityRules, isDryRun: Bool, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> UpkeepReport
}
