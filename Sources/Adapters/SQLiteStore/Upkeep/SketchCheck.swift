import Core
import SQLite

/// Whether the sketch of a revision is what its vectors and its rows in the full-text tables give.
struct SketchCheck {
  enum Problem: String {
    case missing = "sketch.missing"
    case codes = "sketch.codes"
    case counts = "sketch.counts"

    func message(_ uri: String) -> String {
      switch self {
      case .missing: "\(uri) has no codes or lengths for searches, which make them each time the store is opened"
      case .codes: "the codes of \(uri) are not those of its vectors"
      case .counts: "the lengths of chunks of \(uri) are not those of the full-text tables"
      }
    }
  }

  let space: Space
  let centre: [Float]?

  /// Codes are compared bit by bit. Weights are sums of floating-point numbers, which compilers may order differently.
  private static let tolerance: Float = 1e-4

  /// What is wrong; nil when nothing is, or when what it is made of is damaged itself.
  func problem(of revision: Int64, chunks: Range<Int64>, _ connection: Connection) throws -> Problem? {
    let stored = try connection.first(
      "SELECT codes, word_counts, gram_counts FROM sketches WHERE revision = ?", revision
    ) { row in
      Sketch(
        codes: row.optionalBytes(0), wordCounts: row.withBytes(1, Sketch.counts),
        gramCounts: row.withBytes(2, Sketch.counts))
    }
    guard let stored else { return .missing }
    let expected: Sketch
    do {
      expected = try Sketch(chunks: chunks, of: space, centre: centre, connection)
    } catch is StoreError {
      return nil
    } catch let error as SQLiteError where error.kind == .statement {
      // A full-text table is missing.
      return nil
    }
    if let codes = expected.codes {
      guard let found = stored.codes else { return .missing }
      if !agree(found, codes, rows: chunks.count) { return .codes }
    }
    let words = Self.agree(stored.wordCounts, expected.wordCounts, rows: chunks.count)
    let grams = Self.agree(
      stored.gramCounts.isEmpty ? [UInt32](repeating: 0, count: chunks.count) : stored.gramCounts,
      expected.gramCounts.isEmpty ? [UInt32](repeating: 0, count: chunks.count) : expected.gramCounts,
      rows: chunks.count)
    return words && grams ? nil : .counts
  }

  private func agree(_ found: [UInt8], _ expected: [UInt8], rows: Int) -> Bool {
    let codes = rows * 16 * RowShape(dimension: space.identity.dimension, isCoded: true).words
    guard found.count == expected.count, found.prefix(codes) == expected.prefix(codes) else { return false }
    return found.withUnsafeBytes { found in
      expected.withUnsafeBytes { expected in
        stride(from: codes, to: found.count, by: 4).allSatisfy { place in
          let a = Float(bitPattern: found.loadUnaligned(fromByteOffset: place, as: UInt32.self))
          let b = Float(bitPattern: expected.loadUnaligned(fromByteOffset: place, as: UInt32.self))
          return abs(a - b) <= Self.tolerance * max(1, abs(b))
        }
      }
    }
  }

  /// A chunk without a row in the full-text table is that table's damage, found elsewhere.
  private static func agree(_ found: [UInt32], _ expected: [UInt32], rows: Int) -> Bool {
    found.count == rows && zip(found, expected).allSatisfy { $1 == 0 || $0 == $1 }
  }
}

extension SQLiteStoreInspection {
  /// Codes against vectors and lengths against the full-text tables, one revision at a time.
  func inspectSketches(
    into report: inout IntegrityReport, _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    let total = try await slice { try $0.first("SELECT count(*) FROM revisions") { $0.int(0) } ?? 0 }
    var after: Int64 = 0
    var done = 0
    while true {
      if done % 100 == 0 { await progress(InspectionProgress(stage: "codes and lengths", done: done, total: total)) }
      let (key, found) = try await slice { [after] connection in try Self.sketchReport(after: after, connection) }
      guard let key else { return }
      report.add(found)
      after = key
      done += 1
    }
  }

