/// How ids and hashes follow from their parts, so that a store can be checked against them without knowing who makes
/// them.
public struct IdentityRules: Sendable {
  /// The id of the document that began at a URI of a collection as its generation.
  public var documentID: @Sendable (CollectionName, SourceURI, Int) -> DocumentID
  /// The id of a chunk, by its ordinal, of a version of a document under a pipeline version.
  public var chunkID: @Sendable (DocumentID, ContentVersion, PipelineVersion, Int) -> ChunkID
  /// The hash of a text that is embedded.
  public var textHash: @Sendable (String) -> TextHash

  /// Creates rules.
  public init(
    documentID: @escaping @Sendable (CollectionName, SourceURI, Int) -> DocumentID,
    chunkID: @escaping @Sendable (DocumentID, ContentVersion, PipelineVersion, Int) -> ChunkID,
    textHash: @escaping @Sendable (String) -> TextHash
  ) {
    self.documentID = documentID
    self.chunkID = chunkID
    self.textHash = textHash
  }
}

/// Something that the check of a store found.
public struct IntegrityFinding: Sendable, Hashable, Codable {
  /// How bad it is.
  public enum Severity: String, Sendable, Codable, CaseIterable {
    /// Something stored is lost, wrong or not searched.
    case error
    /// Left over: it costs space, answers are right.
    case warning
    /// Worth knowing; the store itself is sound.
    case notice
  }

  /// A stable dotted code, such as `vector.missing`.
  public var code: String
  /// What is wrong, in one sentence that names the thing.
  public var message: String
  /// How bad it is.
  public var severity: Severity
  /// Whether the store can mend it from what it has; else only the document's original, or a backup, helps.
  public var isRepairable: Bool
  /// The document concerned; nil when it is none's or not one's alone.
  public var document: DocumentID?
  /// The chunk concerned.
  public var chunk: ChunkID?

  private enum CodingKeys: String, CodingKey {
    case code
    case message
    case severity
    case isRepairable = "repairable"
    case document
    case chunk
  }

  /// Creates a finding.
  public init(
    _ code: String, _ severity: Severity, _ message: String, isRepairable: Bool = false, document: DocumentID? = nil,
    chunk: ChunkID? = nil
  ) {
    self.code = code
    self.severity = severity
    self.message = message
    self.isRepairable = isRepairable
    self.document = document
    self.chunk = chunk
  }
}

/// What a check looked at and found. Bounded, however much is wrong: of each code the first findings are kept, all
/// are counted.
public struct IntegrityReport: Sendable, Hashable, Codable {
  /// Findings kept of each code.
  public static let keptOfEachCode = 20

  /// The first findings of each code, in the order they were found.
  public private(set) var findings: [IntegrityFinding] = []
  /// All findings, by code.
  public private(set) var counts: [String: Int] = [:]
  /// Findings of severity `error`.
  public private(set) var errors = 0
  /// Findings of severity `warning`.
  public private(set) var warnings = 0
  /// Findings of severity `notice`.
  public private(set) var notices = 0
  /// What was looked at, by name (`documents`, `pages`, `chunks`, `files` …).
  public private(set) var examined: [String: Int] = [:]

  /// An empty report.
  public init() {}

  /// Whether nothing is damaged.
  public var isSound: Bool { errors == 0 }
  /// Whether there is anything to repair.
  public var needsRepair: Bool { errors + warnings > 0 }

  /// Adds a finding.
  public mutating func add(_ finding: IntegrityFinding) {
    let count = counts[finding.code, default: 0] + 1
    counts[finding.code] = count
    switch finding.severity {
    case .error: errors += 1
    case .warning: warnings += 1
    case .notice: notices += 1
    }
    if count <= Self.keptOfEachCode { findings.append(finding) }
  }

  /// Adds findings.
  public mutating func add(_ findings: some Sequence<IntegrityFinding>) { findings.forEach { add($0) } }

  /// Notes that `count` more things of a name were looked at.
  public mutating func examine(_ name: String, _ count: Int = 1) { examined[name, default: 0] += count }

  /// Adds what another check found.
  public mutating func add(_ other: IntegrityReport) {
    for finding in other.findings { add(finding) }
    for (code, count) in other.counts {
      // Those that the other did not keep.
      let kept = other.findings.lazy.filter { $0.code == code }
      guard let severity = kept.first?.severity, count > kept.count else { continue }
      counts[code, default: 0] += count - kept.count
      switch severity {
      case .error: errors += count - kept.count
      case .warning: warnings += count - kept.count
      case .notice: notices += count - kept.count
      }
    }
    examined.merge(other.examined, uniquingKeysWith: +)
  }
}

/// How far a check is.
public struct InspectionProgress: Sendable, Hashable {
  /// What is looked at, in words, such as `documents`.
  public var stage: String
  /// Things done of the stage.
  public var done: Int
  /// All of the stage; nil when that is not known.
  public var total: Int?

  /// Creates a step.
  public init(stage: String, done: Int, total: Int? = nil) {
    self.stage = stage
    self.done = done
    self.total = total
  }
}

/// Checks that everything an index keeps agrees: documents, pages, chunks, vectors, the indexes of words and n-grams,
/// jobs, tombstones, caches.
///
/// Safe while others read and write: work goes in slices, each of one moment, and what changes meanwhile is no
/// finding. Memory stays bounded. Nothing is changed.
public protocol StoreInspection: Sendable {
  /// Checks everything.
  /// - Throws: A ``CategorizedError`` when the store cannot be looked at at all (missing, no permission); damage is
  ///   never thrown but reported, a store that cannot be opened for it included.
  func inspect(
    rules: IdentityRules, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> IntegrityReport
}
