import Core
import SQLite

extension SQLiteStoreInspection {
  /// Every cached embedding: its size by its model's dimension, and unit length.
  func inspectCache(
    into report: inout IntegrityReport, _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    let total = try await slice { try $0.first("SELECT count(*) FROM embedding_cache") { $0.int(0) } ?? 0 }
    var after: Int64 = 0
    var done = 0
    while true {
      await progress(InspectionProgress(stage: "cached embeddings", done: done, total: total))
      let (last, found) = try await slice { [after] connection in
        var report = IntegrityReport()
        var last: Int64?
        try connection.forEach(
          """
          SELECT e.rowid, e.text_hash, e.norm, e.vector, i.canonical FROM embedding_cache e
          JOIN cached_identities i ON i.key = e.identity WHERE e.rowid > ? ORDER BY e.rowid LIMIT 5000
          """, after
        ) { row in
          last = row.integer(0)
          report.examine("cached embeddings")
          if !Self.isSound(row) {
            report.add(
              IntegrityFinding(
                "cache.vector", .error, "the cached embedding of text \(row.text(1).prefix(12))… is damaged",
                isRepairable: true))
          }
        }
        return (last, report)
      }
      guard let last else { return }
      report.add(found)
      done += found.examined["cached embeddings"] ?? 0
      after = last
    }
  }

  private static func isSound(_ row: Row) -> Bool { CachedVector.isSound(row, norm: 2, vector: 3, canonical: 4) }
}

extension CachedVector {
  /// Whether a row's vector has its model's dimension, unit length and a norm.
  static func isSound(_ row: Row, norm: Int, vector: Int, canonical: Int) -> Bool {
    guard let dimension = dimension(canonical: row.text(canonical)) else { return false }
    let length = row.double(norm)
    guard length.isFinite, length > 0 else { return false }
    return row.withBytes(vector) { $0.count == 4 * dimension && VectorCheck.isUnit(VectorCheck.lengthOfSingles($0)) }
  }

  /// The dimension in an identity's canonical text: its third field, each written as `length:value|`.
  static func dimension(canonical: String) -> Int? {
    var rest = Array(canonical.utf8)[...]
    var field: ArraySlice<UInt8> = []
    for _ in 0..<3 {
      guard let colon = rest.firstIndex(of: UInt8(ascii: ":")),
        let length = Int(String(decoding: rest[..<colon], as: UTF8.self)), length >= 0,
        rest.count - (colon - rest.startIndex) - 1 >= length
      else { return nil }
      let start = colon + 1
      field = rest[start..<start + length]
      rest = rest[(start + length)...].dropFirst()
    }
    return Int(String(decoding: field, as: UTF8.self))
  }
}
