import Core
import FoundationEssentials
import SQLite

extension SQLiteStoreInspection {
  /// Jobs whose record cannot be, whose worker is gone, or that are of nothing.
  func inspectJobs(
    into report: inout IntegrityReport, _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    await progress(InspectionProgress(stage: "jobs", done: 0))
    let first = try await slice { try JobInspection.run($0, now: Date()) }
    report.examine("jobs", first.count)
    // A document and its job go in two transactions: what stands between them now does not a little later.
    let suspects = first.findings.filter(\.value.isPassing)
    if !suspects.isEmpty { try await Task.sleep(for: .milliseconds(500)) }
    let second = suspects.isEmpty ? first : try await slice { try JobInspection.run($0, now: Date()) }
    for (key, found) in first.findings.sorted(by: { $0.key < $1.key }) {
      if found.isPassing, second.findings[key]?.finding.code != found.finding.code { continue }
      report.add(found.finding)
    }
  }
}

/// The check of the job table.
struct JobInspection {
  struct Found {
    var finding: IntegrityFinding
    /// Whether work under way can look like it for a moment.
    var isPassing: Bool
  }

  /// Jobs that are done although nothing is indexed, marked as deleted or below them (a source's root has a job too).
  static let ofNothing = """
    j.state = 'done'
    AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.collection = j.collection AND t.uri = j.uri)
    AND NOT EXISTS (SELECT 1 FROM documents d JOIN collections c ON c.key = d.collection WHERE c.name = j.collection
      AND (d.uri = j.uri OR (d.uri >= rtrim(j.uri, '/') || '/' AND d.uri < rtrim(j.uri, '/') || '0')))
    """

  /// Findings by the job's key, at most 10,000.
  static func run(_ connection: Connection, now: Date) throws -> (findings: [Int64: Found], count: Int) {
    var findings: [Int64: Found] = [:]
    func add(_ row: Row, _ code: String, _ severity: IntegrityFinding.Severity, _ what: String, passing: Bool = false) {
      guard findings.count < 10_000 else { return }
      findings[row.integer(0)] = Found(
        finding: IntegrityFinding(code, severity, "the job of \(row.text(1)) \(what)", isRepairable: true),
        isPassing: passing)
    }
    try connection.forEach(
      "SELECT key, uri, lease_owner FROM jobs WHERE state = 'running' AND coalesce(lease_until, 0) <= ?", now.seconds
    ) { add($0, "job.lease_expired", .warning, "is held by a worker that is gone", passing: true) }
    try connection.forEach("SELECT j.key, j.uri FROM jobs j WHERE \(ofNothing)") {
      add($0, "job.orphaned", .warning, "is done, but nothing is indexed there", passing: true)
    }
    let states = JobState.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    try connection.forEach(
      "SELECT key, uri FROM jobs WHERE state NOT IN (\(states)) OR NOT json_valid(stages)"
    ) { add($0, "job.malformed", .error, "cannot be read") }
    return (findings, try connection.first("SELECT count(*) FROM jobs") { $0.int(0) } ?? 0)
  }
}