  private static func sketchReport(after: Int64, _ connection: Connection) throws -> (Int64?, IntegrityReport) {
    var report = IntegrityReport()
    let next = try connection.first(
      """
      SELECT s.key, s.identity, s.centre IS NOT NULL, r.key, r.first_chunk, r.chunk_count, d.id, d.uri,
        s.sketched IS NOT NULL AND r.key > s.sketched
      FROM revisions r JOIN spaces s ON s.key = r.space JOIN documents d ON d.key = r.document
      WHERE r.key > ? ORDER BY r.key LIMIT 1
      """, after
    ) { row in
      (
        space: try Space(row: row), revision: row.integer(3), first: row.integer(4), count: row.integer(5),
        document: DocumentID(rawValue: row.text(6)), uri: row.text(7), isPending: row.bool(8)
      )
    }
    guard let next else { return (nil, report) }
    // What is not made yet is no damage. A centre that cannot be read is found with its space.
    guard next.count > 0, !next.isPending, let centre = try? Centre.read(next.space, connection) ?? [] else {
      return (next.revision, report)
    }
    report.examine("sketches")
    let check = SketchCheck(space: next.space, centre: next.space.isCoded ? centre : nil)
    if let problem = try check.problem(
      of: next.revision, chunks: next.first..<next.first + next.count, connection)
    {
      report.add(
        IntegrityFinding(
          problem.rawValue, problem == .missing ? .warning : .error, problem.message(next.uri), isRepairable: true,
          document: next.document))
    }
    return (next.revision, report)
  }
}

/// Makes sketches again where they are missing or wrong.
enum SketchRepair {
  static let repair = StoreRepair(
    // Mended vectors and full-text tables bring other codes and lengths.
    codes: [
      "sketch.missing", "sketch.codes", "sketch.counts", "space.centre", "vector.missing", "vector.shape",
      "vector.values",
    ]
      + FullTextTable.Kind.allCases.flatMap { kind in
        ["structure", "missing", "orphaned", "text"].map { "\(kind.rawValue).\($0)" }
      }, message: "made codes and lengths for searches again"
  ) { connection, _ in
    // Reads every vector in one transaction: this is for a store that is damaged.
    let spaces = try connection.map(
      "SELECT key, identity, centre IS NOT NULL FROM spaces ORDER BY key", row: Space.init(row:))
    var changed: [(space: Int64, key: Int64)] = []
    var centres = 0
    for space in spaces {
      if space.isCoded, (try? Centre.read(space, connection)) == nil {
        centres += 1
        try connection.run("UPDATE spaces SET centre = NULL WHERE key = ?", space.key)
        var bare = space
        bare.isCoded = false
        if try !Centre.choose(for: bare, connection) {
          try connection.run("UPDATE sketches SET codes = NULL WHERE revision IN (\(revisions))", space.key)
        }
      }
      guard let space = try Space.of(space.identity, connection) else { continue }
      let check = SketchCheck(space: space, centre: try Centre.read(space, connection))
      let all = try connection.map(
        "SELECT key, first_chunk, chunk_count FROM revisions WHERE space = ? AND chunk_count > 0", space.key
      ) { (key: $0.integer(0), chunks: $0.integer(1)..<$0.integer(1) + $0.integer(2)) }
      for revision in all where try check.problem(of: revision.key, chunks: revision.chunks, connection) != nil {
        guard let sketch = try? Sketch(chunks: revision.chunks, of: space, centre: check.centre, connection) else {
          continue
        }
        try sketch.store(revision.key, connection)
        changed.append((space.key, revision.key))
      }
    }
    if !changed.isEmpty { try ChangeLog.record("repair", revisions: changed, connection) }
    return (changed.count + centres, true)
  }

  private static let revisions = "SELECT key FROM revisions WHERE space = ?"
}
